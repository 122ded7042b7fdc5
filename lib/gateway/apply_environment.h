// Settings that stand in the environment rather than in the file: the names
// that hosting platforms and other proxies use.
#pragma once

#include "llmproxy/config.h"

namespace llmproxy::gateway {

/// Overrides what the file says, one variable each. Errors: invalid_request
/// that names the variable; it never repeats a key.
Result<void> apply_environment(const Environment& environment, Config& config);

}  // namespace llmproxy::gateway
