// What Anthropic's body and lists need beside translation.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "llmproxy/dialect_serving.h"

namespace llmproxy::claude {

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

void write_model(const ModelEntry& model, std::string& out);
void write_model_list(std::span<const ModelEntry> page, bool more,
                      std::string& out);

}  // namespace llmproxy::claude
