#include "gateway/unknown_model.h"

#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "gateway/default_config.h"
#include "gateway/log_text.h"
#include "llmproxy/suggest.h"

namespace llmproxy::gateway {
namespace {

// More are not compared: each costs as much as the name is long, squared.
constexpr std::size_t kMostCompared = 2000;

/// Served here all the same, below another path.
std::string elsewhere(const Core& core, std::string_view model,
                      std::string_view prefix) {
  std::set<std::string_view> seen;
  for (const Route& route : core.config().routes) {
    if (route.prefix == prefix || !seen.insert(route.prefix).second) continue;
    if (!core.routes().find(model, route.prefix)) continue;
    if (route.prefix.empty()) {
      return "; it is served without the path before /v1";
    }
    return fmt::format("; it is served below {}, e.g. {}/v1/chat/completions",
                       route.prefix, route.prefix);
  }
  return {};
}

/// A vendor's own name, where only its key is missing.
std::string missing_key(const Core& core, std::string_view model) {
  const Provider* provider = provider_of_name(model);
  if (provider == nullptr || provider->key_variable.empty()) return {};
  const Backend* backend = core.find_backend(provider->name);
  if (backend == nullptr || !backend->pass_credentials ||
      !backend->api_key.empty()) {
    return {};
  }
  return fmt::format("; set {} where the proxy runs to have it",
                     provider->key_variable);
}

std::string near_name(const Core& core, std::string_view model,
                      std::string_view prefix) {
  std::vector<std::string_view> names = core.routes().names(prefix);
  if (names.size() > kMostCompared) names.resize(kMostCompared);
  std::string hint = did_you_mean(model, names);
  // "openai/gpt-5", as other proxies name it.
  const std::string_view last = model.substr(model.rfind('/') + 1);
  if (hint.empty() && last != model && core.routes().find(last, prefix)) {
    hint = fmt::format("; did you mean \"{}\"?", short_name(last));
  }
  return hint;
}

}  // namespace

Error unknown_model(const Core& core, std::string_view model,
                    std::string_view prefix) {
  Error error;
  error.kind = ErrorKind::not_found;
  error.fault = Fault::client;
  error.path = "/model";
  error.code = "model_not_found";
  std::string hint = elsewhere(core, model, prefix);
  if (hint.empty()) hint = missing_key(core, model);
  if (hint.empty()) hint = near_name(core, model, prefix);
  error.message = fmt::format(
      "the model '{}' does not exist here{}{}GET {}/v1/models lists the models",
      short_name(model), hint, hint.ends_with('?') ? " " : "; ", prefix);
  return error;
}

}  // namespace llmproxy::gateway
