// The endpoints of model_paths.h: a request goes to the backend of its model
// in the form it has, with that backend's key and name for the model; the
// answer comes back as it is.
#pragma once

#include "gateway/exchange.h"

namespace llmproxy::gateway {

void answer_by_model(Exchange& exchange);

}  // namespace llmproxy::gateway
