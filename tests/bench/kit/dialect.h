// The six dialects as the tools of the benchmark know them.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace llmproxy::bench {

enum class Dialect {
  openai_chat,
  openai_responses,
  claude,
  gemini,
  bedrock,
  bedrock_converse,
};

/// In the order of the enum.
constexpr std::array<std::string_view, 6> kDialectNames = {
    "openai-chat", "openai-responses", "claude",
    "gemini",      "bedrock",          "bedrock-converse"};

inline std::optional<Dialect> dialect_named(std::string_view name) {
  for (std::size_t i = 0; i < kDialectNames.size(); ++i)
    if (kDialectNames[i] == name) return static_cast<Dialect>(i);
  return std::nullopt;
}

}  // namespace llmproxy::bench
