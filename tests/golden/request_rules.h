// What a dialect's servers demand of a request, whatever it says: order of
// tool results, patterns of names and ids, fields that must not meet. Each
// broken one is a 400 that no retry helps.
#pragma once

#include <string>
#include <string_view>

#include "llmproxy/dialect.h"

namespace llmproxy::testing {

/// The first rule that `body`, a request of ours in `dialect`, breaks; empty
/// when it keeps them all.
std::string broken_request_rule(const Dialect& dialect,
                                const TargetTraits& traits,
                                std::string_view body);

}  // namespace llmproxy::testing
