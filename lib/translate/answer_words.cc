#include "translate/answer_words.h"

#include <fmt/format.h>

#include <algorithm>

#include "chat/losses.h"
#include "llmproxy/dialect_limits.h"

namespace llmproxy {
namespace {

constexpr std::string_view kTierPlace = "/service_tier";

std::string_view name_of(const Dialect& dialect) {
  return dialect.limits != nullptr ? dialect.limits->target : dialect.title;
}

bool has_word(const Dialect& dialect, std::string_view tier) {
  // A dialect of a host's own may say any.
  if (dialect.limits == nullptr) return true;
  const auto& rows = dialect.limits->used_tiers;
  return std::any_of(rows.begin(), rows.end(), [&](const TierWord& row) {
    return row.canonical == tier;
  });
}

}  // namespace

std::string_view tier_for(const Dialect& to, std::string_view tier,
                          Losses& losses) {
  if (tier.empty() || has_word(to, tier)) return tier;
  // A stream says it at its begin and at its end.
  const bool told =
      std::any_of(losses.begin(), losses.end(),
                  [](const Loss& loss) { return loss.path == kTierPlace; });
  if (told) return {};
  lose(losses, std::string(kTierPlace), name_of(to),
       fmt::format("the tier {} of an answer", tier));
  return {};
}

void tell_unknown_stop(const Dialect& to, StopReason reason,
                       std::string_view word, Losses& losses) {
  if (reason != StopReason::other || word.empty()) return;
  lose(losses, "/stop_reason", name_of(to),
       fmt::format("{} as a reason to stop", word), "it became the usual end");
}

}  // namespace llmproxy
