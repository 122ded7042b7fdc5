// Unified line diff, for people who read a failed expectation.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace llmproxy::testing {

/// Lines of `want` that `have` lacks with "-", new ones with "+", three lines
/// of context around them. `first_line` is the line number that the first
/// line of `want` has in its file. Empty when both are equal.
std::string unified_diff(std::string_view want, std::string_view have,
                         std::size_t first_line = 1);

}  // namespace llmproxy::testing
