// Every route is a candidate; the one with the best rank is taken.
#include "server/example_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>

namespace llmproxy {
namespace {

/// A model that a provider has had for long, by its own documentation; for
/// routes that name none. Those of local servers are whatever was loaded.
struct KnownModel {
  std::string_view provider;
  std::string_view name;
};
constexpr std::array kKnownModels = {
    KnownModel{"demo", "demo"},
    KnownModel{"openai", "gpt-5-mini"},
    KnownModel{"openai-responses", "gpt-5-mini"},
    KnownModel{"anthropic", "claude-sonnet-4-5"},
    KnownModel{"gemini", "gemini-2.5-flash"},
    KnownModel{"bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"},
    KnownModel{"bedrock-claude",
               "us.anthropic.claude-sonnet-4-5-20250929-v1:0"},
    KnownModel{"deepseek", "deepseek-chat"},
    KnownModel{"groq", "llama-3.3-70b-versatile"},
    KnownModel{"mistral", "mistral-small-latest"},
    KnownModel{"openrouter", "openai/gpt-5-mini"},
    KnownModel{"xai", "grok-4"},
};

constexpr std::string_view kDemo = "demo";

const Backend* backend_of(const Config& config, const Route& route) {
  for (const Backend& backend : config.backends) {
    if (backend.name == route.backend) return &backend;
  }
  return nullptr;
}

std::string_view provider_of(const Backend* backend) {
  return backend != nullptr && backend->provider != nullptr
             ? backend->provider->name
             : std::string_view();
}

/// What the `*` of a pattern matched; nullopt = it does not match.
std::optional<std::string_view> star_of(std::string_view pattern,
                                        std::string_view name) {
  const std::size_t star = pattern.find('*');
  if (star == pattern.npos) {
    if (pattern != name) return std::nullopt;
    return std::string_view();
  }
  const std::string_view before = pattern.substr(0, star);
  const std::string_view after = pattern.substr(star + 1);
  if (name.size() < before.size() + after.size() || !name.starts_with(before) ||
      !name.ends_with(after)) {
    return std::nullopt;
  }
  return name.substr(before.size(), name.size() - before.size() - after.size());
}

bool is_pattern(const Route& route) {
  return route.name.find('*') != std::string::npos;
}

std::string with_star(std::string_view pattern, std::string_view star) {
  std::string out(pattern);
  out.replace(out.find('*'), 1, star);
  return out;
}

/// A client's name for `known` by this pattern; empty = none.
std::string name_for(const Route& route, std::string_view known,
                     bool of_backend) {
  const bool rewrites = route.model.find('*') != std::string::npos;
  if (!rewrites) {
    // "*" says nothing of which names its backend has.
    const bool told =
        of_backend || !route.model.empty() || route.name.size() > 1;
    return told && star_of(route.name, known) ? std::string(known) : "";
  }
  const auto star = star_of(route.model, known);
  return of_backend && star ? with_star(route.name, *star) : "";
}

/// What to ask for by a pattern: a model of the backend's provider, else any
/// that the pattern matches.
std::string sample_of(const Route& route, std::string_view provider) {
  for (const bool of_backend : {true, false}) {
    for (const KnownModel& row : kKnownModels) {
      if ((row.provider == provider) != of_backend) continue;
      // The demo's own name leads to the demo alone.
      if (!of_backend && row.provider == kDemo) continue;
      std::string name = name_for(route, row.name, of_backend);
      if (!name.empty()) return name;
    }
  }
  return {};
}

bool is_safe(std::string_view name) {
  constexpr std::string_view kSafe =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/@";
  return !name.empty() && name.find_first_not_of(kSafe) == name.npos;
}

/// 0 = meant for these clients, 1 = for any, 2 = for others.
int distance(const Route& route, std::string_view dialect) {
  if (route.client_dialect == nullptr || dialect.empty()) return 1;
  return route.client_dialect->name == dialect ? 0 : 2;
}

/// Smaller is better, the first member counts most.
using Rank = std::tuple<bool, int, bool, bool, bool, bool>;

Rank rank_of(const Route& route, const Backend* backend,
             std::string_view dialect) {
  const bool own_key = backend != nullptr && backend->pass_credentials;
  const bool same = backend == nullptr || backend->dialect == nullptr ||
                    backend->dialect->name == dialect;
  return {own_key,
          distance(route, dialect),
          provider_of(backend) == kDemo,
          is_pattern(route),
          !same,
          !route.prefix.empty()};
}

ExampleModel model_at(const Route& route, const Backend* backend,
                      std::string name) {
  return {route.prefix, std::move(name),
          backend != nullptr && backend->pass_credentials};
}

}  // namespace

std::optional<ExampleModel> example_for(const Config& config,
                                        std::string_view dialect) {
  std::optional<ExampleModel> best;
  Rank best_rank;
  for (const Route& route : config.routes) {
    const Backend* backend = backend_of(config, route);
    std::string name =
        is_pattern(route) ? sample_of(route, provider_of(backend)) : route.name;
    if (!is_safe(name)) continue;
    const Rank rank = rank_of(route, backend, dialect);
    if (best && rank >= best_rank) continue;
    best = model_at(route, backend, std::move(name));
    best_rank = rank;
  }
  return best;
}

std::optional<ExampleModel> place_of(const Config& config,
                                     std::string_view name,
                                     std::string_view dialect) {
  const Route* best = nullptr;
  const auto rank = [&](const Route& route) {
    // As requests are routed: an exact name, else the longest pattern.
    return std::tuple(distance(route, dialect), is_pattern(route),
                      !route.prefix.empty(),
                      -static_cast<long>(route.name.size()));
  };
  for (const Route& route : config.routes) {
    if (!star_of(route.name, name)) continue;
    if (best == nullptr || rank(route) < rank(*best)) best = &route;
  }
  if (best == nullptr) return std::nullopt;
  return model_at(*best, backend_of(config, *best), std::string(name));
}

std::string served_names(const Config& config, std::size_t most) {
  std::string out;
  std::size_t shown = 0;
  std::size_t left = 0;
  for (const Route& route : config.routes) {
    if (route.name.ends_with("/*")) continue;
    if (shown == most) {
      ++left;
      continue;
    }
    if (shown++ > 0) out += ", ";
    out += route.name;
    if (!route.prefix.empty()) out += " below " + route.prefix;
  }
  if (left > 0) out += fmt::format(" and {} more", left);
  return out.empty() ? "none" : out;
}

}  // namespace llmproxy
