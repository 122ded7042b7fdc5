// HangupWatcher: tells when a client closes its connection, without anybody
// asking. One epoll and one thread for all sockets that are watched: with
// thousands of streams open, asking each of them a few times a second would
// cost more than the streams.
//
// Thread-safe.
#pragma once

#include <functional>
#include <mutex>
#include <thread>
#include <unordered_map>

namespace llmproxy {

class HangupWatcher {
 public:
  HangupWatcher();
  HangupWatcher(const HangupWatcher&) = delete;
  HangupWatcher& operator=(const HangupWatcher&) = delete;
  ~HangupWatcher();

  /// Calls `left` once, on the watcher's thread, when the peer closes its
  /// side. `left` must return soon and not call the watcher. False = cannot
  /// be watched; the process may be out of descriptors.
  bool watch(int socket, std::function<void()> left);
  /// Ends that; `left` is not running any more on return. Must come before
  /// the descriptor is closed.
  void forget(int socket);

 private:
  void run();
  void tell(int socket);

  const int epoll_;
  const int stop_;  ///< an eventfd
  std::mutex mutex_;
  std::unordered_map<int, std::function<void()>> watched_;
  std::thread thread_;
};

}  // namespace llmproxy
