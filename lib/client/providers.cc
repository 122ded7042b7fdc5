// The provider table: one row each, and what a row's words mean. A new
// provider is a new row here and nothing else.
#include "llmproxy/provider.h"

#include <array>
#include <cstddef>
#include <utility>

namespace llmproxy {
namespace {

constexpr std::array kProviders = {
    Provider{.name = "openai",
             .dialect = "openai-chat",
             .base_url = "https://api.openai.com/v1",
             .path_prefix = "",
             .auth = AuthScheme::bearer,
             .key_variable = "OPENAI_API_KEY",
             .base_url_variable = "OPENAI_BASE_URL",
             .extra_headers = "",
             .quirks = kNoQuirks},
    // The vendor writes the bare host; its SDKs put /v1 into the path.
    Provider{.name = "anthropic",
             .dialect = "claude",
             .base_url = "https://api.anthropic.com",
             .path_prefix = "/v1",
             .auth = AuthScheme::x_api_key,
             .key_variable = "ANTHROPIC_API_KEY",
             .base_url_variable = "ANTHROPIC_BASE_URL",
             .extra_headers = "anthropic-version: 2023-06-01\n",
             .quirks = kNoQuirks},
    // Any server that copies OpenAI's API. `max_tokens` is the one name that
    // all of them read: Ollama ignores `max_completion_tokens` (no limit at
    // all then), Mistral and Databricks answer it with an error.
    Provider{.name = "openai-compatible",
             .dialect = "openai-chat",
             .base_url = "",
             .path_prefix = "",
             .auth = AuthScheme::bearer,
             .key_variable = "",
             .base_url_variable = "",
             .extra_headers = "",
             .quirks = kOldMaxTokens},
    // Answers by itself (make_demo_transport), in whatever dialect it is
    // asked in; the base URL only has to be one that no network has.
    Provider{.name = "demo",
             .dialect = "",
             .base_url = "demo:",
             .path_prefix = "",
             .auth = AuthScheme::none,
             .key_variable = "",
             .base_url_variable = "",
             .extra_headers = "",
             .quirks = kNoQuirks},
};

/// What a quirk changes in the traits of a target.
struct QuirkRow {
  Quirk quirk;
  bool TargetTraits::*trait;
  bool value;
};
constexpr std::array kQuirks = {
    QuirkRow{kOldMaxTokens, &TargetTraits::max_completion_tokens, false},
    QuirkRow{kNoStreamUsage, &TargetTraits::stream_usage, false},
    QuirkRow{kReasoningContent, &TargetTraits::reasoning_content, true},
    QuirkRow{kCacheMarkers, &TargetTraits::cache_markers, true},
    QuirkRow{kToolResultImages, &TargetTraits::tool_result_images, true},
};

}  // namespace

std::span<const Provider> providers() { return kProviders; }

const Provider* find_provider(std::string_view name) {
  for (const Provider& provider : kProviders) {
    if (provider.name == name) return &provider;
  }
  return nullptr;
}

Backend make_backend(const Provider& provider, Secret api_key,
                     std::string base_url) {
  Backend backend;
  backend.name = std::string(provider.name);
  backend.provider = &provider;
  backend.dialect = find_dialect(provider.dialect);
  backend.base_url =
      base_url.empty() ? std::string(provider.base_url) : std::move(base_url);
  backend.api_key = std::move(api_key);
  return backend;
}

TargetTraits traits_for(const Backend& backend, const Dialect& dialect,
                        std::string_view model) {
  TargetTraits traits = traits_for(dialect, model);
  const std::uint32_t quirks = backend.provider ? backend.provider->quirks : 0;
  for (const QuirkRow& row : kQuirks) {
    if (quirks & row.quirk) traits.*row.trait = row.value;
  }
  return traits;
}

}  // namespace llmproxy
