// OutgoingCall: a canonical request made ready for a backend, and what is to
// be known when its answer comes.
#pragma once

#include "llmproxy/client.h"

namespace llmproxy {

struct OutgoingCall {
  const Dialect* dialect = nullptr;
  RequestContext context;
  UpstreamRequest request;
  Losses losses;  ///< of the request
};

/// Errors: invalid_request and unsupported, for what cannot be carried.
Result<OutgoingCall> prepare_call(const Backend& backend, ChatRequest request,
                                  bool stream, const CallOptions& options);

/// Adds `from` to `to`, which may be null.
void add_losses(const Losses& from, Losses* to);

}  // namespace llmproxy
