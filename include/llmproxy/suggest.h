// "Did you mean ...?": the nearest of a few known words, for messages about
// what somebody typed.
//
//   std::string text = "unknown key" + did_you_mean(key, known);
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "llmproxy/export.h"

LLMPROXY_EXPORT_BEGIN
namespace llmproxy {

/// "; did you mean \"port\"?" when one of `known` is at most two typing
/// mistakes away from `word` (capitals are none), else empty. Appended to an
/// error's message.
std::string did_you_mean(std::string_view word,
                         std::span<const std::string_view> known);

/// "a, b or c", for messages that list what is allowed.
std::string list_of(std::span<const std::string_view> words);

}  // namespace llmproxy
LLMPROXY_EXPORT_END
