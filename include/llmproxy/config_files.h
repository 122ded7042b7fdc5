// What goes with a configuration file: its schema for editors, configurations
// of other programs, mistakes in a file `.env`.
//
//   std::puts(config_schema().c_str());
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "llmproxy/export.h"
#include "llmproxy/result.h"

LLMPROXY_EXPORT_BEGIN
namespace llmproxy {

/// JSON Schema (draft-07) of the files that load_config() reads, made of the
/// tables it reads them by.
std::string config_schema();

/// Lines of a file of with_dotenv() that cannot mean what they say, one text
/// each ("FILE:LINE: what is expected"); holds no value. A file that cannot be
/// read has none.
std::vector<std::string> dotenv_warnings(const std::string& file);

/// A file of another program, as one of ours.
struct ImportedConfig {
  /// For load_config(). Keys that stood in the other file stand here, too.
  std::string yaml = {};
  /// What has no equivalent here, and what was taken otherwise: a line each,
  /// for people.
  std::vector<std::string> notes = {};
};

/// A configuration of LiteLLM's proxy. `name` stands for the file in messages.
/// Errors: invalid_request for what is no such file.
Result<ImportedConfig> import_litellm(std::string_view yaml,
                                      std::string_view name);

}  // namespace llmproxy
LLMPROXY_EXPORT_END
