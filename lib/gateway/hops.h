// Loops: a request that comes back to a proxy it went out from. Each proxy
// adds a mark of its own to what it sends; who finds its own mark refuses.
#pragma once

#include "gateway/core.h"
#include "llmproxy/transport.h"

namespace llmproxy::gateway {

/// Holds the marks of the proxies a request went through, comma-separated.
inline constexpr std::string_view kHopsHeader = "x-llmproxy-hops";

/// Errors: invalid_request with status 508 [RFC 5842, section 7.2] for a
/// request that was here before, or went through more proxies than anybody
/// puts in a row.
Result<void> check_hops(const Core& core, const HttpRequest& request);

/// Adds our mark to those that `client` came with.
void mark_hop(const Core& core, const HttpRequest& client,
              UpstreamRequest& request);

}  // namespace llmproxy::gateway
