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

}  // namespace

Routes::Routes(std::vector<Route> routes) : routes_(std::move(routes)) {
  for (const Route& route : routes_) {
    const std::string_view name = route.name;
    const std::size_t star = name.find(kStar);
    if (star == std::string_view::npos) {
      exact_.emplace(name, &route);
      names_.push_back(name);
      continue;
    }
    patterns_.push_back(
        Pattern{&route, name.substr(0, star), name.substr(star + 1)});
  }
  const auto more_specific = [](const Pattern& a, const Pattern& b) {
    return std::pair(a.before.size() + a.after.size(), a.before.size()) >
           std::pair(b.before.size() + b.after.size(), b.before.size());
  };
  std::stable_sort(patterns_.begin(), patterns_.end(), more_specific);
}

std::optional<Target> Routes::find(std::string_view model) const {
  if (const auto found = exact_.find(model); found != exact_.end()) {
    const Route& route = *found->second;
    return Target{route.backend, upstream_model(route, model, {})};
  }
  for (const Pattern& pattern : patterns_) {
    const std::size_t fixed = pattern.before.size() + pattern.after.size();
    if (model.size() < fixed || !model.starts_with(pattern.before) ||
        !model.ends_with(pattern.after)) {
      continue;
    }
    const std::string_view star =
        model.substr(pattern.before.size(), model.size() - fixed);
    return Target{pattern.route->backend,
                  upstream_model(*pattern.route, model, star)};
  }
  return std::nullopt;
}

}  // namespace llmproxy::gateway
