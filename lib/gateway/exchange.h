// Exchange: one request on its way to its answer; what every endpoint gets.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "gateway/client_answer.h"
#include "gateway/core.h"
#include "gateway/mounts.h"
#include "llmproxy/byte_budget.h"
#include "llmproxy/gateway.h"

namespace llmproxy::gateway {

/// A request that was let in, until its end. Plain value.
struct Reservation {
  LimitScope scope;
  std::int64_t tokens = 0;
  LimitClock::time_point then;
};

struct Exchange {
  const Core& core;
  HttpRequest request;
  ClientAnswer& answer;
  /// Dialect the client speaks, as far as path and headers tell.
  const Dialect& dialect;
  /// What follows an endpoint's path that ends in "/"; still encoded.
  std::string_view tail;
  /// Who asks, see find_client.
  std::uint64_t client = 0;
  /// What the path is below, see mounts.h. `request.path` is what follows.
  Mount mount;
  /// Set once the limits let the request in.
  std::optional<Reservation> reservation = {};
  /// False where `request.path` has a version that the client left out.
  bool has_version = true;
  /// For images that were fetched for the request.
  ByteLease images = {};
};

}  // namespace llmproxy::gateway
