// What this binary was built from; filled by build_info.cmake.
#pragma once

#include <span>
#include <string_view>

namespace llmproxy {

struct BuildFact {
  std::string_view name;  ///< "commit"
  std::string_view value;
};

std::span<const BuildFact> build_facts();

}  // namespace llmproxy
