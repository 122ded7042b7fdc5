// ConnectionPool: how perform() runs a transfer on the calling thread. Lends
// its connections out by origin, so that any thread finds one that fits.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "client/curl_connection.h"
#include "client/idle_times.h"
#include "llmproxy/transport.h"

namespace llmproxy {

/// Thread-safe.
class ConnectionPool {
 public:
  ConnectionPool(const CurlOptions& options, std::size_t max_connections,
                 std::shared_ptr<SharedCache> cache,
                 std::shared_ptr<IdleTimes> idle_times);
  /// Runs one transfer on a connection.
  void run(const UpstreamRequest& request, CurlTransfer& transfer,
           const Cancelled& cancelled);

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Idle {
    std::unique_ptr<CurlConnection> connection;
    Time since;
  };
  using Origins = std::unordered_map<std::string, std::vector<Idle>>;

  /// The one used last for that origin, or a new one, or null when there can be
  /// none.
  std::unique_ptr<CurlConnection> take(const std::string& origin);
  void give_back(const std::string& origin,
                 std::unique_ptr<CurlConnection> connection);
  /// Takes the connections out that have been idle too long, and the oldest if
  /// there are too many. A few at a time: one came in.
  std::vector<std::unique_ptr<CurlConnection>> evict(Time now);
  std::unique_ptr<CurlConnection> evict_oldest(Time now);

  const CurlOptions options_;
  const std::size_t max_connections_;
  const std::shared_ptr<SharedCache> cache_;
  const std::shared_ptr<IdleTimes> idle_times_;
  std::mutex mutex_;
  Origins idle_;  ///< oldest first
  std::size_t count_ = 0;
};

}  // namespace llmproxy
