// Where requests may go: to the host of their backend and nowhere else.
#pragma once

#include "client/key_header.h"
#include "gateway/exchange.h"
#include "gateway/hops.h"
#include "llmproxy/provider.h"
#include "llmproxy/result.h"

namespace llmproxy::gateway {

/// The last look at a request before it goes out, and the mark that it was
/// here. Errors: invalid_request when its URL does not lead to `backend`,
/// whatever made it so.
inline Result<void> see_off(const Exchange& exchange, const Backend& backend,
                            UpstreamRequest& request) {
  mark_hop(exchange.core, exchange.request, request);
  if (leads_to(backend, request.url)) return {};
  return invalid_request("the path does not lead to the backend's host");
}

}  // namespace llmproxy::gateway
