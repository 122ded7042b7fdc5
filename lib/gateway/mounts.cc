#include "gateway/mounts.h"

#include "gateway/config_backends.h"

namespace llmproxy::gateway {
namespace {

constexpr std::string_view kVendorPath = "/openai/v1/";

bool same_place(const Backend& a, const Backend& b) {
  return a.base_url == b.base_url && a.auth_header == b.auth_header &&
         a.pass_credentials == b.pass_credentials &&
         a.api_key.equals(b.api_key.reveal());
}

/// The backend of all routes of a prefix, if it is one and the same.
const Backend* shared_backend(const Core& core, std::string_view prefix) {
  const Backend* shared = nullptr;
  for (const Route& route : core.config().routes) {
    if (route.prefix != prefix) continue;
    const Backend* backend = core.find_backend(route.backend);
    if (backend == nullptr) continue;
    if (shared != nullptr && !same_place(*shared, *backend)) return nullptr;
    shared = backend;
  }
  return shared;
}

std::string_view first_segment(std::string_view path) {
  if (!path.starts_with('/')) return {};
  path.remove_prefix(1);
  return path.substr(0, path.find('/'));
}

}  // namespace

Mount find_mount(const Core& core, std::string_view path) {
  Mount mount;
  if (!path.starts_with('/')) return mount;
  mount.prefix = core.routes().prefix_of(path);
  std::size_t taken = mount.prefix.size();
  if (!mount.prefix.empty()) {
    mount.backend = shared_backend(core, mount.prefix);
  } else {
    const std::string_view name = first_segment(path);
    if (core.config().server.backend_paths && !name.empty()) {
      mount.backend = core.find_backend(name);
    }
    if (mount.backend != nullptr) taken = name.size() + 1;
  }
  mount.rest = path.substr(taken);
  // What groq-sdk puts before the paths of its API, whatever its base URL.
  if (mount.backend == nullptr && mount.rest.starts_with(kVendorPath)) {
    mount.rest.erase(0, kVendorPath.rfind("/v1"));
  } else if (taken == 0) {
    return {};
  }
  if (mount.rest.empty()) mount.rest.push_back('/');
  return mount;
}

std::string_view version_of(std::string_view path) {
  const std::string_view segment = first_segment(path);
  if (!ends_in_version(segment)) return {};
  return path.substr(0, segment.size() + 1);
}

std::string join_version(std::string_view base, std::string_view rest) {
  while (base.ends_with('/')) base.remove_suffix(1);
  // The longest part of `rest` that ends in a version and stands in `base`
  // already ("/v1", "/openai/v1").
  std::size_t shared = 0;
  for (std::size_t end = rest.find('/', 1); end != std::string_view::npos;
       end = rest.find('/', end + 1)) {
    const std::string_view part = rest.substr(0, end);
    if (ends_in_version(part) && base.ends_with(part)) shared = end;
  }
  return std::string(base).append(rest.substr(shared));
}

}  // namespace llmproxy::gateway
