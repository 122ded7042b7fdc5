#include "gateway/listed_models.h"

#include <memory>
#include <set>
#include <unordered_set>
#include <utility>

#include "gateway/model_lists.h"

namespace llmproxy::gateway {
namespace {

constexpr char kStar = '*';

/// What the `*` of `pattern` stands for in `text`.
std::optional<std::string_view> star_in(std::string_view pattern,
                                        std::string_view text) {
  const std::size_t star = pattern.find(kStar);
  if (star == std::string_view::npos) return std::nullopt;
  const std::string_view before = pattern.substr(0, star);
  const std::string_view after = pattern.substr(star + 1);
  if (text.size() < before.size() + after.size() || !text.starts_with(before) ||
      !text.ends_with(after)) {
    return std::nullopt;
  }
  return text.substr(before.size(), text.size() - before.size() - after.size());
}

/// One list in the making.
class Collection {
 public:
  Collection(const Core& core, std::string_view prefix)
      : routes_(core.routes()), lists_(core.model_lists()), prefix_(prefix) {}

  void add_names() {
    for (const std::string_view name : routes_.names(prefix_)) {
      const auto target = routes_.find(name, prefix_);
      add(std::string(name), target->backend);
    }
  }

  void add_pattern(const Route& route) {
    const auto names = lists_.names(route.backend);
    if (names == nullptr) return;
    for (const std::string& model : *names) {
      std::optional<std::string> name = client_name(route, model);
      if (!name) continue;
      // A more exact route may have taken the name.
      const auto target = routes_.find(*name, prefix_);
      if (!target || target->route != &route) continue;
      const bool first = shown_.emplace(route.backend, model).second;
      // The routes that nobody wrote ("openai/*") do not say it all again.
      if (first || !route.origin.empty())
        add(*std::move(name), target->backend);
    }
  }

  std::vector<ListedModel> take() { return std::move(models_); }

 private:
  void add(std::string id, std::string_view backend) {
    if (models_.size() == kMaxListed || !ids_.insert(id).second) return;
    models_.push_back({std::move(id), backend});
  }

  const Routes& routes_;
  const ModelLists& lists_;
  const std::string_view prefix_;
  std::vector<ListedModel> models_;
  std::unordered_set<std::string> ids_;
  std::set<std::pair<std::string_view, std::string>> shown_;
};

}  // namespace

std::optional<std::string> client_name(const Route& pattern,
                                       std::string_view model) {
  const std::string& asked =
      pattern.model.empty() ? pattern.name : pattern.model;
  const auto star = star_in(asked, model);
  if (!star) return std::nullopt;
  std::string name = pattern.name;
  const std::size_t at = name.find(kStar);
  if (at == std::string::npos) return std::nullopt;
  return name.replace(at, 1, *star);
}

std::vector<ListedModel> listed_models(const Core& core,
                                       std::string_view prefix) {
  Collection out(core, prefix);
  out.add_names();
  for (const Route* route : core.routes().patterns(prefix)) {
    out.add_pattern(*route);
  }
  return out.take();
}

}  // namespace llmproxy::gateway
