// Seats: how perform() runs a transfer on the calling thread. A seat is an
// easy handle with a small event loop and one warm connection; the pool lends
// them out by origin, so that any thread finds a connection that fits.
#pragma once

#include <curl/curl.h>
#include <poll.h>

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
  static std::unique_ptr<Seat> create(const CurlOptions& options,
                                      std::shared_ptr<SharedCache> cache);
  ~Seat();
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;

  /// Runs one transfer to its end, on_done included.
  void run(const UpstreamRequest& request, Exchange& exchange,
           const Cancelled& cancelled);

 private:
  using Time = std::chrono::steady_clock::time_point;

  Seat(CURLM* loop, std::unique_ptr<EasyHandle> handle);
  static int on_socket(CURL* easy, curl_socket_t socket, int what, void* self,
                       void* known);
  static int on_timer(CURLM* loop, long milliseconds, void* self);

  /// Runs until libcurl is done or we gave up; then the error says why.
  Result<CURLcode> drive(Exchange& exchange, const Cancelled& cancelled);
  /// Waits for the sockets and lets libcurl do what there is to do.
  CURLMcode turn(Time until);

  CURLM* loop_;
  std::unique_ptr<EasyHandle> handle_;
  std::vector<pollfd> sockets_;  ///< what libcurl waits for
  std::vector<pollfd> ready_;    ///< the same, while it is told of them
  Time curl_due_ = Time::max();  ///< when libcurl wants to be called
};

/// Thread-safe.
class SeatPool {
 public:
  SeatPool(const CurlOptions& options, std::size_t max_idle,
           std::shared_ptr<SharedCache> cache);
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
  const std::shared_ptr<SharedCache> cache_;
  std::mutex mutex_;
  Origins idle_;  ///< oldest first
  std::size_t count_ = 0;
};

}  // namespace llmproxy
