// HandlePool: how perform() runs a transfer on the calling thread. A
// PooledHandle is an easy handle with a small event loop and one warm
// connection; the pool lends them out by origin, so that any thread finds a
// connection that fits.
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
#include "client/idle_times.h"
#include "llmproxy/transport.h"

namespace llmproxy {

class PooledHandle {
 public:
  /// Null when the process has no memory or descriptors left.
  static std::unique_ptr<PooledHandle> create(
      const CurlOptions& options, std::shared_ptr<SharedCache> cache);
  ~PooledHandle();
  PooledHandle(const PooledHandle&) = delete;
  PooledHandle& operator=(const PooledHandle&) = delete;

  /// Runs one transfer to its end, on_done included.
  void run(const UpstreamRequest& request, CurlTransfer& transfer,
           const Cancelled& cancelled, std::chrono::milliseconds max_idle);

 private:
  using Time = std::chrono::steady_clock::time_point;

  PooledHandle(CURLM* loop, std::unique_ptr<EasyHandle> handle);
  static int on_socket(CURL* easy, curl_socket_t socket, int what, void* self,
                       void* known);
  static int on_timer(CURLM* loop, long milliseconds, void* self);

  /// Runs until libcurl is done or we gave up; then the error says why.
  Result<CURLcode> drive(CurlTransfer& transfer, const Cancelled& cancelled);
  /// Waits for the sockets and lets libcurl do what there is to do.
  CURLMcode turn(Time until);

  CURLM* loop_;
  std::unique_ptr<EasyHandle> handle_;
  std::vector<pollfd> sockets_;  ///< what libcurl waits for
  std::vector<pollfd> ready_;    ///< the same, while it is told of them
  Time curl_due_ = Time::max();  ///< when libcurl wants to be called
};

/// Thread-safe.
class HandlePool {
 public:
  HandlePool(const CurlOptions& options, std::size_t max_handles,
             std::shared_ptr<SharedCache> cache,
             std::shared_ptr<IdleTimes> idle_times);
  /// Runs one transfer on a handle.
  void run(const UpstreamRequest& request, CurlTransfer& transfer,
           const Cancelled& cancelled);

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Idle {
    std::unique_ptr<PooledHandle> handle;
    Time since;
  };
  using Origins = std::unordered_map<std::string, std::vector<Idle>>;

  /// The handle used last for that origin (its connection is the freshest), or
  /// a new one, or null when there can be none.
  std::unique_ptr<PooledHandle> take(const std::string& origin);
  void give_back(const std::string& origin,
                 std::unique_ptr<PooledHandle> handle);
  /// Takes the handles out that have been idle too long, and the oldest if
  /// there are too many. A few at a time: one came in.
  std::vector<std::unique_ptr<PooledHandle>> evict(Time now);
  std::unique_ptr<PooledHandle> evict_oldest(Time now);

  const CurlOptions options_;
  const std::size_t max_handles_;
  const std::shared_ptr<SharedCache> cache_;
  const std::shared_ptr<IdleTimes> idle_times_;
  std::mutex mutex_;
  Origins idle_;  ///< oldest first
  std::size_t count_ = 0;
};

}  // namespace llmproxy
