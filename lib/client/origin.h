// Origin: scheme, host and port of a URL. What connections are pooled by, and
// the only part of a URL that error messages may show (queries and user names
// can hold keys).
#pragma once

#include <string>
#include <string_view>

#include "base/internal_api.h"
#include "llmproxy/result.h"

LLMPROXY_INTERNAL_BEGIN
namespace llmproxy {

struct Origin {
  std::string key;   ///< "https://api.example.com:8443"
  std::string host;  ///< "api.example.com:8443", for messages
  bool tls = false;
};

/// True when `url` has the scheme, host and port of `base` in the same
/// spelling, and nothing that URL readers understand differently. What is no
/// web address ("demo:") is a plain prefix.
bool same_origin(std::string_view base, std::string_view url);

/// Errors: internal, when the URL is not http:// or https:// with a host.
/// libcurl checks the rest when it connects.
Result<Origin> parse_origin(std::string_view url);

}  // namespace llmproxy
LLMPROXY_INTERNAL_END
