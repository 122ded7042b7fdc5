#include "base/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>

namespace llmproxy {
namespace {

constexpr std::string_view kUnreserved =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
constexpr std::string_view kHexDigits = "0123456789ABCDEF";
constexpr std::string_view kSextetSigns =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<bool, 256> kTokenChars = [] {
  std::array<bool, 256> out{};
  for (unsigned char c = 'a'; c <= 'z'; ++c) out[c] = true;
  for (unsigned char c = 'A'; c <= 'Z'; ++c) out[c] = true;
  for (unsigned char c = '0'; c <= '9'; ++c) out[c] = true;
  for (const unsigned char c : std::string_view("!#$%&'*+-.^_`|~")) {
    out[c] = true;
  }
  return out;
}();

/// What each character of base64 stands for, -1 = it is none. URL-safe base64
/// is read too.
constexpr std::array<int, 256> kSextets = [] {
  std::array<int, 256> table{};
  table.fill(-1);
  for (std::size_t i = 0; i < kSextetSigns.size(); ++i) {
    table[static_cast<unsigned char>(kSextetSigns[i])] = static_cast<int>(i);
  }
  table['-'] = table['+'];
  table['_'] = table['/'];
  return table;
}();

}  // namespace

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = lower(c);
  return out;
}

std::string_view trimmed(std::string_view text, std::string_view blanks) {
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return trimmed_right(text.substr(first), blanks);
}

std::string_view trimmed_right(std::string_view text, std::string_view blanks) {
  return text.substr(0, text.find_last_not_of(blanks) + 1);
}

bool listed(std::span<const std::string_view> words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return kTokenChars[static_cast<unsigned char>(c)];
  });
}

std::string percent_decoded(std::string_view text) {
  constexpr std::size_t kEscape = 3;  // "%2F"
  std::string out;
  while (!text.empty()) {
    unsigned value = 0;
    const char* const digits = text.data() + 1;
    const char* const end = text.data() + kEscape;
    const bool escaped = text.size() >= kEscape && text[0] == '%' &&
                         std::from_chars(digits, end, value, 16).ptr == end;
    out += escaped ? static_cast<char>(value) : text[0];
    text.remove_prefix(escaped ? kEscape : 1);
  }
  return out;
}

std::string percent_encoded(std::string_view text, std::string_view also_kept) {
  std::string out;
  for (const char c : text) {
    if (kUnreserved.find(c) != std::string_view::npos ||
        also_kept.find(c) != std::string_view::npos) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kHexDigits[byte >> 4];
    out += kHexDigits[byte & 15];
  }
  return out;
}

bool append_decoded_base64(std::string_view text, std::string& out) {
  out.reserve(out.size() + text.size() / 4 * 3 + 3);
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '\r' || c == '\n' || c == ' ' || c == '\t') continue;
    if (c == '=') break;
    const int value = kSextets[static_cast<unsigned char>(c)];
    if (value < 0) return false;
    bits = (bits << 6) | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>((bits >> count) & 0xFF);
    }
  }
  return true;
}

std::optional<std::string> decode_base64(std::string_view text) {
  std::string out;
  if (!append_decoded_base64(text, out)) return std::nullopt;
  return out;
}

void append_base64(std::string_view bytes, std::string& out) {
  out.reserve(out.size() + (bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t bits = 0;
    const std::size_t length = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t k = 0; k < 3; ++k) {
      bits <<= 8;
      if (k < length) bits |= static_cast<unsigned char>(bytes[i + k]);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      out += k <= length ? kSextetSigns[(bits >> (18 - 6 * k)) & 63] : '=';
    }
  }
}

std::string encode_base64(std::string_view bytes) {
  std::string out;
  append_base64(bytes, out);
  return out;
}

}  // namespace llmproxy
