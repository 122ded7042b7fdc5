// What is served when no file says otherwise.
#pragma once

#include <string_view>

#include "llmproxy/config.h"

namespace llmproxy::gateway {

/// The demo, and every provider that can be reached: with the key and the
/// base URL of the environment; without a key where a client may bring its
/// own. Routes as add_usual_routes, natural names for those with a key only.
/// Errors: a variable whose value cannot be used.
Result<Config> default_backends(const Environment& environment);

/// Routes for configured backends: "NAME/..." for each, and the vendor's own
/// names of its models where the key is ours.
void add_usual_routes(Config& config);

/// Whose model has that name, as vendors name theirs; null = nobody known's.
const Provider* provider_of_name(std::string_view model);

}  // namespace llmproxy::gateway
