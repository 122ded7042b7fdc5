#include "client/origin.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "client/transfer_error.h"

namespace llmproxy {
namespace {

struct Scheme {
  std::string_view prefix;
  bool tls;
};
constexpr std::array kSchemes = {Scheme{"https://", true},
                                 Scheme{"http://", false}};

/// "https://api.example.com:8443" of a URL; all of what has no such part.
std::string_view origin_part(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return url;
  const auto* host = url.data() + std::min(scheme + 3, url.size());
  const auto* end = std::find_if(host, url.data() + url.size(), [](char c) {
    return c == '/' || c == '?' || c == '#';
  });
  return url.substr(0, static_cast<std::size_t>(end - url.data()));
}

// Some readers of URLs end a host at a backslash, skip blanks or tabs, or
// end the text at a NUL; others do not.
constexpr std::array<bool, 256> kUnclear = [] {
  std::array<bool, 256> out{};
  for (std::size_t c = 0; c <= ' '; ++c) out[c] = true;
  out[0x7f] = true;
  out['\\'] = true;
  return out;
}();

bool is_clear(std::string_view url) {
  return std::none_of(url.begin(), url.end(),
                      [](unsigned char c) { return kUnclear[c]; });
}

}  // namespace

bool same_origin(std::string_view base, std::string_view url) {
  const std::string_view origin = origin_part(base);
  if (origin.empty() || !url.starts_with(origin) || !is_clear(url)) {
    return false;
  }
  const std::string_view rest = url.substr(origin.size());
  // Else the host goes on: "https://api.example.com" + ".evil.test".
  return rest.empty() || rest.front() == '/' || rest.front() == '?';
}

Result<Origin> parse_origin(std::string_view url) {
  for (const Scheme& scheme : kSchemes) {
    if (!url.starts_with(scheme.prefix)) continue;
    // Connections are kept by what is read here: libcurl must read the same.
    if (!is_clear(url)) break;
    std::string_view host = url.substr(scheme.prefix.size());
    host = host.substr(0, host.find_first_of("/?#"));
    // "user:password@host": the name before the @ is nobody's business.
    host = host.substr(host.rfind('@') + 1);
    if (host.empty()) break;
    return Origin{std::string(scheme.prefix).append(host), std::string(host),
                  scheme.tls};
  }
  // The URL itself stays out of the message: its query may hold a key.
  return internal_error(
      "the backend's base URL must start with http:// or https:// and name a "
      "host");
}

}  // namespace llmproxy
