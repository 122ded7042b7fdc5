// Faults on demand: models of the demo that fail in one known way each, so
// that people can see what their client makes of it.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "llmproxy/result.h"

namespace llmproxy::demo {

struct DemoFault {
  std::string_view model;
  /// Answers with this error instead of text.
  std::optional<ErrorKind> error = std::nullopt;
  std::string_view retry_after = {};  ///< seconds; empty = none
  /// Breaks off in the middle of the answer.
  bool cut = false;
  /// Waits this long before each piece of a stream.
  std::chrono::milliseconds pace{0};
};

/// The fault a model has; nullptr = it works.
const DemoFault* find_fault(std::string_view model);

}  // namespace llmproxy::demo
