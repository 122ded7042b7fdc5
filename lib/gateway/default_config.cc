// What is served when no file says otherwise: the demo backend, and every
// provider whose key stands in the environment.
#include "gateway/default_config.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>

#include "gateway/apply_environment.h"

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
    NaturalName{"anthropic", "claude-*"},
    NaturalName{"anthropic", "anthropic-*", "*"},
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
  for (const std::string_view name : {"AWS_DEFAULT_REGION", "AWS_REGION"}) {
    std::string region = variable(environment, name);
    if (!region.empty()) out.region = std::move(region);
  }
  out.access_key_id = variable(environment, "AWS_ACCESS_KEY_ID");
  out.secret_access_key =
      Secret(variable(environment, "AWS_SECRET_ACCESS_KEY"));
  out.session_token = Secret(variable(environment, "AWS_SESSION_TOKEN"));
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

/// The first of `names` that is set; notes where the value at `path` is from.
std::string first_set(std::initializer_list<std::string_view> names,
                      const Environment& environment, const std::string& path,
                      Config& out) {
  for (const std::string_view name : names) {
    std::string value = variable(environment, name);
    if (value.empty()) continue;
    out.origins.push_back({path, "environment " + std::string(name)});
    return value;
  }
  return {};
}

Backend backend_of(const Provider& provider, const Environment& environment,
                   Config& out) {
  const std::string path = "backends." + std::string(provider.name);
  Backend backend = make_backend(
      provider,
      Secret(first_set({provider.key_variable}, environment, path + ".api_key",
                       out)),
      first_set({provider.base_url_variable, provider.other_base_url_variable},
                environment, path + ".base_url", out));
  if (provider.auth == AuthScheme::aws) {
    backend.aws = aws_credentials(environment);
  }
  // Whoever names the vendor in the path or the model brings the key for it.
  backend.pass_credentials = !has_credentials(backend);
  return backend;
}

}  // namespace

Config default_backends(const Environment& environment) {
  Config config;
  for (const Provider& provider : providers()) {
    Backend backend = backend_of(provider, environment, config);
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

}  // namespace gateway

Result<Config> default_config(const Environment& environment) {
  Config config = gateway::default_backends(environment);
  LLMPROXY_TRY(gateway::apply_environment(environment, config));
  return config;
}

}  // namespace llmproxy
