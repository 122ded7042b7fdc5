// The section `backends:` of the configuration.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "gateway/yaml.h"
#include "llmproxy/config.h"

namespace llmproxy::gateway {

/// What the section says.
struct BackendSections {
  std::vector<Backend> backends;
  /// Backends with a variable that is not set, and what to say about it once
  /// something refers to them: people keep sections for vendors whose key
  /// they have not got.
  std::map<std::string, Error, std::less<>> unusable;
};

Result<void> read_backends(const YamlNode& node, BackendSections& out);

std::vector<KeyShape> backend_keys();
inline constexpr Shape kBackendShape{.kind = ShapeKind::section,
                                     .keys = backend_keys};
inline constexpr Shape kBackendsShape{.kind = ShapeKind::map,
                                      .first = &kBackendShape};

std::vector<std::string_view> dialect_names();
inline constexpr Shape kDialectShape{.kind = ShapeKind::word,
                                     .words = dialect_names};
/// A dialect by its name.
Result<const Dialect*> read_dialect_name(const YamlNode& node);
/// A base URL, see base_url.h.
Result<std::string> read_url(const YamlNode& node);
/// True when `url` ends in a version such as /v1 or /v1beta.
bool ends_in_version(std::string_view url);

}  // namespace llmproxy::gateway
