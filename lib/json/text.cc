#include "json/text.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

namespace llmproxy::json {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Skips digits; the number of them.
std::size_t digits(std::string_view text, std::size_t& at) {
  const std::size_t start = at;
  while (at < text.size() && is_digit(text[at])) ++at;
  return at - start;
}

bool continuation(std::string_view text, std::size_t at) {
  return at < text.size() &&
         (static_cast<unsigned char>(text[at]) & 0xC0u) == 0x80u;
}

/// Length of the UTF-8 sequence at `at`, or 0 when it is none (overlong
/// forms, surrogates and values above U+10FFFF are none).
std::size_t sequence_length(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  for (std::size_t i = 1; i < length; ++i) {
    if (!continuation(text, at + i)) return 0;
  }
  const auto second = static_cast<unsigned char>(text[at + 1]);
  if (lead == 0xE0 && second < 0xA0) return 0;
  if (lead == 0xED && second >= 0xA0) return 0;
  if (lead == 0xF0 && second < 0x90) return 0;
  if (lead == 0xF4 && second >= 0x90) return 0;
  return length;
}

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// The four hex digits of \uXXXX starting at `at`, or -1.
std::int32_t code_unit(std::string_view text, std::size_t at) {
  if (at + 4 > text.size()) return -1;
  std::int32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const int digit = hex_digit(text[at + i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

/// The character a one-letter escape stands for, or 0.
char simple_escape(char letter) {
  switch (letter) {
    case '"':
    case '\\':
    case '/':
      return letter;
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return 0;
  }
}

/// The letter that stands for a character, or 0: it is written as \uXXXX.
char escape_letter(char c) {
  switch (c) {
    case '"':
    case '\\':
      return c;
    case '\b':
      return 'b';
    case '\f':
      return 'f';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    default:
      return 0;
  }
}

constexpr std::uint64_t kOnes = 0x0101010101010101u;
constexpr std::uint64_t kHighBits = 0x8080808080808080u;

/// Whether bytes beyond ASCII are looked for too.
enum class Beyond : bool { skip, find };

/// Which of eight characters a JSON string cannot hold as they are: below
/// 0x20, quotes, backslashes. The lowest bit set marks the first of them; a bit
/// above it may be set by the borrow.
template <Beyond kBeyond>
std::uint64_t special_bits(std::uint64_t eight) {
  const std::uint64_t quotes = eight ^ (kOnes * '"');
  const std::uint64_t slashes = eight ^ (kOnes * '\\');
  const std::uint64_t bits = ((eight - kOnes * 0x20) & ~eight) |
                             ((quotes - kOnes) & ~quotes) |
                             ((slashes - kOnes) & ~slashes);
  return (kBeyond == Beyond::find ? bits | eight : bits) & kHighBits;
}

/// Where the first special character stands, or the text's size. Eight at a
/// time: texts are long and escapes are rare.
template <Beyond kBeyond = Beyond::skip>
std::size_t find_special(std::string_view text, std::size_t at) {
  static_assert(std::endian::native == std::endian::little);
  constexpr std::size_t kStep = sizeof(std::uint64_t);
  for (; at < text.size(); at += kStep) {
    std::uint64_t eight = 0;  // behind the text: special, and cut off below
    if (at + kStep <= text.size()) {
      std::memcpy(&eight, text.data() + at, kStep);
    } else {
      std::memcpy(&eight, text.data() + at, text.size() - at);
    }
    if (const std::uint64_t bits = special_bits<kBeyond>(eight)) {
      const auto first = static_cast<std::size_t>(std::countr_zero(bits)) / 8;
      return std::min(at + first, text.size());
    }
  }
  return text.size();
}

constexpr char32_t kReplacement = 0xFFFD;

/// Reads \uXXXX (and its partner) at `at`, which points behind the 'u'.
bool unescape_unicode(std::string_view text, std::size_t& at,
                      std::string& out) {
  const std::int32_t unit = code_unit(text, at);
  if (unit < 0) return false;
  at += 4;
  if (unit < 0xD800 || unit > 0xDFFF) {
    append_utf8(out, static_cast<char32_t>(unit));
    return true;
  }
  if (unit < 0xDC00 && text.substr(at, 2) == "\\u") {
    const std::int32_t low = code_unit(text, at + 2);
    if (low >= 0xDC00 && low <= 0xDFFF) {
      at += 6;
      append_utf8(out, static_cast<char32_t>(0x10000 + ((unit - 0xD800) << 10) +
                                             (low - 0xDC00)));
      return true;
    }
  }
  append_utf8(out, kReplacement);
  return true;
}

}  // namespace

bool is_number_text(std::string_view text) {
  std::size_t at = 0;
  if (at < text.size() && text[at] == '-') ++at;
  const std::size_t first = at;
  const std::size_t whole = digits(text, at);
  if (whole == 0 || (whole > 1 && text[first] == '0')) return false;
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (digits(text, at) == 0) return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (digits(text, at) == 0) return false;
  }
  return at == text.size();
}

std::size_t valid_utf8_prefix(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t length = sequence_length(text, at);
    if (length == 0) break;
    at += length;
  }
  return at;
}

std::string replace_invalid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 8);
  while (!text.empty()) {
    const std::size_t valid = valid_utf8_prefix(text);
    out.append(text.substr(0, valid));
    text.remove_prefix(valid);
    if (text.empty()) break;
    append_utf8(out, kReplacement);
    text.remove_prefix(1);
    while (!text.empty() && continuation(text, 0)) text.remove_prefix(1);
  }
  return out;
}

void append_utf8(std::string& out, char32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | (c >> 6));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | (c >> 12));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (c >> 18));
    out += static_cast<char>(0x80 | ((c >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  }
}

bool unescape(std::string_view text, std::string& out) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = find_special(text, at);
    out.append(text.substr(at, end - at));
    if (end == text.size()) return true;
    // The others may not stand in a string.
    if (text[end] != '\\' || end + 1 == text.size()) return false;
    const char letter = text[end + 1];
    at = end + 2;
    if (letter == 'u') {
      if (!unescape_unicode(text, at, out)) return false;
    } else if (const char plain = simple_escape(letter)) {
      out += plain;
    } else {
      return false;
    }
  }
  return true;
}

namespace {

/// `c` as what a string holds instead of it.
void append_escape(std::string& out, char c) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  if (const char letter = escape_letter(c)) {
    const std::array escape = {'\\', letter};
    out.append(escape.data(), escape.size());
    return;
  }
  const auto code = static_cast<unsigned char>(c);
  const std::array escape = {'\\',           'u', '0', '0', kHex[code >> 4],
                             kHex[code & 15]};
  out.append(escape.data(), escape.size());
}

void append_valid(std::string& out, std::string_view text) {
  for (std::size_t at = 0;; ++at) {
    const std::size_t end = find_special(text, at);
    out.append(text.substr(at, end - at));
    if (end == text.size()) return;
    at = end;
    append_escape(out, text[at]);
  }
}

}  // namespace

void append_escaped(std::string& out, std::string_view text) {
  for (std::size_t at = 0;; ++at) {
    const std::size_t end = find_special<Beyond::find>(text, at);
    out.append(text.substr(at, end - at));
    if (end == text.size()) return;
    at = end;
    if (static_cast<unsigned char>(text[at]) >= 0x80) {
      // From the first of them on it must be UTF-8.
      text.remove_prefix(at);
      if (is_utf8(text)) return append_valid(out, text);
      return append_valid(out, replace_invalid_utf8(text));
    }
    append_escape(out, text[at]);
  }
}

void append_without_whitespace(std::string& out, std::string_view json) {
  constexpr std::string_view kBlanks = " \t\r\n";
  // Whole runs, since most of it has none.
  std::size_t run = 0;
  bool in_string = false;
  for (std::size_t at = 0; at < json.size(); ++at) {
    const char c = json[at];
    if (c == '"') {
      in_string = !in_string;
    } else if (in_string) {
      at += c == '\\' ? 1 : 0;
    } else if (kBlanks.find(c) != std::string_view::npos) {
      out.append(json, run, at - run);
      run = at + 1;
    }
  }
  out.append(json.substr(std::min(run, json.size())));
}

std::string without_whitespace(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  append_without_whitespace(out, json);
  return out;
}

}  // namespace llmproxy::json
