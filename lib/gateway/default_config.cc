// What is served when no file says otherwise: the demo backend, and every
// provider whose key stands in the environment.
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
    NaturalName{"demo", "demo"},    NaturalName{"demo", "demo-*"},
    NaturalName{"openai", "gpt-*"}, NaturalName{"openai", "chatgpt-*"},
    NaturalName{"openai", "o1*"},   NaturalName{"openai", "o3*"},
    NaturalName{"openai", "o4*"},   NaturalName{"anthropic", "claude-*"},
};

std::string variable(const Environment& environment, std::string_view name) {
  if (name.empty()) return {};
  return environment(std::string(name)).value_or("");
}

void add(const Provider& provider, std::string key, std::string base_url,
         Config& out) {
  Backend backend =
      make_backend(provider, Secret(std::move(key)), std::move(base_url));
  backend.name = provider.name;
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
    std::string key = variable(environment, provider.key_variable);
    // What runs inside the process needs no key and is always there.
    if (key.empty() && !provider.base_url.starts_with(gateway::kDemoScheme)) {
      continue;
    }
    add(provider, std::move(key),
        variable(environment, provider.base_url_variable), config);
  }
  return config;
}

}  // namespace llmproxy
