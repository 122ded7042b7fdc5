// Client keys: who may use the gateway.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "llmproxy/config.h"
#include "llmproxy/gateway.h"

namespace llmproxy::gateway {

/// Which client a request is from: 0 where no key is asked for, else the
/// number of its key, from 1. nullopt = it may not come in.
///
/// A key may stand where any of the APIs has it: `authorization: Bearer`,
/// `x-api-key`, `x-goog-api-key`, `api-key`, or `key` in the query. Requests
/// signed for AWS are told by their access key id, which is compared with
/// `client_access_keys` like a key: their signature proves nothing here, as
/// the secret behind it is not ours to know. The time it takes says nothing
/// about the keys.
std::optional<std::uint64_t> find_client(const ServerConfig& server,
                                         const HttpRequest& request);

/// The id in "AWS4-HMAC-SHA256 Credential=ID/20260102/us-east-1/...", or empty.
std::string_view access_key_id(std::string_view authorization);

}  // namespace llmproxy::gateway
