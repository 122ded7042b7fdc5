#include "gateway/litellm_providers.h"

#include <array>

namespace llmproxy::gateway {
namespace {

constexpr std::array kProviders = {
    LiteLlmProvider{"openai", "openai"},
    LiteLlmProvider{"anthropic", "anthropic"},
    LiteLlmProvider{"gemini", "gemini"},
    LiteLlmProvider{"bedrock", "bedrock"},
    LiteLlmProvider{"deepseek", "deepseek"},
    LiteLlmProvider{"groq", "groq"},
    LiteLlmProvider{"ollama", "ollama"},
    LiteLlmProvider{"ollama_chat", "ollama"},
    LiteLlmProvider{"databricks", "databricks", "", "DATABRICKS_API_KEY"},
    LiteLlmProvider{"mistral", "mistral"},
    LiteLlmProvider{"openrouter", "openrouter"},
    LiteLlmProvider{"xai", "xai"},
    LiteLlmProvider{"together_ai", "together", "", "TOGETHERAI_API_KEY"},
    LiteLlmProvider{"azure", "azure", "", "AZURE_API_KEY"},
    LiteLlmProvider{"hosted_vllm", "vllm"},
    LiteLlmProvider{"vllm", "vllm"},
    LiteLlmProvider{"llamafile", "llama.cpp"},
    LiteLlmProvider{"openai_like", kAnyServer},
    LiteLlmProvider{"custom_openai", kAnyServer},
    LiteLlmProvider{"litellm_proxy", kAnyServer, "", "LITELLM_PROXY_API_KEY"},
    LiteLlmProvider{"lm_studio", kAnyServer},
    LiteLlmProvider{"azure_ai", kAnyServer, "", "AZURE_AI_API_KEY"},
    // Base URLs by the vendors' own documentation.
    LiteLlmProvider{"fireworks_ai", kAnyServer,
                    "https://api.fireworks.ai/inference/v1",
                    "FIREWORKS_AI_API_KEY"},
    LiteLlmProvider{"perplexity", kAnyServer, "https://api.perplexity.ai",
                    "PERPLEXITYAI_API_KEY"},
    LiteLlmProvider{"cerebras", kAnyServer, "https://api.cerebras.ai/v1",
                    "CEREBRAS_API_KEY"},
    LiteLlmProvider{"nvidia_nim", kAnyServer,
                    "https://integrate.api.nvidia.com/v1",
                    "NVIDIA_NIM_API_KEY"},
    LiteLlmProvider{"sambanova", kAnyServer, "https://api.sambanova.ai/v1",
                    "SAMBANOVA_API_KEY"},
    LiteLlmProvider{"deepinfra", kAnyServer,
                    "https://api.deepinfra.com/v1/openai", "DEEPINFRA_API_KEY"},
    LiteLlmProvider{"moonshot", kAnyServer, "https://api.moonshot.ai/v1",
                    "MOONSHOT_API_KEY"},
};

}  // namespace

const LiteLlmProvider* find_litellm_provider(std::string_view theirs) {
  for (const LiteLlmProvider& row : kProviders) {
    if (row.theirs == theirs) return &row;
  }
  return nullptr;
}

}  // namespace llmproxy::gateway
