// Comparing what a client sent with every key, without leaving early.
#include "gateway/auth.h"

#include <array>
#include <string_view>

namespace llmproxy::gateway {
namespace {

constexpr std::string_view kBearer = "Bearer ";

// RFC 9110, section 11.1: the scheme's name ignores case.
std::string_view bearer_token(std::string_view value) {
  if (value.size() < kBearer.size() ||
      !same_header_name(value.substr(0, kBearer.size()), kBearer)) {
    return {};
  }
  return value.substr(kBearer.size());
}

}  // namespace

bool is_authorized(const std::vector<Secret>& keys, const Headers& headers) {
  if (keys.empty()) return true;
  const std::array sent = {
      bearer_token(find_header(headers, "authorization")),
      find_header(headers, "x-api-key"),
  };
  bool found = false;
  for (const Secret& key : keys) {
    for (const std::string_view value : sent) {
      const bool equal = key.equals(value);
      found = found || (equal && !value.empty());
    }
  }
  return found;
}

}  // namespace llmproxy::gateway
