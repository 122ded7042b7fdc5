// Keys and the addresses they go to must come from the same hand: a file
// `.env` lies in whatever folder the proxy is started in.
#pragma once

#include <span>
#include <string_view>

#include "gateway/yaml.h"

namespace llmproxy::gateway {

/// Keys of a section.
struct SourceKeys {
  std::span<const std::string_view> places;  ///< say where requests go
  std::span<const std::string_view> secrets;
};

/// Errors: invalid_request where a place is made with a variable of a file
/// `.env`, and a secret is not.
Result<void> check_sources(const YamlNode& section, const SourceKeys& keys);

/// The same for a provider that is told by variables alone.
Result<void> check_sources(const Environment& environment,
                           std::span<const std::string_view> places,
                           std::span<const std::string_view> secrets);

}  // namespace llmproxy::gateway
