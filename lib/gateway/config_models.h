// The section `models:` of the configuration, in both of its spellings: a
// map from names to backends, and a list whose entries bring a backend each.
#pragma once

#include "gateway/config_backends.h"
#include "gateway/yaml.h"
#include "llmproxy/config.h"

namespace llmproxy::gateway {

/// Adds routes, and the backends of a list's entries, to `out`. Called once
/// `backends:` is read, wherever the two stand in the file.
Result<void> read_models(const YamlNode& node, const BackendSections& backends,
                         Config& out);

}  // namespace llmproxy::gateway
