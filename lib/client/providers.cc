// The provider table: one row each, and what a row's words mean. A new
// provider is a new row here and nothing else.
#include "llmproxy/provider.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <deque>
#include <mutex>
#include <utility>

namespace llmproxy {
namespace {

// Evidence for the quirks: the vendors' API references and the error bodies
// their users quote in public, beside each row. Tools of type `custom` are in
// OpenAI's reference alone; the others name `function` as the only type.
constexpr std::array kProviders = {
    Provider{.name = "openai",
             .dialect = "openai-chat",
             .base_url = "https://api.openai.com/v1",
             .key_variable = "OPENAI_API_KEY",
             .base_url_variable = "OPENAI_BASE_URL",
             .other_base_url_variable = "OPENAI_API_BASE"},
    // The same host, spoken to in its newer API.
    Provider{.name = "openai-responses",
             .dialect = "openai-responses",
             .base_url = "https://api.openai.com/v1",
             .key_variable = "OPENAI_API_KEY",
             .base_url_variable = "OPENAI_BASE_URL"},
    // The vendor writes the bare host; its SDKs put /v1 into the path.
    Provider{.name = "anthropic",
             .dialect = "claude",
             .base_url = "https://api.anthropic.com",
             .path_prefix = "/v1",
             .auth = AuthScheme::x_api_key,
             .key_variable = "ANTHROPIC_API_KEY",
             .base_url_variable = "ANTHROPIC_BASE_URL",
             .other_base_url_variable = "ANTHROPIC_API_BASE"},
    Provider{.name = "gemini",
             .dialect = "gemini",
             .base_url = "https://generativelanguage.googleapis.com",
             .path_prefix = "/v1beta",
             .auth = AuthScheme::x_goog_api_key,
             .key_variable = "GEMINI_API_KEY",
             .base_url_variable = "GOOGLE_GEMINI_BASE_URL",
             .other_base_url_variable = "GEMINI_BASE_URL"},
    // A Bedrock API key, or AWS credentials to sign with.
    Provider{.name = "bedrock",
             .dialect = "bedrock-converse",
             .base_url = "https://bedrock-runtime.{region}.amazonaws.com",
             .auth = AuthScheme::aws,
             .key_variable = "AWS_BEARER_TOKEN_BEDROCK",
             .base_url_variable = "AWS_ENDPOINT_URL_BEDROCK_RUNTIME"},
    // The same service with an Anthropic body: Claude models only.
    Provider{.name = "bedrock-claude",
             .dialect = "bedrock",
             .base_url = "https://bedrock-runtime.{region}.amazonaws.com",
             .auth = AuthScheme::aws,
             .key_variable = "AWS_BEARER_TOKEN_BEDROCK",
             .base_url_variable = "AWS_ENDPOINT_URL_BEDROCK_RUNTIME"},
    // Wants reasoning_content back on thinking turns that call tools (400
    // without); only text and json_object as response_format.
    Provider{.name = "deepseek",
             .dialect = "openai-chat",
             .base_url = "https://api.deepseek.com",
             .key_variable = "DEEPSEEK_API_KEY",
             .base_url_variable = "DEEPSEEK_API_BASE",
             .quirks = kOldMaxTokens | kReasoningContent | kNoJsonSchema |
                       kNoUserField | kNoStrictTools | kNoCustomTools},
    // Refuses messages[].name.
    Provider{.name = "groq",
             .dialect = "openai-chat",
             .base_url = "https://api.groq.com/openai/v1",
             .key_variable = "GROQ_API_KEY",
             .base_url_variable = "GROQ_BASE_URL",
             .quirks = kNoMessageNames | kNoCustomTools},
    // Ignores max_completion_tokens (no limit at all then); answers 400 to
    // image URLs.
    Provider{.name = "ollama",
             .dialect = "openai-chat",
             .base_url = "http://localhost:11434/v1",
             .key_variable = "OLLAMA_API_KEY",
             .base_url_variable = "OLLAMA_API_BASE",
             .quirks = kOldMaxTokens | kNoImageUrls | kNoCustomTools,
             .key_optional = true},
    // Answers 400 to any key that the endpoint's model does not have.
    Provider{.name = "databricks",
             .dialect = "openai-chat",
             .key_variable = "DATABRICKS_TOKEN",
             .base_url_variable = "DATABRICKS_API_BASE",
             .quirks = kOldMaxTokens | kNoStreamUsage | kCacheMarkers |
                       kNoUserField | kNoSeed | kNoPenalties | kNoStrictTools |
                       kNoCustomTools},
    // Answers 422 to any key it does not know; call ids are 9 letters or
    // digits (error 3280).
    Provider{.name = "mistral",
             .dialect = "openai-chat",
             .base_url = "https://api.mistral.ai/v1",
             .key_variable = "MISTRAL_API_KEY",
             .base_url_variable = "MISTRAL_API_BASE",
             .quirks = kOldMaxTokens | kNoStreamUsage | kNoUserField |
                       kRandomSeed | kNineCharCallIds | kNoMessageNames |
                       kNoCustomTools},
    Provider{.name = "openrouter",
             .dialect = "openai-chat",
             .base_url = "https://openrouter.ai/api/v1",
             .key_variable = "OPENROUTER_API_KEY",
             .base_url_variable = "OPENROUTER_BASE_URL",
             .quirks = kCacheMarkers | kNoCustomTools},
    // Reasoning models answer 400 to the penalties.
    Provider{.name = "xai",
             .dialect = "openai-chat",
             .base_url = "https://api.x.ai/v1",
             .key_variable = "XAI_API_KEY",
             .quirks = kNoPenalties | kNoCustomTools},
    Provider{.name = "together",
             .dialect = "openai-chat",
             .base_url = "https://api.together.ai/v1",
             .key_variable = "TOGETHER_API_KEY",
             .base_url_variable = "TOGETHER_BASE_URL",
             .quirks = kOldMaxTokens | kNoUserField | kNoCustomTools},
    // base_url: https://NAME.openai.azure.com/openai/v1, or the older
    // .../openai/deployments/NAME with `query: api-version=...`.
    Provider{.name = "azure",
             .dialect = "openai-chat",
             .auth = AuthScheme::api_key,
             .key_variable = "AZURE_OPENAI_API_KEY",
             .base_url_variable = "AZURE_OPENAI_BASE_URL"},
    Provider{.name = "vllm",
             .dialect = "openai-chat",
             .key_variable = "VLLM_API_KEY",
             .base_url_variable = "HOSTED_VLLM_API_BASE",
             .quirks = kNoCustomTools,
             .key_optional = true},
    Provider{.name = "llama.cpp",
             .dialect = "openai-chat",
             .key_variable = "LLAMA_API_KEY",
             .base_url_variable = "LLAMAFILE_API_BASE",
             .quirks = kReasoningContent | kNoCustomTools,
             .key_optional = true},
    // Any server that copies OpenAI's API. `max_tokens` is the one name that
    // all of them read.
    Provider{.name = "openai-compatible",
             .dialect = "openai-chat",
             .quirks = kOldMaxTokens | kNoCustomTools},
    // Answers by itself (make_demo_transport), in whatever dialect it is
    // asked in; the base URL only has to be one that no network has.
    Provider{.name = "demo",
             .dialect = "",
             .base_url = "demo:",
             .auth = AuthScheme::none},
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
    QuirkRow{kNoJsonSchema, &TargetTraits::structured_output, false},
    QuirkRow{kNoImageUrls, &TargetTraits::image_urls, false},
    QuirkRow{kNoUserField, &TargetTraits::user_field, false},
    QuirkRow{kNoSeed, &TargetTraits::seed, false},
    QuirkRow{kRandomSeed, &TargetTraits::random_seed, true},
    QuirkRow{kNoPenalties, &TargetTraits::penalties, false},
    QuirkRow{kNineCharCallIds, &TargetTraits::nine_char_call_ids, true},
    QuirkRow{kNoMessageNames, &TargetTraits::message_names, false},
    QuirkRow{kNoSystemBetween, &TargetTraits::system_in_messages, false},
    QuirkRow{kNoStrictTools, &TargetTraits::strict_tools, false},
    QuirkRow{kNoCustomTools, &TargetTraits::custom_tools, false},
};

}  // namespace

std::span<const Provider> providers() { return kProviders; }

namespace {

/// Rows of hosts. A deque, so that rows stay where they are.
struct Registered {
  std::mutex mutex;
  std::deque<Provider> rows;
};

Registered& registered() {
  static Registered all;
  return all;
}

const Provider* find_in(const auto& rows, std::string_view name) {
  for (const Provider& provider : rows) {
    if (provider.name == name) return &provider;
  }
  return nullptr;
}

}  // namespace

bool register_provider(const Provider& row) {
  if (row.name.empty()) return false;
  if (!row.dialect.empty() && find_dialect(row.dialect) == nullptr) {
    return false;
  }
  Registered& all = registered();
  const std::lock_guard lock(all.mutex);
  if (find_in(kProviders, row.name) || find_in(all.rows, row.name)) {
    return false;
  }
  all.rows.push_back(row);
  return true;
}

const Provider* find_provider(std::string_view name) {
  if (const Provider* built_in = find_in(kProviders, name)) return built_in;
  Registered& all = registered();
  const std::lock_guard lock(all.mutex);
  return find_in(all.rows, name);
}

namespace {

/// What stands behind the host.
std::string_view path_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  const std::size_t slash = url.find('/', scheme + 3);
  return slash == std::string_view::npos ? std::string_view()
                                         : url.substr(slash);
}

/// "/chat/completions", "/models": what a dialect's endpoint begins with.
std::string_view endpoint_of(std::string_view dialect) {
  const Dialect* found = find_dialect(dialect);
  if (found == nullptr) return {};
  const std::string_view path = found->upstream_path;
  return path.substr(0, path.find("/{model}"));
}

/// "/v1" of ".../v1", else nothing.
std::string_view version_at_end(std::string_view url) {
  const std::string_view path = path_of(url);
  const std::string_view last =
      path.substr(std::min(path.rfind('/'), path.size()));
  const bool version =
      last.size() > 2 && last[1] == 'v' && last[2] >= '0' && last[2] <= '9';
  return version ? last : std::string_view();
}

/// People also write the endpoint itself, a version that is not the one our
/// requests are of, or the bare host of a vendor whose URL has a path.
std::string usual_url(std::string url, const Provider& provider) {
  while (url.ends_with('/')) url.pop_back();
  const std::string_view endpoint = endpoint_of(provider.dialect);
  if (!endpoint.empty() && path_of(url).ends_with(endpoint)) {
    url.resize(url.size() - endpoint.size());
  }
  const std::string_view version = version_at_end(url);
  if (!version.empty() && provider.path_prefix.starts_with("/v") &&
      version != provider.path_prefix) {
    url.resize(url.size() - version.size());
  }
  if (path_of(url).empty()) url += path_of(provider.base_url);
  return url;
}

}  // namespace

Backend make_backend(const Provider& provider, Secret api_key,
                     std::string base_url) {
  Backend backend;
  backend.name = std::string(provider.name);
  backend.provider = &provider;
  backend.dialect = find_dialect(provider.dialect);
  backend.base_url = base_url.empty()
                         ? std::string(provider.base_url)
                         : usual_url(std::move(base_url), provider);
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
