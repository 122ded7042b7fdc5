// Words, the demo model's tokens: maximal runs without white space.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace llmproxy::demo {

std::int64_t count_words(std::string_view text);

/// `text` up to the end of its `limit`-th word.
std::string_view first_words(std::string_view text, std::int64_t limit);

/// The last word without the punctuation around it; empty when there is none.
std::string_view last_word(std::string_view text);

/// 16 hexadecimal digits that depend on `text` alone (FNV-1a).
std::string fingerprint(std::string_view text);

/// `text` cut to at most `limit` bytes, never inside a character.
std::string_view cut_utf8(std::string_view text, std::size_t limit);

}  // namespace llmproxy::demo
