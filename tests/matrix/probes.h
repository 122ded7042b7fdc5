// The rows of the tables: one thing of the canonical model each.
#pragma once

#include <span>
#include <string_view>

#include "llmproxy/chat.h"

namespace llmproxy::testing {

template <class Subject>
struct Probe {
  std::string_view group;  ///< heading of the table
  std::string_view name;
  void (*add)(Subject& subject);
  bool values = false;  ///< words of the dialect belong to the answer
  /// What must be there already; nullptr = nothing.
  void (*start)(Subject& subject) = nullptr;
};

/// What every probe is added to.
ChatRequest base_request();
ChatResponse base_response();

std::span<const Probe<ChatRequest>> request_probes();
std::span<const Probe<ChatResponse>> response_probes();

}  // namespace llmproxy::testing
