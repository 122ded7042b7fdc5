#include "chat/token_count.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace llmproxy {
namespace {

enum class Kind : std::uint8_t {
  upper,
  lower,
  digit,
  blank,
  line_end,
  sign,
  lead,  ///< first byte of a character beyond ASCII
  more,  ///< its other bytes
};

constexpr std::array<Kind, 256> kKinds = [] {
  std::array<Kind, 256> kinds{};
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    const bool upper = i >= 'A' && i <= 'Z';
    const bool lower = i >= 'a' && i <= 'z';
    const bool digit = i >= '0' && i <= '9';
    kinds[i] = upper                    ? Kind::upper
               : lower                  ? Kind::lower
               : digit                  ? Kind::digit
               : i == ' ' || i == '\t'  ? Kind::blank
               : i == '\n' || i == '\r' ? Kind::line_end
               : i < 0x80               ? Kind::sign
               : i < 0xC0               ? Kind::more
                                        : Kind::lead;
  }
  return kinds;
}();

// In hundredths of a token, found by fitting prose, code and JSON.
constexpr std::size_t kToken = 100;
constexpr std::size_t kLineEnds = 50;     // any number of them
constexpr std::size_t kIndentation = 60;  // two blanks and more
constexpr std::size_t kBeyondAscii = 70;  // a character
constexpr std::size_t kShortWord = 9;     // letters in one token
constexpr std::size_t kWordPiece = 5;     // letters a token, of longer words
constexpr std::size_t kDigits = 3;        // a token
// Signs stand together by two and a half: "});" is one and a half of them.
constexpr std::size_t kSigns = 5;
constexpr std::size_t kSignTokens = 2;

Kind kind_at(std::string_view text, std::size_t at) {
  return kKinds[static_cast<unsigned char>(text[at])];
}

/// End of characters of one kind that begin at `at`.
std::size_t end_of(Kind kind, std::string_view text, std::size_t at) {
  while (at < text.size() && kind_at(text, at) == kind) ++at;
  return at;
}

/// End of the run at `at`; a capital behind a small letter begins a word.
std::size_t end_of_run(std::string_view text, std::size_t at) {
  const Kind first = kind_at(text, at);
  const std::size_t end = end_of(first, text, at + 1);
  return first == Kind::upper ? end_of(Kind::lower, text, end) : end;
}

std::size_t cost(Kind kind, std::size_t size) {
  switch (kind) {
    case Kind::upper:
    case Kind::lower:
      return size <= kShortWord
                 ? kToken
                 : kToken + (size - kShortWord) * kToken / kWordPiece;
    case Kind::digit:
      return (size + kDigits - 1) / kDigits * kToken;
    case Kind::blank:
      return size > 1 ? kIndentation : 0;
    case Kind::line_end:
      return kLineEnds;
    case Kind::sign:
      return (size * kSignTokens + kSigns - 1) / kSigns * kToken;
    case Kind::lead:
      return size * kBeyondAscii;
    case Kind::more:
      return 0;
  }
  return 0;
}

std::size_t hundredths(std::string_view text) {
  std::size_t sum = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = end_of_run(text, at);
    sum += cost(kind_at(text, at), end - at);
    at = end;
  }
  return sum;
}

constexpr std::size_t kWhole = std::size_t{64} << 10;
constexpr std::size_t kSamples = 16;
constexpr std::size_t kSample = kWhole / kSamples;

}  // namespace

std::size_t count_tokens_of(std::string_view text) {
  if (text.size() <= kWhole) return (hundredths(text) + kToken - 1) / kToken;
  std::size_t sum = 0;
  for (std::size_t i = 0; i < kSamples; ++i) {
    const std::size_t at = (text.size() - kSample) / (kSamples - 1) * i;
    sum += hundredths(text.substr(at, kSample));
  }
  // Divided first: the product would not fit for the largest texts.
  return sum / kToken * (text.size() / kWhole) +
         sum / kToken * (text.size() % kWhole) / kWhole;
}

}  // namespace llmproxy
