// "Did you mean ...?": the nearest of a few known words.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace llmproxy::gateway {

/// "; did you mean \"port\"?" when one of `known` is at most two typing
/// mistakes away from `word`, else empty. Appended to an error's message.
std::string did_you_mean(std::string_view word,
                         std::span<const std::string_view> known);

/// "a, b or c", for messages that list what is allowed.
std::string list_of(std::span<const std::string_view> words);

}  // namespace llmproxy::gateway
