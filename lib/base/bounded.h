// What a body makes us say about it is bounded: a client's names are of any
// length, and so is the list of what is lost.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/internal_api.h"
#include "llmproxy/loss.h"

LLMPROXY_INTERNAL_BEGIN
namespace llmproxy {

/// Bytes of a JSON pointer in a loss or an error. What is longer ends in "...".
inline constexpr std::size_t kMaxPointer = 256;
/// Bytes of the sentence beside it.
inline constexpr std::size_t kMaxSentence = 2048;
/// Losses of one translation; the last one says that there are more.
inline constexpr std::size_t kMaxLosses = 200;

/// `text`, or what fits of it with "..." behind; never half a character.
std::string cut_short(std::string text, std::size_t most);

/// Appends within the bounds above.
[[gnu::cold]] void add_loss(Losses& losses, Loss loss);

}  // namespace llmproxy
LLMPROXY_INTERNAL_END
