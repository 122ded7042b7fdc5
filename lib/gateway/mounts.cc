#include "gateway/mounts.h"

#include "gateway/config_backends.h"

namespace llmproxy::gateway {
namespace {

constexpr std::string_view kRoot = "/";

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
  path.remove_prefix(path.starts_with('/') ? 1 : 0);
  return path.substr(0, path.find('/'));
}

}  // namespace

Mount find_mount(const Core& core, std::string_view path) {
  Mount mount;
  mount.prefix = core.routes().prefix_of(path);
  std::size_t taken = mount.prefix.size();
  if (!mount.prefix.empty()) {
    mount.backend = shared_backend(core, mount.prefix);
  } else if (core.config().server.backend_paths) {
    const std::string_view name = first_segment(path);
    mount.backend = name.empty() ? nullptr : core.find_backend(name);
    taken = name.size() + 1;
    if (mount.backend == nullptr) return {};
  } else {
    return {};
  }
  mount.rest = path.substr(taken);
  if (mount.rest.empty()) mount.rest = kRoot;
  return mount;
}

std::string_view version_of(std::string_view path) {
  const std::string_view segment = first_segment(path);
  if (!path.starts_with('/') || !ends_in_version(segment)) return {};
  return path.substr(0, segment.size() + 1);
}

std::string join_version(std::string_view base, std::string_view rest) {
  while (base.ends_with('/')) base.remove_suffix(1);
  const std::string_view version = version_of(rest);
  if (!version.empty() && base.ends_with(version)) {
    rest.remove_prefix(version.size());
  }
  return std::string(base).append(rest);
}

}  // namespace llmproxy::gateway
