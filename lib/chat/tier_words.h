// Service tiers by the rows of a dialect: its own words and the canonical ones.
#pragma once

#include <span>
#include <string_view>

#include "llmproxy/dialect_limits.h"

namespace llmproxy {

/// The canonical word; one that has no row stays as it is.
constexpr std::string_view canonical_tier(std::span<const TierWord> rows,
                                          std::string_view own) {
  for (const TierWord& row : rows) {
    if (row.own == own) return row.canonical;
  }
  return own;
}

/// The other way.
constexpr std::string_view own_tier(std::span<const TierWord> rows,
                                    std::string_view canonical) {
  for (const TierWord& row : rows) {
    if (row.canonical == canonical) return row.own;
  }
  return canonical;
}

}  // namespace llmproxy
