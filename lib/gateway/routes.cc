// Route lookup: a hash of exact names, then patterns, most specific first.
#include "gateway/routes.h"

#include <algorithm>
#include <utility>

namespace llmproxy::gateway {
namespace {

constexpr char kStar = '*';

// `star` is what the pattern's `*` matched.
std::string upstream_model(const Route& route, std::string_view model,
                           std::string_view star) {
  if (route.model.empty()) return std::string(model);
  std::string out = route.model;
  const std::size_t at = out.find(kStar);
  if (at != std::string::npos) out.replace(at, 1, star);
  return out;
}

bool is_below(std::string_view path, std::string_view prefix) {
  return path.starts_with(prefix) &&
         (path.size() == prefix.size() || path[prefix.size()] == '/');
}

}  // namespace

Routes::Routes(std::vector<Route> routes) : routes_(std::move(routes)) {
  for (const Route& route : routes_) {
    Table& table = tables_[route.prefix];
    const std::string_view name = route.name;
    const std::size_t star = name.find(kStar);
    if (star == std::string_view::npos) {
      table.exact.emplace(name, &route);
      table.names.push_back(name);
      continue;
    }
    table.patterns.push_back(
        Pattern{&route, name.substr(0, star), name.substr(star + 1)});
  }
  const auto more_specific = [](const Pattern& a, const Pattern& b) {
    return std::pair(a.before.size() + a.after.size(), a.before.size()) >
           std::pair(b.before.size() + b.after.size(), b.before.size());
  };
  for (auto& [prefix, table] : tables_) {
    std::stable_sort(table.patterns.begin(), table.patterns.end(),
                     more_specific);
  }
}

const Routes::Table* Routes::table(std::string_view prefix) const {
  const auto found = tables_.find(prefix);
  return found == tables_.end() ? nullptr : &found->second;
}

const std::vector<std::string_view>& Routes::names(
    std::string_view prefix) const {
  static const std::vector<std::string_view> none;
  const Table* found = table(prefix);
  return found == nullptr ? none : found->names;
}

std::vector<const Route*> Routes::patterns(std::string_view prefix) const {
  std::vector<const Route*> out;
  for (const Route& route : routes_) {
    if (route.prefix != prefix) continue;
    if (route.name.find(kStar) != std::string::npos) out.push_back(&route);
  }
  return out;
}

std::vector<std::string_view> Routes::prefixes() const {
  std::vector<std::string_view> out;
  for (const auto& [prefix, table] : tables_) {
    if (!prefix.empty()) out.push_back(prefix);
  }
  return out;
}

std::optional<Target> Routes::find(std::string_view model,
                                   std::string_view prefix) const {
  const Table* in = table(prefix);
  if (in == nullptr) return std::nullopt;
  if (const auto found = in->exact.find(model); found != in->exact.end()) {
    const Route& route = *found->second;
    return Target{route.backend, upstream_model(route, model, {}), &route};
  }
  for (const Pattern& pattern : in->patterns) {
    const std::size_t fixed = pattern.before.size() + pattern.after.size();
    if (model.size() < fixed || !model.starts_with(pattern.before) ||
        !model.ends_with(pattern.after)) {
      continue;
    }
    const std::string_view star =
        model.substr(pattern.before.size(), model.size() - fixed);
    return Target{pattern.route->backend,
                  upstream_model(*pattern.route, model, star), pattern.route};
  }
  return std::nullopt;
}

std::string_view Routes::prefix_of(std::string_view path) const {
  std::string_view longest;
  for (const auto& [prefix, table] : tables_) {
    if (prefix.size() > longest.size() && is_below(path, prefix)) {
      longest = prefix;
    }
  }
  return longest;
}

std::string_view Routes::only_backend(std::string_view prefix) const {
  std::string_view only;
  for (const Route& route : routes_) {
    if (route.prefix != prefix || route.backend == only) continue;
    if (!only.empty()) return {};
    only = route.backend;
  }
  return only;
}

}  // namespace llmproxy::gateway
