// Routes: from the name a client uses to a backend and its model.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "llmproxy/config.h"

namespace llmproxy::gateway {

/// Where a model name leads.
struct Target {
  std::string_view backend;  ///< lives as long as the Routes
  std::string model;         ///< to ask the backend for
};

/// Immutable after construction, so any thread may ask.
class Routes {
 public:
  explicit Routes(std::vector<Route> routes);
  Routes(const Routes&) = delete;
  Routes& operator=(const Routes&) = delete;

  /// An exact name wins; else the longest pattern that matches, of equally
  /// long ones that with the longer text before its `*`, then the first.
  std::optional<Target> find(std::string_view model) const;

  /// Names without a `*`, in order: what can be listed.
  const std::vector<std::string_view>& names() const { return names_; }

 private:
  /// A name cut at its `*`.
  struct Pattern {
    const Route* route;
    std::string_view before;
    std::string_view after;
  };

  std::vector<Route> routes_;
  std::unordered_map<std::string_view, const Route*> exact_;
  std::vector<Pattern> patterns_;  ///< most specific first
  std::vector<std::string_view> names_;
};

}  // namespace llmproxy::gateway
