// Endpoints: the table of methods and paths, and who answers them.
#pragma once

#include "gateway/answer.h"
#include "gateway/core.h"

namespace llmproxy::gateway {

/// Finds the endpoint of `request`, checks the client's key and the size of
/// the body, and has the request answered.
void dispatch(const Core& core, HttpRequest request, Answer& answer);

}  // namespace llmproxy::gateway
