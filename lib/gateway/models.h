// GET /v1/models: which models there are, in the shape of the dialect that
// asks, as several APIs share the path.
#pragma once

#include "gateway/exchange.h"

namespace llmproxy::gateway {

/// Answers with the configured names, and with what backends say that patterns
/// lead to; all of them, or the page that the client asks for in its own way.
void list_models(Exchange& exchange);

/// Answers with the model in `exchange.tail`, listed or matched by a pattern.
void get_model(Exchange& exchange);

}  // namespace llmproxy::gateway
