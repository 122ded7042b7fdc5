// A guess at a prompt's size in tokens, for the places where a dialect
// reports input tokens before the upstream has counted them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "base/internal_api.h"
#include "llmproxy/chat.h"

LLMPROXY_INTERNAL_BEGIN
namespace llmproxy {

/// Texts, thinking, calls, results and tools as token_count.h counts them, a
/// fixed cost for an image or a document, a few tokens a message. Never 0.
/// Where there is more text than `most` bytes, an even share of each text is
/// counted and stands for the whole.
std::int64_t estimate_input_tokens(
    const ChatRequest& request,
    std::size_t most = std::numeric_limits<std::size_t>::max());

}  // namespace llmproxy
LLMPROXY_INTERNAL_END
