// A guess at a prompt's size in tokens, for the places where a dialect
// reports input tokens before the upstream has counted them.
#pragma once

#include <cstdint>

#include "base/internal_api.h"
#include "llmproxy/chat.h"

namespace LLMPROXY_INTERNAL_API llmproxy {

/// Texts, thinking, calls, results and tools as token_count.h counts them, a
/// fixed cost for an image or a document, a few tokens a message. Never 0.
std::int64_t estimate_input_tokens(const ChatRequest& request);

}  // namespace llmproxy
