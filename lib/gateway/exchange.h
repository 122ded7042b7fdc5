// Exchange: one request on its way to its answer; what every endpoint gets.
#pragma once

#include <cstdint>
#include <string_view>

#include "gateway/answer.h"
#include "gateway/core.h"
#include "llmproxy/gateway.h"

namespace llmproxy::gateway {

struct Exchange {
  const Core& core;
  HttpRequest request;
  Answer& answer;
  /// Dialect the client speaks, as far as path and headers tell.
  const Dialect& dialect;
  /// What follows an endpoint's path that ends in "/"; still encoded.
  std::string_view tail;
  /// Who asks, see find_client.
  std::uint64_t client = 0;
};

}  // namespace llmproxy::gateway
