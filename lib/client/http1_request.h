// The head of a request over HTTP/1.1, as it is sent (RFC 9112, section 3).
#pragma once

#include <string>
#include <string_view>

#include "base/internal_api.h"
#include "llmproxy/result.h"
#include "llmproxy/transport.h"

LLMPROXY_INTERNAL_BEGIN
namespace llmproxy {

/// What a URL says that is sent to its host.
struct Http1Target {
  std::string path;         ///< and query: "/v1/models?limit=3"
  std::string host;         ///< for the header of that name
  std::string credentials;  ///< "user:password", decoded; empty = none
};

/// A header that may be sent. RFC 9110 5.1, 5.5: a line break would end the
/// header and start another, a NUL would cut it off. Errors: internal; the
/// message never shows a value: it may be a key.
Result<void> check_header(const Header& header);

/// A GET or HEAD: it may be sent again when nothing was answered (RFC 9110,
/// section 9.2.2).
bool is_repeatable(const UpstreamRequest& request);

/// Appends all up to the blank line. How the body is framed and whether more is
/// expected is for us to say: headers about that are left out. `agent` is sent
/// as user-agent where the request has none. Errors: those of check_header().
Result<void> write_http1_head(const UpstreamRequest& request,
                              const Http1Target& target, std::string_view agent,
                              std::string& out);

}  // namespace llmproxy
LLMPROXY_INTERNAL_END
