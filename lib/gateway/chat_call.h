// A chat call: from a client's request to the upstream's, and its answer.
#pragma once

#include "gateway/exchange.h"

namespace llmproxy::gateway {

/// The endpoint of every path of Operation::chat.
void answer_chat(Exchange& exchange);

}  // namespace llmproxy::gateway
