// What must hold of everything the library writes, and the choices that
// several targets make of an input's first bytes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "fuzz/kit/target.h"
#include "llmproxy/translate.h"

namespace llmproxy::fuzz {

/// One JSON object in valid UTF-8.
void expect_object(std::string_view text, std::string_view what);
/// Their places are JSON pointers and their texts are text.
void expect_losses(const Losses& losses);
/// It says something, in UTF-8.
void expect_error_text(const Error& error);
/// The same of a request's, and not at length; its place stands in `body`, or
/// what it lacks would stand there.
void expect_error(const Error& error, std::string_view body);
/// `out` is at most `factor` times as long as `in`, but for a fixed part.
void expect_bounded(std::size_t in, std::size_t out, std::size_t factor,
                    std::string_view what);
bool is_utf8(std::string_view text);

/// Who speaks and who listens; all 36 pairs of the built-in dialects.
struct Pair {
  const Dialect* from;
  const Dialect* to;
};
Pair choose_pair(Input& input);

/// What the translation of an answer may know of the request.
RequestContext choose_context(Input& input);

/// Where a request for `model` is sent, for dialects that have it in the
/// path. The views live as long as `path`.
struct Place {
  std::string path;
  std::string query;
  RequestHead head() const;
};
Place place_of(const Dialect& dialect, std::string_view upstream_path);

/// What `dialect` reads in a request that we wrote; Broken when nothing.
ChatRequest read_own(const Dialect& dialect, const std::string& body,
                     std::string_view path);

}  // namespace llmproxy::fuzz
