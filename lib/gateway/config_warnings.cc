// What can be served and is still likely to be a mistake.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "gateway/config_rules.h"
#include "gateway/credentials.h"
#include "gateway/log_text.h"
#include "gateway/model_paths.h"
#include "gateway/routes.h"
#include "llmproxy/config.h"

namespace llmproxy {
namespace gateway {
namespace {

// As long as a password that nobody tries all of. Characters.
constexpr std::size_t kGuessable = 16;

void warn_of_keys(const std::vector<Secret>& keys, std::string_view path,
                  std::vector<std::string>& out) {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const std::size_t size = keys[i].reveal().size();
    const std::string literal = literal_fault(keys[i].reveal());
    if (!literal.empty()) {
      out.push_back(fmt::format("{}[{}]: {}", path, i, literal));
      continue;
    }
    if (size >= kGuessable) continue;
    out.push_back(
        fmt::format("{}[{}]: {} characters are easy to guess; take at least {}",
                    path, i, size, kGuessable));
  }
}

/// Keys that are the name of a key, or the place for one.
void warn_of_literals(const Config& config, std::vector<std::string>& out) {
  const auto look = [&](const Backend& backend, std::string_view key,
                        const Secret& value) {
    const std::string fault = literal_fault(value.reveal());
    if (fault.empty()) return;
    out.push_back(fmt::format("backends.{}.{}: {}", backend.name, key, fault));
  };
  for (const Backend& backend : config.backends) {
    look(backend, "api_key", backend.api_key);
    look(backend, "secret_access_key", backend.aws.secret_access_key);
    look(backend, "access_key_id", Secret(backend.aws.access_key_id));
    for (const Header& header : backend.headers) {
      if (!is_credential_header(header.name)) continue;
      const std::size_t scheme = header.value.rfind(' ') + 1;  // "Bearer "
      look(backend, "headers." + header.name,
           Secret(header.value.substr(scheme)));
    }
  }
}

/// What `url` ends in that is the path of a request ("/v1/messages"), or
/// nothing. What a backend's own dialect adds is cut off before.
std::string_view endpoint_at_end(std::string_view url) {
  while (url.ends_with('/')) url.remove_suffix(1);
  const std::size_t last = url.rfind('/');
  // "/models/m:generateContent"; a host's port has two slashes before it.
  if (last != std::string_view::npos && last > 0 && url[last - 1] != '/' &&
      url.find(':', last) != std::string_view::npos) {
    return url.substr(last);
  }
  const auto ends = [&](std::string_view path) {
    path = path.substr(0, path.find("/{model}"));
    return !path.empty() && url.ends_with(path) ? path : std::string_view();
  };
  for (const Dialect* dialect : dialects()) {
    const std::string_view found = ends(dialect->upstream_path);
    if (!found.empty()) return found;
  }
  for (const ModelPath& row : model_paths()) {
    const std::string_view found = ends(row.upstream);
    if (!found.empty()) return found;
  }
  return {};
}

void warn_of_endpoints(const Config& config, std::vector<std::string>& out) {
  for (const Backend& backend : config.backends) {
    const std::string_view end = endpoint_at_end(backend.base_url);
    if (end.empty()) continue;
    out.push_back(fmt::format(
        "backends.{}.base_url: it ends in {}, where requests of another kind "
        "go; give what stands before, and the dialect if it is another",
        backend.name, short_name(end)));
  }
}

bool is_backend(const Config& config, const std::string& name) {
  return std::any_of(config.backends.begin(), config.backends.end(),
                     [&](const Backend& row) { return row.name == name; });
}

bool is_model(const Config& config, const std::string& name) {
  const Routes routes(config.routes);
  return std::any_of(config.routes.begin(), config.routes.end(),
                     [&](const Route& row) {
                       return routes.find(name, row.prefix).has_value();
                     });
}

/// Where no keys are asked for, clients bring their own.
bool is_key(const Config& config, const std::string& name) {
  const ServerConfig& server = config.server;
  const auto is_it = [&](const Secret& key) { return key.equals(name); };
  return (server.client_keys.empty() && server.client_access_keys.empty()) ||
         std::any_of(server.client_keys.begin(), server.client_keys.end(),
                     is_it) ||
         std::any_of(server.client_access_keys.begin(),
                     server.client_access_keys.end(), is_it);
}

bool is_anybody(const Config& /*config*/, const std::string& /*name*/) {
  return true;
}

/// A kind of limits, and what its names must be. Names of keys are not told.
struct KindRow {
  LimitKind kind;
  std::string_view path;
  bool (*is_known)(const Config& config, const std::string& name);
  std::string_view what;
  bool secret = false;
};
constexpr std::array kKinds = {
    KindRow{LimitKind::user, "per_user", is_anybody, ""},
    KindRow{LimitKind::key, "per_key", is_key, "no client key", true},
    KindRow{LimitKind::model, "per_model", is_model, "no model here"},
    KindRow{LimitKind::provider, "per_provider", is_backend, "no backend"},
};

void warn_of_limits(const Config& config, std::vector<std::string>& out) {
  for (const KindRow& kind : kKinds) {
    std::size_t number = 0;
    for (const LimitOverride& row : config.limits.overrides) {
      if (row.kind != kind.kind) continue;
      ++number;
      if (row.name == "*" || kind.is_known(config, row.name)) continue;
      out.push_back(fmt::format(
          "rate_limiting.overrides.{}: {} is {}; its limits hold for nobody",
          kind.path,
          kind.secret ? fmt::format("row {}", number)
                      : fmt::format("\"{}\"", short_name(row.name)),
          kind.what));
    }
  }
}

}  // namespace
}  // namespace gateway

std::vector<std::string> warnings_of(const Config& config) {
  std::vector<std::string> out;
  gateway::warn_of_keys(config.server.client_keys, "server.client_keys", out);
  gateway::warn_of_keys(config.server.client_access_keys,
                        "server.client_access_keys", out);
  gateway::warn_of_literals(config, out);
  gateway::warn_of_endpoints(config, out);
  gateway::warn_of_limits(config, out);
  return out;
}

}  // namespace llmproxy
