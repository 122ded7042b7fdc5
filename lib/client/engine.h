// Engine: one thread that runs any number of transfers, for start().
//
// libcurl's multi interface driven by epoll: two descriptors and no stack for
// each stream, and no work that grows with the number of silent ones.
#pragma once

#include <cstddef>
#include <memory>
#include <thread>

#include "client/command_queue.h"
#include "client/idle_times.h"
#include "client/shared_cache.h"
#include "llmproxy/transport.h"

namespace llmproxy {

/// The caller's side; thread-safe.
class Engine {
 public:
  /// Null when the process has no descriptors, memory or threads left.
  static std::unique_ptr<Engine> create(const CurlOptions& options,
                                        std::size_t max_idle,
                                        std::shared_ptr<SharedCache> cache,
                                        std::shared_ptr<IdleTimes> idle_times);
  /// Cancels what runs, and returns after the last on_done; except on the
  /// engine's own thread (from a handler), which ends by itself afterwards.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  std::shared_ptr<Transfer> start(UpstreamRequest request,
                                  ResponseHandler& handler);

 private:
  Engine(std::shared_ptr<CommandQueue> commands, std::thread thread);

  const std::shared_ptr<CommandQueue> commands_;
  std::thread thread_;
};

}  // namespace llmproxy
