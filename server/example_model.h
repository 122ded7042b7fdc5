// A model to name in an example: one that the configuration serves, and where.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "llmproxy/config.h"

namespace llmproxy {

struct ExampleModel {
  std::string prefix;  ///< path that its requests begin with; "" = none
  std::string name;    ///< as a client says it
  /// Its backend asks with the client's own key.
  bool wants_key = false;
};

/// One that suits clients of `dialect` (empty = any): of what is named in full
/// before what a pattern is known to match, of real backends before the demo.
/// nullopt = only patterns, and nothing is known of what is behind them.
/// The name needs no quotes anywhere.
std::optional<ExampleModel> example_for(const Config& config,
                                        std::string_view dialect);

/// Where requests for `name` go, for clients of `dialect`; nullopt = nowhere.
std::optional<ExampleModel> place_of(const Config& config,
                                     std::string_view name,
                                     std::string_view dialect);

/// Names and patterns of a configuration, with their prefixes, for messages;
/// at most `most`. Not those that every backend has ("openai/*").
std::string served_names(const Config& config, std::size_t most);

}  // namespace llmproxy
