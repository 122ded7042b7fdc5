// Environment variables in configuration values: `${NAME}` and
// `${NAME:-default}`, with the shell's meaning of `:-`.
#pragma once

#include <string>
#include <string_view>

#include "llmproxy/config.h"

namespace llmproxy::gateway {

/// `text` with every `${...}` replaced. What a variable holds is not looked
/// at again. Errors: invalid_request with a message that names the variable;
/// it never repeats a value.
Result<std::string> substitute(std::string_view text,
                               const Environment& environment);

}  // namespace llmproxy::gateway
