#include "gateway/percent.h"

#include <charconv>

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

}  // namespace llmproxy::gateway
