// Cross-origin requests from browsers [Fetch standard, "CORS protocol"].
#pragma once

#include "gateway/answer.h"
#include "llmproxy/config.h"

namespace llmproxy::gateway {

/// Headers that let the page that asks read the answer; none where its origin
/// is not configured, or where no page asks.
Headers cors_headers(const CorsConfig& cors, const HttpRequest& request);

/// True when a web page asks that nobody configured, and no key would keep it
/// out: any page a user visits could use a proxy on their own machine. Pages
/// of that machine, and of programs that are no browsers, may.
bool is_foreign_page(const ServerConfig& server, const HttpRequest& request);

/// A browser's question whether it may send a request.
bool is_preflight(const HttpRequest& request);
void answer_preflight(const CorsConfig& cors, const HttpRequest& request,
                      Answer& answer);

}  // namespace llmproxy::gateway
