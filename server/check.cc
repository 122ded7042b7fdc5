// `llm-proxy check`: reads a configuration and says what it means.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "server/commands.h"

namespace llmproxy {
namespace {

/// A base URL may carry a user and password; those are keys too.
std::string without_credentials(const std::string& url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string::npos) return url;
  const std::size_t host = scheme + 3;
  const std::size_t at = url.find('@', host);
  if (at == std::string::npos || at > url.find_first_of("/?#", host))
    return url;
  return url.substr(0, host) + "***" + url.substr(at);
}

void print_server(const ServerConfig& server) {
  fmt::print("server\n  {}:{}, {}\n", server.host, server.port,
             server.client_keys.empty()
                 ? std::string("no client key needed")
                 : fmt::format("{} client key(s)", server.client_keys.size()));
}

void print_backends(const Config& config) {
  fmt::print("backends\n");
  for (const Backend& backend : config.backends) {
    fmt::print("  {}: provider {}, dialect {}, {}, {}\n", backend.name,
               backend.provider ? backend.provider->name : "none",
               backend.dialect ? backend.dialect->name : "the client's",
               without_credentials(backend.base_url),
               backend.api_key.empty() ? "no key" : "key set");
  }
}

void print_routes(const Config& config) {
  fmt::print("routes\n");
  for (const Route& route : config.routes) {
    fmt::print("  {} -> {}{}{}\n", route.name, route.backend,
               route.model.empty() ? "" : " as ", route.model);
  }
}

}  // namespace

void complain(const Error& error) {
  fmt::print(stderr, "llm-proxy: {}{}{}\n", error.path,
             error.path.empty() ? "" : ": ", error.message);
}

Result<Config> read_config(const std::string& file) {
  if (file.empty()) return default_config();
  return load_config(file);
}

int check(const std::string& config_file) {
  const auto config = read_config(config_file);
  if (!config) {
    complain(config.error());
    return kExitUsage;
  }
  if (const auto closed = check_exposure(config->server); !closed) {
    complain(closed.error());
    return kExitUsage;
  }
  print_server(config->server);
  print_backends(*config);
  print_routes(*config);
  return kExitOk;
}

}  // namespace llmproxy
