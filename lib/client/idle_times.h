// IdleTimes: how long the idle connections of an origin may be used again.
// The transport's own limit, or less where the upstream announced less.
//
// Thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "llmproxy/http.h"

namespace llmproxy {

/// What `Keep-Alive: timeout=N` says; nullopt = nothing.
std::optional<std::chrono::seconds> announced_idle_time(const Headers& headers);

class IdleTimes {
 public:
  using Duration = std::chrono::milliseconds;

  explicit IdleTimes(Duration limit) : limit_(limit) {}

  /// An answer from `origin` began with these headers.
  void note(const std::string& origin, const Headers& headers);
  Duration of(const std::string& origin) const;

 private:
  const Duration limit_;
  mutable std::mutex mutex_;
  /// Only of those that announced less than the limit.
  std::unordered_map<std::string, Duration> shorter_;
};

}  // namespace llmproxy
