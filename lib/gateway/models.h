// GET /v1/models: which models there are, in the shape of the dialect that
// asks, as several APIs share the path.
#pragma once

#include "gateway/exchange.h"

namespace llmproxy::gateway {

/// Answers with all models that have a name of their own; patterns are no
/// names.
void list_models(Exchange& exchange);

/// Answers with the model in `exchange.tail`, listed or matched by a pattern.
void get_model(Exchange& exchange);

/// The error for a model that no route leads to.
Error unknown_model(std::string_view model);

}  // namespace llmproxy::gateway
