// Web pages at a proxy that asks for no keys: any page that a user visits can
// send requests to the user's own machine, and one whose host's name suddenly
// leads there can read the answers too (DNS rebinding).
#pragma once

#include <string_view>

#include "llmproxy/config.h"
#include "llmproxy/gateway.h"

namespace llmproxy::gateway {

/// Code of the error for a page that `cors` does not name: what the log says.
inline constexpr std::string_view kForeignOrigin = "origin_not_in_cors_origins";

/// Errors: permission_denied for what a browser may have sent on behalf of a
/// page that nobody configured. Programs that are no browsers send none of the
/// headers that are looked at, but for `host`. Where keys are asked for, they
/// keep pages out, and everything passes here.
Result<void> check_page(const ServerConfig& server, const HttpRequest& request);

}  // namespace llmproxy::gateway
