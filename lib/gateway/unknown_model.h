// The error of a model that leads nowhere, and where it could have led.
#pragma once

#include <string_view>

#include "gateway/core.h"

namespace llmproxy::gateway {

/// Of a client that asks for `model` below `prefix` (empty = none).
Error unknown_model(const Core& core, std::string_view model,
                    std::string_view prefix);

}  // namespace llmproxy::gateway
