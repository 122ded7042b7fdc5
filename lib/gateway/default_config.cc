// What is served when no file says otherwise: the demo backend, and every
// provider whose key stands in the environment.
#include <algorithm>
#include <array>

#include "gateway/base_url.h"
#include "llmproxy/config.h"

namespace llmproxy {
namespace {

/// A provider's models, by the names the vendor gives them.
struct NaturalName {
  std::string_view provider;
  std::string_view pattern;
};
constexpr std::array kNaturalNames = {
    // "demo-*" are the demo's faults on demand, see lib/client/demo.
    NaturalName{"demo", "demo"},
    NaturalName{"demo", "demo-*"},
    NaturalName{"openai", "gpt-*"},
    NaturalName{"openai", "chatgpt-*"},
    NaturalName{"openai", "o1*"},
    NaturalName{"openai", "o3*"},
    NaturalName{"openai", "o4*"},
    NaturalName{"anthropic", "claude-*"},
    NaturalName{"gemini", "gemini-*"},
    NaturalName{"deepseek", "deepseek-*"},
    NaturalName{"bedrock", "anthropic.*"},
    NaturalName{"bedrock", "*.anthropic.*"},
    NaturalName{"bedrock", "amazon.*"},
    NaturalName{"bedrock", "*.amazon.*"},
    NaturalName{"mistral", "mistral-*"},
    NaturalName{"mistral", "codestral-*"},
    NaturalName{"xai", "grok-*"},
};

std::string variable(const Environment& environment, std::string_view name) {
  if (name.empty()) return {};
  return environment(std::string(name)).value_or("");
}

AwsCredentials aws_credentials(const Environment& environment) {
  AwsCredentials out;
  out.region = variable(environment, "AWS_REGION");
  if (out.region.empty())
    out.region = variable(environment, "AWS_DEFAULT_REGION");
  if (out.region.empty()) out.region = "us-east-1";
  out.access_key_id = variable(environment, "AWS_ACCESS_KEY_ID");
  out.secret_access_key =
      Secret(variable(environment, "AWS_SECRET_ACCESS_KEY"));
  out.session_token = Secret(variable(environment, "AWS_SESSION_TOKEN"));
  return out;
}

/// Whether the environment says enough to use a provider.
bool is_configured(const Provider& provider, const Backend& backend,
                   bool base_url_given) {
  // Without a name that leads there nobody could ask it anything.
  const bool named = std::any_of(
      kNaturalNames.begin(), kNaturalNames.end(),
      [&](const NaturalName& row) { return row.provider == provider.name; });
  if (!named) return false;
  // What runs inside the process needs no key and is always there.
  if (provider.base_url.starts_with(gateway::kDemoScheme)) return true;
  if (backend.base_url.empty()) return false;
  if (!backend.api_key.empty()) return true;
  if (provider.auth == AuthScheme::aws) {
    return !backend.aws.access_key_id.empty();
  }
  return provider.key_optional && base_url_given;
}

void add(const Provider& provider, Backend backend, Config& out) {
  out.backends.push_back(std::move(backend));
  for (const NaturalName& row : kNaturalNames) {
    if (row.provider != provider.name) continue;
    out.routes.push_back(
        Route{std::string(row.pattern), std::string(provider.name), {}});
  }
}

}  // namespace

Config default_config(const Environment& environment) {
  Config config;
  for (const Provider& provider : providers()) {
    std::string base_url = variable(environment, provider.base_url_variable);
    const bool base_url_given = !base_url.empty();
    Backend backend = make_backend(
        provider, Secret(variable(environment, provider.key_variable)),
        std::move(base_url));
    if (provider.auth == AuthScheme::aws) {
      backend.aws = aws_credentials(environment);
    }
    if (is_configured(provider, backend, base_url_given)) {
      add(provider, std::move(backend), config);
    }
  }
  return config;
}

}  // namespace llmproxy
