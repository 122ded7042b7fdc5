// What a configured base URL must look like.
#pragma once

#include <string>
#include <string_view>

namespace llmproxy::gateway {

/// URLs with this scheme are answered by make_demo_transport().
inline constexpr std::string_view kDemoScheme = "demo:";

/// What is wrong with `url` as a base URL; empty = nothing.
std::string base_url_fault(std::string_view url);

}  // namespace llmproxy::gateway
