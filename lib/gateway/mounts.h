// Mounts: paths below which something else begins than our own endpoints. A
// route's prefix has the endpoints of every dialect again, for its models
// only; a backend's name has that backend's whole API.
#pragma once

#include <string>
#include <string_view>

#include "gateway/core.h"

namespace llmproxy::gateway {

struct Mount {
  /// Of the routes that hold here; empty = those without one.
  std::string_view prefix;
  /// Where everything goes that is no endpoint of ours; nullptr = nowhere.
  const Backend* backend = nullptr;
  /// The path behind the mount; begins with "/".
  std::string rest;

  explicit operator bool() const { return !rest.empty(); }
};

/// Borrows from `core`.
Mount find_mount(const Core& core, std::string_view path);

/// The API version that a path begins with ("/v1" of "/v1/messages"), or
/// empty.
std::string_view version_of(std::string_view path);

/// `base` with `rest` behind it; what `base` ends in and `rest` begins with, up
/// to a version ("/v1"), stands there once.
std::string join_version(std::string_view base, std::string_view rest);

}  // namespace llmproxy::gateway
