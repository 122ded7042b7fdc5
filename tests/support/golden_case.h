// A golden case: a text file that is one scenario. Prose up to the first rule
// line, then sections:
//
//   --- given request openai-chat
//   {"model": "m", ...}
//   --- options
//   strict
//   --- expect request claude
//   {...}
//
// A rule line is `--- given WHAT DIALECT`, `--- options` or
// `--- expect WHAT [DIALECT]`; ` < FILE` at its end takes the body from a
// file beside the case. Bodies are verbatim up to the next rule line.
// tests/golden/README.md is the reference for authors.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "llmproxy/result.h"

namespace llmproxy::testing {

enum class SectionKind { given, options, expect };

struct Section {
  SectionKind kind = SectionKind::given;
  std::string what;      ///< request, response, stream, error, canonical, ...
  std::string dialect;   ///< empty where none is needed
  std::string file;      ///< the body stands in this file; empty = here
  std::string body;      ///< verbatim; of `expect` without last newlines
  std::size_t line = 0;  ///< of the rule, from 1

  /// "expect request claude"
  std::string title() const;
};

struct GoldenCase {
  std::string path;
  std::string prose;
  std::vector<Section> sections;

  const Section* find(SectionKind kind, std::string_view what,
                      std::string_view dialect = {}) const;
  Section* find(SectionKind kind, std::string_view what,
                std::string_view dialect = {});
  /// The words of the options section, one a line; empty lines left out.
  std::vector<std::string> options() const;
};

/// Reads a case and the files it names. Errors: invalid_request with the line.
Result<GoldenCase> read_case(const std::string& path);
/// The same from text; `< FILE` bodies are looked up beside `path`.
Result<GoldenCase> parse_case(const std::string& path, std::string_view text);
/// The file's text: what parse_case read, byte for byte, but for empty lines
/// at the end of expectations.
std::string write_case(const GoldenCase& golden);

Result<std::string> read_file(const std::string& path);
Result<void> write_file(const std::string& path, std::string_view text);

}  // namespace llmproxy::testing
