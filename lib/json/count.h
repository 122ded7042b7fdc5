// Counts as upstreams write them.
#pragma once

#include <cstdint>
#include <optional>

#include "json/json.h"

namespace llmproxy::json {

/// Nobody counts further; a few of these added up do not overflow.
inline constexpr std::int64_t kMaxCount = std::int64_t{1} << 50;

/// A number of tokens or the like; nullopt for what can be none.
inline std::optional<std::int64_t> count_of(const Value& value) {
  const auto count = value.integer();
  if (!count || *count < 0 || *count > kMaxCount) return std::nullopt;
  return count;
}

}  // namespace llmproxy::json
