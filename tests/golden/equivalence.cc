// Do two canonical values say the same? See equivalence.h.
#include "golden/equivalence.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "golden/facts.h"

namespace llmproxy::testing {
namespace {

bool excused(const Fact& fact, const Losses& losses) {
  return std::any_of(losses.begin(), losses.end(), [&](const Loss& loss) {
    return std::any_of(
        fact.places.begin(), fact.places.end(),
        [&](const std::string& place) { return related(loss.path, place); });
  });
}

// Walks both lists along their longest common subsequence. A fact that is
// gone needs a loss in its place; one that is new needs a gone one beside it,
// or an approximation somewhere (a made-up result, a reminder).
class Comparison {
 public:
  Comparison(const Facts& before, const Facts& after, const Losses& losses)
      : before_(before), after_(after), losses_(losses) {
    approximated_ = std::any_of(
        losses.begin(), losses.end(),
        [](const Loss& loss) { return loss.kind == LossKind::approximated; });
    fill_table();
  }

  std::string run() {
    excuse_ = approximated_;
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < before_.size() || j < after_.size()) {
      if (same(i, j)) {
        if (std::string wrong = end_hunk(); !wrong.empty()) return wrong;
        ++i, ++j;
      } else if (is_gone(i, j)) {
        if (!excused(before_[i], losses_)) {
          return "lost without a word: " + before_[i].text;
        }
        excuse_ = true;
        ++i;
      } else {
        new_ += after_[j++].text;
      }
    }
    return end_hunk();
  }

 private:
  bool same(std::size_t i, std::size_t j) const {
    return i < before_.size() && j < after_.size() &&
           before_[i].text == after_[j].text;
  }
  bool is_gone(std::size_t i, std::size_t j) const {
    return j == after_.size() ||
           (i < before_.size() && common(i + 1, j) >= common(i, j + 1));
  }
  std::string end_hunk() {
    if (!new_.empty() && !excuse_) return "came from nowhere: " + new_;
    new_.clear();
    excuse_ = approximated_;
    return "";
  }

  std::size_t& common(std::size_t i, std::size_t j) {
    return table_[i * (after_.size() + 1) + j];
  }
  std::size_t common(std::size_t i, std::size_t j) const {
    return table_[i * (after_.size() + 1) + j];
  }
  void fill_table() {
    table_.assign((before_.size() + 1) * (after_.size() + 1), 0);
    for (std::size_t i = before_.size(); i-- > 0;) {
      for (std::size_t j = after_.size(); j-- > 0;) {
        common(i, j) = same(i, j)
                           ? common(i + 1, j + 1) + 1
                           : std::max(common(i + 1, j), common(i, j + 1));
      }
    }
  }

  const Facts& before_;
  const Facts& after_;
  const Losses& losses_;
  std::vector<std::size_t> table_;
  std::string new_;
  bool approximated_ = false;
  bool excuse_ = false;
};

std::string compare(const Facts& before, const Facts& after,
                    const Losses& losses) {
  return Comparison(before, after, losses).run();
}

}  // namespace

bool related(std::string_view a, std::string_view b) {
  if (a.size() > b.size()) std::swap(a, b);
  return b.starts_with(a) &&
         (b.size() == a.size() || a.empty() || b[a.size()] == '/');
}

std::string unexplained_difference(const ChatRequest& before,
                                   const ChatRequest& after,
                                   const Losses& losses) {
  ChatRequest limited = before;
  if (!limited.max_output_tokens) {
    limited.max_output_tokens = after.max_output_tokens;
  }
  ChatRequest shown = after;
  if (before.reasoning.mode && before.reasoning.display.empty()) {
    shown.reasoning.display.clear();
  }
  return compare(facts_of(limited), facts_of(shown), losses);
}

std::string unexplained_difference(const ChatResponse& before,
                                   const ChatResponse& after,
                                   const Losses& losses) {
  return compare(facts_of(before), facts_of(after), losses);
}

}  // namespace llmproxy::testing
