// A Config made by hand: what load_config() would have refused.
#include "llmproxy/validate_config.h"

#include <fmt/format.h>

#include <set>
#include <string_view>

namespace llmproxy {
namespace {

Result<void> check_backend(const Backend& backend) {
  if (backend.name.empty()) {
    return invalid_request("a backend needs a name");
  }
  if (backend.provider == nullptr) {
    return invalid_request(
        fmt::format("the backend \"{}\" has no provider", backend.name));
  }
  if (backend.base_url.empty()) {
    return invalid_request(
        fmt::format("the backend \"{}\" has no base URL", backend.name));
  }
  const std::string_view dialect = backend.provider->dialect;
  if (backend.dialect == nullptr && !dialect.empty()) {
    return invalid_request(
        fmt::format("the backend \"{}\" has an unknown dialect: {}",
                    backend.name, dialect));
  }
  return {};
}

Result<void> check_route(const Route& route,
                         const std::set<std::string_view>& backends) {
  if (route.name.empty()) return invalid_request("a route needs a name");
  if (backends.count(route.backend) > 0) return {};
  return invalid_request(
      fmt::format("the model \"{}\" leads to \"{}\", and "
                  "there is no backend of that name",
                  route.name, route.backend));
}

}  // namespace

Result<void> validate(const Config& config) {
  std::set<std::string_view> names;
  for (const Backend& backend : config.backends) {
    LLMPROXY_TRY(check_backend(backend));
    if (names.insert(backend.name).second) continue;
    return invalid_request(
        fmt::format("there are two backends \"{}\"", backend.name));
  }
  for (const Route& route : config.routes) {
    LLMPROXY_TRY(check_route(route, names));
  }
  return {};
}

}  // namespace llmproxy
