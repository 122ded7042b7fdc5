// What is served when no file says otherwise: the demo backend, and every
// provider whose key stands in the environment.
#include "gateway/default_config.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "gateway/apply_environment.h"
#include "gateway/base_url.h"
#include "gateway/config_rules.h"
#include "gateway/config_sources.h"
#include "gateway/environment.h"

namespace llmproxy {
namespace gateway {
namespace {

/// A provider's models, by the names the vendor gives them.
struct NaturalName {
  std::string_view provider;
  std::string_view pattern;
  /// To ask for, where the pattern has more than the vendor's own name; empty
  /// = the name as it is.
  std::string_view model = {};
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
    NaturalName{"openai", "text-embedding-*"},
    NaturalName{"openai", "dall-e-*"},
    NaturalName{"openai", "whisper-*"},
    NaturalName{"openai", "tts-*"},
    NaturalName{"openai", "omni-moderation-*"},
    NaturalName{"openai", "text-moderation-*"},
    NaturalName{"openai", "davinci-*"},
    NaturalName{"openai", "babbage-*"},
    NaturalName{"anthropic", "claude-*"},
    NaturalName{"anthropic", "anthropic-*", "*"},
    NaturalName{"gemini", "gemini-*"},
    NaturalName{"deepseek", "deepseek-*"},
    // Also by the regions that share them [Bedrock: inference profiles].
    NaturalName{"bedrock", "anthropic.*"},
    NaturalName{"bedrock", "us.anthropic.*"},
    NaturalName{"bedrock", "us-gov.anthropic.*"},
    NaturalName{"bedrock", "ca.anthropic.*"},
    NaturalName{"bedrock", "eu.anthropic.*"},
    NaturalName{"bedrock", "apac.anthropic.*"},
    NaturalName{"bedrock", "jp.anthropic.*"},
    NaturalName{"bedrock", "au.anthropic.*"},
    NaturalName{"bedrock", "global.anthropic.*"},
    NaturalName{"bedrock", "amazon.*"},
    NaturalName{"bedrock", "us.amazon.*"},
    NaturalName{"bedrock", "us-gov.amazon.*"},
    NaturalName{"bedrock", "ca.amazon.*"},
    NaturalName{"bedrock", "eu.amazon.*"},
    NaturalName{"bedrock", "apac.amazon.*"},
    NaturalName{"bedrock", "jp.amazon.*"},
    NaturalName{"bedrock", "au.amazon.*"},
    NaturalName{"bedrock", "global.amazon.*"},
    NaturalName{"mistral", "mistral-*"},
    NaturalName{"mistral", "codestral-*"},
    NaturalName{"xai", "grok-*"},
};

constexpr std::array<std::string_view, 2> kRegionVariables = {
    "AWS_DEFAULT_REGION", "AWS_REGION"};
/// What AWS requests are signed with.
constexpr std::array<std::string_view, 3> kAwsSecrets = {
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"};

Error wrong(std::string_view variable, std::string_view fault) {
  return invalid_request(
      fmt::format("the environment variable {}: {}", variable, fault));
}

std::string variable(const Environment& environment, std::string_view name) {
  if (name.empty()) return {};
  return environment(std::string(name)).value_or("");
}

/// A key's variable, without the line break that files end in. Errors: one
/// that no header can hold.
Result<std::string> key_variable(const Environment& environment,
                                 std::string_view name) {
  const std::string text = variable(environment, name);
  std::string key = trimmed_key(text);
  const std::string fault = text.empty() ? "" : key_fault(key);
  if (!fault.empty()) return wrong(name, fault);
  return key;
}

Result<AwsCredentials> aws_credentials(const Environment& environment) {
  AwsCredentials out;
  for (const std::string_view name : kRegionVariables) {
    std::string region = variable(environment, name);
    if (region.empty()) continue;
    const std::string fault = region_fault(region);
    if (!fault.empty()) return wrong(name, fault);
    out.region = std::move(region);
  }
  LLMPROXY_ASSIGN(out.access_key_id,
                  key_variable(environment, "AWS_ACCESS_KEY_ID"));
  LLMPROXY_ASSIGN(std::string secret,
                  key_variable(environment, "AWS_SECRET_ACCESS_KEY"));
  LLMPROXY_ASSIGN(std::string token,
                  key_variable(environment, "AWS_SESSION_TOKEN"));
  out.secret_access_key = Secret(std::move(secret));
  out.session_token = Secret(std::move(token));
  return out;
}

/// Whether the environment says enough to ask the provider in our name.
bool has_credentials(const Backend& backend) {
  const AuthScheme auth = backend.provider->auth;
  if (auth == AuthScheme::none || !backend.api_key.empty()) return true;
  return auth == AuthScheme::aws && !backend.aws.access_key_id.empty();
}

void add_natural_routes(const Backend& backend, Config& out) {
  for (const NaturalName& row : kNaturalNames) {
    if (row.provider != backend.provider->name) continue;
    Route route;
    route.name = row.pattern;
    route.backend = backend.name;
    route.model = row.model;
    out.routes.push_back(std::move(route));
  }
}

void add_explicit_route(const Backend& backend, Config& out) {
  Route route;
  route.name = backend.name + "/*";
  route.backend = backend.name;
  route.model = "*";
  out.routes.push_back(std::move(route));
}

/// The first of `names` that is set, or empty.
std::string_view first_set(std::initializer_list<std::string_view> names,
                           const Environment& environment) {
  for (const std::string_view name : names) {
    if (!variable(environment, name).empty()) return name;
  }
  return {};
}

void note_origin(const Environment& environment, std::string_view variable,
                 const std::string& path, Config& out) {
  if (variable.empty()) return;
  out.origins.push_back({path, origin_of_variable(environment, variable)});
}

/// A provider's address must come from where its key comes from.
Result<void> check_provider_sources(const Provider& provider,
                                    const Environment& environment) {
  const std::string_view places[] = {provider.base_url_variable,
                                     provider.other_base_url_variable};
  std::vector<std::string_view> secrets = {provider.key_variable};
  if (provider.auth == AuthScheme::aws) {
    secrets.insert(secrets.end(), kAwsSecrets.begin(), kAwsSecrets.end());
  }
  return check_sources(environment, places, secrets);
}

Result<Backend> backend_of(const Provider& provider,
                           const Environment& environment, Config& out) {
  LLMPROXY_TRY(check_provider_sources(provider, environment));
  const std::string_view address =
      first_set({provider.base_url_variable, provider.other_base_url_variable},
                environment);
  std::string url = variable(environment, address);
  const std::string fault = url.empty() ? "" : base_url_fault(url);
  if (!fault.empty()) return wrong(address, fault);
  LLMPROXY_ASSIGN(std::string key,
                  key_variable(environment, provider.key_variable));
  const std::string path = "backends." + std::string(provider.name);
  if (!key.empty()) {
    note_origin(environment, provider.key_variable, path + ".api_key", out);
  }
  note_origin(environment, address, path + ".base_url", out);
  Backend backend =
      make_backend(provider, Secret(std::move(key)), std::move(url));
  if (provider.auth == AuthScheme::aws) {
    LLMPROXY_ASSIGN(backend.aws, aws_credentials(environment));
  }
  // Whoever names the vendor in the path or the model brings the key for it.
  backend.pass_credentials = !has_credentials(backend);
  return backend;
}

}  // namespace

Result<Config> default_backends(const Environment& environment) {
  Config config;
  for (const Provider& provider : providers()) {
    LLMPROXY_ASSIGN(Backend backend, backend_of(provider, environment, config));
    // A signature is no credential that could be passed on.
    const bool usable =
        provider.auth != AuthScheme::aws || has_credentials(backend);
    if (usable && !backend.base_url.empty()) {
      config.backends.push_back(std::move(backend));
    }
  }
  add_usual_routes(config);
  return config;
}

void add_usual_routes(Config& config) {
  for (const Backend& backend : config.backends) {
    if (!backend.pass_credentials) add_natural_routes(backend, config);
  }
  for (const Backend& backend : config.backends) {
    add_explicit_route(backend, config);
  }
}

const Provider* provider_of_name(std::string_view model) {
  for (const NaturalName& row : kNaturalNames) {
    const std::size_t star =
        std::min(row.pattern.find('*'), row.pattern.size());
    const std::string_view after =
        row.pattern.substr(std::min(star + 1, row.pattern.size()));
    if (model.starts_with(row.pattern.substr(0, star)) &&
        model.size() >= star + after.size() && model.ends_with(after)) {
      return find_provider(row.provider);
    }
  }
  return nullptr;
}

}  // namespace gateway

Result<Config> default_config(const Environment& environment) {
  LLMPROXY_ASSIGN(Config config, gateway::default_backends(environment));
  LLMPROXY_TRY(gateway::apply_environment(environment, config));
  return config;
}

}  // namespace llmproxy
