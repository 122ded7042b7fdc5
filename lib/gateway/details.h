// What was decided about a request, told to an Observer that asks for it.
// Names and addresses are told, values only where they are known to be
// nobody's secret.
#pragma once

#include "gateway/call.h"

namespace llmproxy::gateway {

/// The route of a chat call and why it was taken, where it goes, with which
/// headers, and what its request lost.
void tell_call(Exchange& exchange, const UpstreamCall& call);
/// The same of a request that is passed on as it is.
void tell_forwarded(Exchange& exchange, const Backend& backend,
                    const UpstreamRequest& request);
/// What an answer lost.
void tell_losses(Exchange& exchange, const Losses& losses);

}  // namespace llmproxy::gateway
