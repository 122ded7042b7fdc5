// Core: what every request of one Gateway shares. Immutable once built, so
// all threads read it without a lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "gateway/ending.h"
#include "gateway/health.h"
#include "gateway/keyed_hash.h"
#include "gateway/model_lists.h"
#include "gateway/random_id.h"
#include "gateway/response_store.h"
#include "gateway/routes.h"
#include "gateway/slots.h"
#include "llmproxy/gateway.h"

namespace llmproxy::gateway {

/// Seconds since 1970.
std::int64_t unix_now();

/// Answered by make_demo_transport().
bool is_demo(const Backend& backend);

class Core {
 public:
  Core(Config config, std::shared_ptr<Transport> transport, GatewayHooks hooks);

  const Config& config() const { return config_; }
  /// What is read of a request's body.
  ParseLimits parse_limits() const { return {config_.server.max_body_values}; }
  const Routes& routes() const { return routes_; }
  /// The one thing here that changes; it has a lock of its own.
  ResponseStore& responses() const { return responses_; }
  /// For calls to upstreams.
  Slots& slots() const { return slots_; }
  /// For fetches of images.
  Slots& image_slots() const { return image_slots_; }
  /// Lets everything pass where no limits are set.
  Limiter& limiter() const { return *hooks_.limiter; }
  /// How the backends do; atomic counters.
  Health& health() const { return health_; }
  /// What backends say that they have; it has a lock of its own.
  ModelLists& model_lists() const { return model_lists_; }
  /// For bodies and answers that are on their way; an atomic counter.
  ByteBudget& budget() const { return budget_; }
  /// Tells running calls that the process is about to exit.
  Ending& ending() const { return ending_; }
  const GatewayHooks& hooks() const { return hooks_; }
  /// Tells this Gateway from all others, and cannot be guessed.
  const std::string& mark() const { return mark_; }
  /// Unix seconds; what models are said to have been created at.
  std::int64_t started() const { return started_; }

  /// By name, or nullptr.
  const Backend* find_backend(std::string_view name) const;
  Transport& transport_for(const Backend& backend) const;
  /// "req_" and 16 hexadecimal digits, different for each call. One does not
  /// tell the next.
  std::string next_request_id();

 private:
  const Config config_;
  const Routes routes_;
  mutable ResponseStore responses_;
  mutable Health health_;
  mutable Slots slots_;
  mutable ByteBudget budget_;
  mutable Ending ending_;
  mutable Slots image_slots_;
  const GatewayHooks hooks_;  ///< with a limiter in any case
  const std::shared_ptr<Transport> transport_;
  const std::shared_ptr<Transport> demo_;  ///< null when no backend needs it
  /// Behind all that its questions use until they are over.
  mutable ModelLists model_lists_;
  const std::int64_t started_;
  /// Every request carries it: short, and different in a chain of proxies.
  const std::string mark_ = random_id().substr(0, 8);
  const HashSeed id_seed_ = random_hash_seed();
  std::atomic<std::uint64_t> request_count_ = 0;
};

}  // namespace llmproxy::gateway
