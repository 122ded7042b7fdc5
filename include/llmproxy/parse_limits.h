// ParseLimits: how much JSON is read at once, and how deep.
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

/// Levels of nesting that a body may not reach. More than what it is made of
/// may have (RawJson: 64), by what dialects put around that: a client can send
/// back whatever it was answered.
inline constexpr std::size_t kDefaultMaxDepth = 80;

/// What is refused before memory is spent on it.
struct ParseLimits {
  /// Each object, array, string, number, boolean and null counts, names of
  /// members do not. At least 1.
  std::size_t max_values = kDefaultMaxValues;
  /// Texts with as many levels of arrays and objects, or more, are refused.
  std::size_t max_depth = kDefaultMaxDepth;
};

}  // namespace llmproxy
LLMPROXY_EXPORT_END
