// Client keys: who may use the gateway.
#pragma once

#include <vector>

#include "llmproxy/http.h"
#include "llmproxy/provider.h"

namespace llmproxy::gateway {

/// True when `headers` carry one of `keys`, as `authorization: Bearer` or as
/// `x-api-key` (SDKs send one, the other or both), or when there are no keys.
/// The time it takes says nothing about the keys.
bool is_authorized(const std::vector<Secret>& keys, const Headers& headers);

}  // namespace llmproxy::gateway
