// Counts as upstreams write them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

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

/// One count, its place in the object that reports all, and its member.
template <class T>
struct CountField {
  std::string_view object;  ///< "" = directly in it
  std::string_view name;
  std::optional<std::int64_t> T::*member;
};
/// Those that are there.
template <class T>
void read_counts(std::span<const CountField<T>> fields, const Value& value,
                 T& out) {
  for (const CountField<T>& field : fields) {
    const Value object = field.object.empty() ? value : value[field.object];
    if (const auto count = count_of(object[field.name])) {
      out.*field.member = count;
    }
  }
}

}  // namespace llmproxy::json
