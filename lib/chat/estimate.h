// A guess at a prompt's size in tokens, for the places where a dialect
// reports input tokens before the upstream has counted them.
#pragma once

#include <cstdint>

#include "llmproxy/chat.h"

namespace llmproxy {

/// About four bytes of text a token, a fixed cost for an image, a few tokens
/// a message. Never 0. Tokens.
std::int64_t estimate_input_tokens(const ChatRequest& request);

}  // namespace llmproxy
