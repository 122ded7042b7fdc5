// Counting and cutting words, without any notion of language.
#include "client/demo/words.h"

#include <fmt/format.h>

namespace llmproxy::demo {
namespace {

constexpr std::string_view kSpaces = " \t\r\n";
constexpr std::string_view kPunctuation = ".,;:!?\"'`()[]{}<>*_";

}  // namespace

std::int64_t count_words(std::string_view text) {
  std::int64_t count = 0;
  std::size_t at = text.find_first_not_of(kSpaces);
  while (at != std::string_view::npos) {
    ++count;
    const std::size_t end = text.find_first_of(kSpaces, at);
    at = text.find_first_not_of(kSpaces, end);
  }
  return count;
}

std::string_view first_words(std::string_view text, std::int64_t limit) {
  std::size_t end = 0;
  for (std::int64_t i = 0; i < limit; ++i) {
    const std::size_t begin = text.find_first_not_of(kSpaces, end);
    if (begin == std::string_view::npos) return text;
    end = text.find_first_of(kSpaces, begin);
    if (end == std::string_view::npos) return text;
  }
  // White space behind the last word that fits belongs to the next one.
  const bool more = count_words(text.substr(end)) > 0;
  return more ? text.substr(0, end) : text;
}

std::string_view last_word(std::string_view text) {
  const std::size_t end =
      text.find_last_not_of(std::string(kSpaces) + std::string(kPunctuation));
  if (end == std::string_view::npos) return {};
  text = text.substr(0, end + 1);
  const std::size_t space = text.find_last_of(kSpaces);
  if (space != std::string_view::npos) text.remove_prefix(space + 1);
  const std::size_t begin = text.find_first_not_of(kPunctuation);
  return text.substr(begin);
}

std::string fingerprint(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3u;
  }
  return fmt::format("{:016x}", hash);
}

std::string_view cut_utf8(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text;
  // Continuation bytes are 10xxxxxx.
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xc0) == 0x80)
    --limit;
  return text.substr(0, limit);
}

}  // namespace llmproxy::demo
