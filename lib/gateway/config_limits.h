// The section `rate_limiting:` of the configuration.
#pragma once

#include "gateway/yaml.h"
#include "llmproxy/config.h"

namespace llmproxy::gateway {

Result<void> read_limits(const YamlNode& node, LimitRules& out);

}  // namespace llmproxy::gateway
