// Answers that come in one piece.
#pragma once

#include "gateway/call.h"

namespace llmproxy::gateway {

/// Sends the request and relays the answer.
void answer_whole(Exchange& exchange, UpstreamCall& call);
/// Its two halves: the answer whatever its status (the request is freed), and
/// sending it on.
Result<UpstreamAnswer> fetch_whole(Exchange& exchange, UpstreamCall& call);
void relay_whole(Exchange& exchange, UpstreamCall& call,
                 Result<UpstreamAnswer> upstream);

}  // namespace llmproxy::gateway
