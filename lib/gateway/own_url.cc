#include "gateway/own_url.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace llmproxy::gateway {
namespace {

/// Names have 253 characters at most; then a port.
constexpr std::size_t kLongestHost = 260;

bool is_authority(std::string_view text) {
  return !text.empty() && text.size() <= kLongestHost &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' ||
                  c == ':' || c == '[' || c == ']';
         });
}

}  // namespace

std::string own_url(const HttpRequest& request) {
  const std::string_view host = find_header(request.headers, "host");
  if (!is_authority(host)) return {};
  const bool secure =
      find_header(request.headers, "x-forwarded-proto") == "https";
  return std::string(secure ? "https://" : "http://").append(host);
}

}  // namespace llmproxy::gateway
