// Files of tests/unit/data.
#pragma once

#include <string>

namespace llmproxy::testing {

/// The whole file; empty when there is none. `name` is relative to the data.
std::string read_data(const std::string& name);

}  // namespace llmproxy::testing
