// Routes: from the name a client uses to a backend and its model.
#pragma once

#include <map>
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
  const Route* route;        ///< lives as long as the Routes
};

/// Immutable after construction, so any thread may ask. Each prefix has a
/// table of its own.
class Routes {
 public:
  explicit Routes(std::vector<Route> routes);
  Routes(const Routes&) = delete;
  Routes& operator=(const Routes&) = delete;

  /// An exact name wins; else the longest pattern that matches, of equally
  /// long ones that with the longer text before its `*`, then the first.
  std::optional<Target> find(std::string_view model,
                             std::string_view prefix = {}) const;

  /// Names without a `*`, in order: what can be listed.
  const std::vector<std::string_view>& names(
      std::string_view prefix = {}) const;

  /// The routes whose names have one, in the order of the configuration.
  std::vector<const Route*> patterns(std::string_view prefix = {}) const;
  /// Every prefix of a route, in order of the alphabet.
  std::vector<std::string_view> prefixes() const;

  /// The longest prefix of a route that `path` is below ("/openai" of
  /// "/openai/v1/models"); empty = none.
  std::string_view prefix_of(std::string_view path) const;
  /// The only backend behind a prefix, or empty where there are more.
  std::string_view only_backend(std::string_view prefix) const;

 private:
  /// A name cut at its `*`.
  struct Pattern {
    const Route* route;
    std::string_view before;
    std::string_view after;
  };
  struct Table {
    std::unordered_map<std::string_view, const Route*> exact;
    std::vector<Pattern> patterns;  ///< most specific first
    std::vector<std::string_view> names;
  };
  const Table* table(std::string_view prefix) const;

  std::vector<Route> routes_;
  std::map<std::string_view, Table> tables_;
};

}  // namespace llmproxy::gateway
