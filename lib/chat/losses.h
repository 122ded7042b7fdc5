// The wording of losses: one pattern for all of them.
//
//   <who> does not take <thing>; dropped
//   <who> does not take <thing>; <what it became>
//
// `who` is a target ("OpenAI Chat") or a model ("the model gpt-5"); `thing` is
// what a reader of the API's reference would call it ("a seed", "cache
// markers"). Reasons are true: say whose limit it is.
#pragma once

#include <string>
#include <string_view>

#include "base/bounded.h"
#include "llmproxy/loss.h"

namespace llmproxy {

/// "<who> does not take <thing>; dropped"
[[gnu::cold]] void lose(Losses& losses, std::string path, std::string_view who,
                        std::string_view thing);
/// "<who> does not take <thing>; <became>", approximated.
[[gnu::cold]] void lose(Losses& losses, std::string path, std::string_view who,
                        std::string_view thing, std::string_view became);

}  // namespace llmproxy
