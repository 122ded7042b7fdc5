// Cross-origin requests from browsers [Fetch standard, "CORS protocol"].
#pragma once

#include <string_view>

#include "gateway/client_answer.h"
#include "llmproxy/config.h"

namespace llmproxy::gateway {

/// Headers that let the page that asks read the answer; none where its origin
/// is not configured, or where no page asks.
Headers cors_headers(const CorsConfig& cors, const HttpRequest& request);

/// True for the origins that `cors` names.
bool is_configured(const CorsConfig& cors, std::string_view origin);

/// A browser's question whether it may send a request.
bool is_preflight(const HttpRequest& request);
/// Yes, or why not, in the words of `dialect`.
void answer_preflight(const CorsConfig& cors, const HttpRequest& request,
                      const Dialect& dialect, ClientAnswer& answer);

}  // namespace llmproxy::gateway
