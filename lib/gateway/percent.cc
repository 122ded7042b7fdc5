#include "gateway/percent.h"

#include <charconv>
#include <cstddef>

namespace llmproxy::gateway {

std::string percent_decoded(std::string_view text) {
  constexpr std::size_t kEscape = 3;  // "%2F"
  std::string out;
  while (!text.empty()) {
    unsigned value = 0;
    const char* digits = text.data() + 1;
    const char* end = text.data() + kEscape;
    const bool escaped = text.size() >= kEscape && text[0] == '%' &&
                         std::from_chars(digits, end, value, 16).ptr == end;
    out += escaped ? static_cast<char>(value) : text[0];
    text.remove_prefix(escaped ? kEscape : 1);
  }
  return out;
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kUnreserved =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (kUnreserved.find(c) != std::string_view::npos) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

std::string query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    const std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == name) {
      return percent_decoded(pair.substr(equals + 1));
    }
    if (end == std::string_view::npos) break;
    query.remove_prefix(end + 1);
  }
  return {};
}

}  // namespace llmproxy::gateway
