// Checks on base URLs. A key belongs to the host that is written here, so
// anything that makes the host hard to see is refused.
#include "gateway/base_url.h"

#include <algorithm>
#include <array>

namespace llmproxy::gateway {
namespace {

constexpr std::array<std::string_view, 2> kSchemes = {"https://", "http://"};

std::string_view behind_scheme(std::string_view url) {
  for (const std::string_view scheme : kSchemes) {
    if (url.starts_with(scheme)) return url.substr(scheme.size());
  }
  return {};
}

bool is_url_char(char c) { return c > ' ' && c < '\x7f' && c != '\\'; }

}  // namespace

std::string base_url_fault(std::string_view url) {
  if (url == kDemoScheme) return {};
  const std::string_view rest = behind_scheme(url);
  const std::string_view host = rest.substr(0, rest.find('/'));
  if (host.empty() || !std::all_of(url.begin(), url.end(), is_url_char)) {
    return "expected a URL such as https://api.example.com/v1";
  }
  if (host.find('@') != std::string_view::npos) {
    return "expected a URL without user or password; a key goes to api_key";
  }
  if (url.find_first_of("?#") != std::string_view::npos) {
    return "expected a URL without ? or #";
  }
  return {};
}

}  // namespace llmproxy::gateway
