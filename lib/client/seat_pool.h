// Seats: how perform() runs a transfer on the calling thread. A seat is an
// easy handle with a small event loop and one warm connection; the pool lends
// them out by origin, so that any thread finds a connection that fits.
#pragma once

#include <curl/curl.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "client/easy_handle.h"
#include "llmproxy/transport.h"

namespace llmproxy {

class Seat {
 public:
  /// Null when the process has no memory or descriptors left.
  static std::unique_ptr<Seat> create(const CurlOptions& options);
  ~Seat();
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;

  /// Runs one transfer to its end, on_done included.
  void run(const UpstreamRequest& request, Exchange& exchange,
           const Cancelled& cancelled);

 private:
  Seat(CURLM* loop, std::unique_ptr<EasyHandle> handle);
  /// Runs until libcurl is done or we gave up; then the error says why.
  Result<CURLcode> drive(Exchange& exchange, const Cancelled& cancelled);

  CURLM* loop_;
  std::unique_ptr<EasyHandle> handle_;
};

/// Thread-safe.
class SeatPool {
 public:
  SeatPool(const CurlOptions& options, std::size_t max_idle);
  /// The seat used last for that origin (its connection is the freshest), or
  /// a new one, or null when there can be none.
  std::unique_ptr<Seat> take(const std::string& origin);
  void give_back(const std::string& origin, std::unique_ptr<Seat> seat);

 private:
  struct Idle {
    std::unique_ptr<Seat> seat;
    std::chrono::steady_clock::time_point since;
  };
  using Origins = std::unordered_map<std::string, std::vector<Idle>>;
  /// Takes the seat out that has been idle longest, if there are too many or
  /// it is too old. One at a time is enough: one came in.
  std::unique_ptr<Seat> evict(std::chrono::steady_clock::time_point now);

  const CurlOptions options_;
  const std::size_t max_idle_;
  std::mutex mutex_;
  Origins idle_;  ///< oldest first
  std::size_t count_ = 0;
};

}  // namespace llmproxy
