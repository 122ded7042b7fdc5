// Do two canonical values say the same? Used for round trips: decode, encode
// in another dialect, decode again. What differs must have been declared as a
// loss; facts.h says what counts as the same.
#pragma once

#include <string>
#include <string_view>

#include "llmproxy/chat.h"
#include "llmproxy/loss.h"

namespace llmproxy::testing {

/// What `after` says differently from `before` without a loss that excuses
/// it; empty when nothing.
std::string unexplained_difference(const ChatRequest& before,
                                   const ChatRequest& after,
                                   const Losses& losses);
std::string unexplained_difference(const ChatResponse& before,
                                   const ChatResponse& after,
                                   const Losses& losses);

/// True when one JSON pointer lies within the other.
bool related(std::string_view a, std::string_view b);

}  // namespace llmproxy::testing
