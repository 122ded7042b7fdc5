// What is served when no file says otherwise.
#pragma once

#include "llmproxy/config.h"

namespace llmproxy::gateway {

/// The demo, and every provider that can be reached: with the key and the
/// base URL of the environment; without a key where a client may bring its
/// own. Routes as add_usual_routes, natural names for those with a key only.
Config default_backends(const Environment& environment);

/// Routes for configured backends: "NAME/..." for each, and the vendor's own
/// names of its models where the key is ours.
void add_usual_routes(Config& config);

}  // namespace llmproxy::gateway
