// Files of tests/unit/data.
#pragma once

#include <fstream>
#include <iterator>
#include <string>

namespace llmproxy::testing {

/// The whole file; empty when there is none. `name` is relative to the data.
inline std::string read_data(const std::string& name) {
  std::ifstream file(std::string(LLMPROXY_TEST_DATA "/") + name,
                     std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace llmproxy::testing
