// What a request is for (RFC 9112, section 3.2): its target and its Host.
// Whatever is neither of these forms must not get as far as a URL that is
// built from it. Pure functions of text; no sockets.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "llmproxy/gateway.h"
#include "llmproxy/http.h"
#include "llmproxy/result.h"

namespace llmproxy {

/// A request's target, taken apart.
struct RequestTarget {
  std::string path;   ///< begins with "/", or is "*"
  std::string query;  ///< without "?"
  /// Host and port of an absolute target; empty = it has none.
  std::string authority;
};
/// Understands "/path?query", "http://host/path?query" and, for OPTIONS, "*".
/// nullopt = anything else, a fragment among it.
std::optional<RequestTarget> parse_target(std::string_view method,
                                          std::string_view text);

/// host [":" port] as RFC 9110, section 7.2, has it, with a host in it.
bool is_authority(std::string_view text);

/// Checks that a request says which host it means, once; gives an absolute
/// target's host the say (RFC 9112, section 3.2.2). `own_host` is what the
/// server listens on. Errors: invalid_request.
Result<void> settle_host(const RequestTarget& target, bool http10,
                         std::string_view own_host, Headers& headers);

/// Methods that make a proxy show or open what is not the client's
/// (RFC 9110, sections 9.3.6 and 9.3.8).
bool is_refused_method(std::string_view method);
/// Those that are taken, for the header `allow`.
inline constexpr std::string_view kTakenMethods =
    "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/// Takes out the headers that `connection` names: they are for this
/// connection alone (RFC 9110, section 7.6.1).
void drop_connection_headers(Headers& headers);

}  // namespace llmproxy
