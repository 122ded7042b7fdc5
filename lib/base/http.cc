#include "llmproxy/http.h"

#include <algorithm>

#include "base/text.h"

namespace llmproxy {
bool same_header_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view find_header(const Headers& headers, std::string_view name) {
  for (const Header& header : headers) {
    if (same_header_name(header.name, name)) return header.value;
  }
  return {};
}

}  // namespace llmproxy
