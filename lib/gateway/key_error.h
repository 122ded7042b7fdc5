// The error of a client without a key of ours: whether it sent none, or one
// that nobody knows here.
#pragma once

#include "llmproxy/dialect.h"
#include "llmproxy/gateway.h"

namespace llmproxy::gateway {

/// Of a request that find_client() knows nobody of. Never repeats a key.
Error key_error(const Dialect& dialect, const HttpRequest& request);

}  // namespace llmproxy::gateway
