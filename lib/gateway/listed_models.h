// What a client is told that there is: the names that are configured, and what
// backends say that they have, by the names that patterns give it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core.h"

namespace llmproxy::gateway {

struct ListedModel {
  std::string id;            ///< as a client asks for it
  std::string_view backend;  ///< lives as long as the Core
};

/// At most so many.
inline constexpr std::size_t kMaxListed = 20'000;

/// Those below a prefix; "" = those below none. Configured names first, in the
/// order of the configuration.
std::vector<ListedModel> listed_models(const Core& core,
                                       std::string_view prefix);

/// What a client says for `model` of a pattern's backend ("local/llama" for
/// "llama" where "local/*" leads to "*"); nullopt = the pattern does not lead
/// there. A pure function.
std::optional<std::string> client_name(const Route& pattern,
                                       std::string_view model);

}  // namespace llmproxy::gateway
