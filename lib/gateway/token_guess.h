// Guesses how many tokens a request takes, for limits: cheap, never asks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "llmproxy/limits.h"

namespace llmproxy::gateway {

/// Tokens of a request whose body has `body_bytes` and, in what is said in
/// it, `text_chars`; the latter is not looked at when the body is larger than
/// the settings' sample. At least 1 when there is anything, else 0.
std::int64_t guess_tokens(const TokenEstimation& estimation,
                          std::string_view provider, std::size_t body_bytes,
                          std::size_t text_chars);

}  // namespace llmproxy::gateway
