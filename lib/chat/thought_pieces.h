// Thoughts that come back in the pieces in which they were streamed.
#pragma once

#include <vector>

#include "llmproxy/chat.h"

namespace llmproxy {

/// Clients replay the chunks of a stream: the words of a thought unsigned, and
/// behind them its signature without words. Together they are the one thought
/// that was signed; a provider refuses its signature with other words.
/// Google's signatures are left alone: they belong to what stands behind them.
void join_thought_pieces(std::vector<ContentPart>& content);

}  // namespace llmproxy
