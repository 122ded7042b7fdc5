// What a client sent to show who it is: keys of ours, which never leave, and
// credentials of its own for an upstream.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "llmproxy/config.h"
#include "llmproxy/gateway.h"

namespace llmproxy::gateway {

/// True when `value` is one of the proxy's own keys, or a signature made with
/// one of its access key ids; time as Secret::equals.
bool is_client_key(const ServerConfig& server, std::string_view value);

/// The first credential that is the client's own, without its scheme:
/// `authorization: Bearer`, `x-api-key`, `x-goog-api-key`, `api-key`, then
/// `key` in the query. Empty = it sent none, or only a key of ours.
std::string_view own_credential(const ServerConfig& server,
                                const HttpRequest& request);

/// Every credential that a client sent, ours and its own, without schemes;
/// views into `request`.
std::vector<std::string_view> credentials_of(const HttpRequest& request);

/// Calls `use` with the value of each "name=value" of a query.
void each_query_value(std::string_view query,
                      const std::function<void(std::string_view)>& use);

/// True for the names of the headers above.
bool is_credential_header(std::string_view name);
/// True when there is one among `headers`.
bool has_credential(const Headers& headers);

/// Whether the credentials that are the client's own go on.
enum class OwnCredentials : bool { dropped, passed };

/// `request`'s headers as they may be passed on: without those of the
/// connection, and without keys of ours.
Headers passable_headers(const ServerConfig& server, const HttpRequest& request,
                         OwnCredentials own);
/// `request`'s query without a key of ours.
std::string passable_query(const ServerConfig& server,
                           const HttpRequest& request, OwnCredentials own);

}  // namespace llmproxy::gateway
