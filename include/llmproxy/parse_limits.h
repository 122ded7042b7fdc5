// ParseLimits: how much JSON is read at once.
//
// The size of a text bounds what it costs only where its values are large: two
// bytes can be a value, and a value that was read takes some hundred.
#pragma once

#include <cstddef>

#include "llmproxy/export.h"

LLMPROXY_EXPORT_BEGIN
namespace llmproxy {

/// Values that one JSON text may have, if nothing else is said. A million
/// tokens, the largest context there is, that are nothing but numbers and the
/// commas between them; requests of agents have some ten thousand.
inline constexpr std::size_t kDefaultMaxValues = 500'000;

/// What is refused before memory is spent on it.
struct ParseLimits {
  /// Each object, array, string, number, boolean and null counts, names of
  /// members do not. At least 1.
  std::size_t max_values = kDefaultMaxValues;
};

}  // namespace llmproxy
LLMPROXY_EXPORT_END
