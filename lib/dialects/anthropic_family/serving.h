// What dialects with Anthropic's body have alike beside translation.
#pragma once

#include <array>
#include <string_view>

#include "llmproxy/dialect_serving.h"

namespace llmproxy::anthropic_family {

inline constexpr std::array<std::string_view, 1> kSystemMembers = {"system"};
inline constexpr std::array<std::string_view, 1> kProgressRoles = {"user"};
inline constexpr SystemShape kSystemShape = {
    .system = kSystemMembers,
    .in_string = true,
    .in_blocks = true,
    .new_system = "$",
    .turns = "messages",
    .content = "content",
    .new_part = R"({"type":"text","text":$})",
    .joined = kProgressRoles};

// Objects of the body whose unknown members are kept.
inline constexpr std::array<std::string_view, 1> kNestedObjects = {
    "output_config"};

}  // namespace llmproxy::anthropic_family
