// Edit distance over short words (Levenshtein, one row of memory).
#include "llmproxy/suggest.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"

namespace llmproxy {
namespace {

constexpr std::size_t kMaxMistakes = 2;
// Longer words cost their square, and nobody types them. Bytes.
constexpr std::size_t kLongest = 128;

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      const std::size_t replaced = diagonal + (same ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string did_you_mean(std::string_view word,
                         std::span<const std::string_view> known) {
  std::string_view best;
  if (word.size() > kLongest) return {};
  // A word of two letters is two mistakes away from any other. The dashes of
  // an option say nothing.
  const std::size_t dashes = std::min(word.find_first_not_of('-'), word.size());
  std::size_t best_distance = std::min(kMaxMistakes + 1, word.size() - dashes);
  for (const std::string_view candidate : known) {
    // Letters that one has more are mistakes, too.
    if (candidate.size() > word.size() + kMaxMistakes) continue;
    const std::size_t d = distance(word, candidate);
    if (d >= best_distance) continue;
    best = candidate;
    best_distance = d;
  }
  if (best.empty()) return {};
  return fmt::format("; did you mean \"{}\"?", best);
}

std::string list_of(std::span<const std::string_view> words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += i + 1 == words.size() ? " or " : ", ";
    out += words[i];
  }
  return out;
}

}  // namespace llmproxy
