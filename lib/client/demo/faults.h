// Faults on demand: models of the demo that fail in one known way each, so
// that people can see what their client makes of it. docs/demo.md names them.
#pragma once

#include <chrono>
#include <span>
#include <string_view>

#include "llmproxy/result.h"

namespace llmproxy::demo {

struct DemoFault {
  std::string_view model;
  /// Answers with this HTTP status and an error instead of text; 0 = not.
  int status = 0;
  std::string_view retry_after = {};  ///< seconds; empty = none
  /// Breaks off in the middle of the answer.
  bool cut = false;
  /// Waits this long before each piece of a stream.
  std::chrono::milliseconds pace{0};
};

/// All there are, in the order of their names.
std::span<const DemoFault> faults();

/// The fault a model has; nullptr = it works.
const DemoFault* find_fault(std::string_view model);

/// Error: not_found for a name that is of the demo's kind ("demo-...") and
/// none of its models. Names of other kinds are answered: routes lead there.
Result<void> check_model(std::string_view model);

}  // namespace llmproxy::demo
