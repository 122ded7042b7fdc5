// How many tokens a request has: asked of the upstream where it speaks the
// client's dialect, else estimated.
#pragma once

#include "gateway/exchange.h"

namespace llmproxy::gateway {

/// The endpoints of every dialect's client_paths with count_tokens.
void count_tokens(Exchange& exchange);

}  // namespace llmproxy::gateway
