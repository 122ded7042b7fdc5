// Efforts and the budgets that stand for them: docs/dialects.md, "Effort and
// budgets".
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "llmproxy/chat.h"

namespace llmproxy {

/// The least budget of Anthropic's models; tokens.
inline constexpr std::int64_t kMinThinkingBudget = 1024;

struct EffortRow {
  Effort effort;
  std::string_view word;
  std::int64_t budget;  ///< tokens
};
/// One row an effort, in their order.
inline constexpr std::array kEffortRows = {
    EffortRow{Effort::none, "none", 0},
    EffortRow{Effort::minimal, "minimal", 1024},
    EffortRow{Effort::low, "low", 4096},
    EffortRow{Effort::medium, "medium", 8192},
    EffortRow{Effort::high, "high", 16384},
    EffortRow{Effort::xhigh, "xhigh", 24576},
    EffortRow{Effort::max, "max", 32000},
};
static_assert(kEffortRows.size() == static_cast<std::size_t>(kLastEffort) + 1);

constexpr const EffortRow& row_of(Effort effort) {
  return kEffortRows[static_cast<std::size_t>(effort)];
}
static_assert(row_of(Effort::max).effort == Effort::max);

/// Budgets become no more than the efforts that every model has.
constexpr Effort effort_of(std::int64_t budget) {
  if (budget < row_of(Effort::low).budget) return Effort::low;
  if (budget < row_of(Effort::high).budget) return Effort::medium;
  return Effort::high;
}

}  // namespace llmproxy
