// Environment variables in configuration values: `${NAME}` and
// `${NAME:-default}`, with the shell's meaning of `:-`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "llmproxy/config.h"

namespace llmproxy::gateway {

/// Error::code where a variable is not set.
inline constexpr std::string_view kUnsetVariable = "unset_variable";

/// `text` with every `${...}` replaced. What a variable holds is not looked
/// at again. Errors: invalid_request with a message that names the variable;
/// it never repeats a value.
Result<std::string> substitute(std::string_view text,
                               const Environment& environment);

/// True where `name` is set by a file of with_dotenv() and not by the real
/// environment.
bool is_from_dotenv(const Environment& environment, const std::string& name);

/// "environment NAME" or ".env NAME", for people.
std::string origin_of_variable(const Environment& environment,
                               std::string_view name);

/// What may be the name of a variable.
bool is_name(std::string_view text);

/// Errors: invalid_request that names the file and the reason.
Result<std::string> read_whole_file(const std::string& file);

/// Names of the variables that `text` refers to.
std::vector<std::string> variables_of(std::string_view text);

}  // namespace llmproxy::gateway
