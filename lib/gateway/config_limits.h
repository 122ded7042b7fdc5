// The section `rate_limiting:` of the configuration.
#pragma once

#include "gateway/yaml.h"
#include "llmproxy/config.h"

namespace llmproxy::gateway {

Result<void> read_limits(const YamlNode& node, LimitRules& out);

std::vector<KeyShape> limit_keys();
inline constexpr Shape kLimitsShape{.kind = ShapeKind::section,
                                    .keys = limit_keys};

}  // namespace llmproxy::gateway
