// Providers by the names that LiteLLM's configurations have for them.
#pragma once

#include <string_view>

namespace llmproxy::gateway {

/// Any server that speaks OpenAI's API.
inline constexpr std::string_view kAnyServer = "openai-compatible";

struct LiteLlmProvider {
  std::string_view theirs;  ///< what stands before the model's first "/"
  std::string_view ours;
  /// Where it is no row of our table.
  std::string_view base_url = {};
  std::string_view key_variable = {};
};

/// By their name; null = none that is known here.
const LiteLlmProvider* find_litellm_provider(std::string_view theirs);

}  // namespace llmproxy::gateway
