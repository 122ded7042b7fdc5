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

  /// Is told on the watcher's thread that the peer ended its side, or that the
  /// connection is broken. True = enough; false = it wants to hear when the
  /// connection breaks. Returns soon and does not call the watcher.
  using Told = std::function<bool(bool broken)>;

  /// False = cannot be watched; the process may be out of descriptors.
  bool watch(int socket, Told told);
  /// Ends that; `told` is not running any more on return. Must come before
  /// the descriptor is closed.
  void forget(int socket);

 private:
  void run();
  void tell(int socket, bool broken);

  const int epoll_;
  const int stop_;  ///< an eventfd
  std::mutex mutex_;
  std::unordered_map<int, Told> watched_;
  std::thread thread_;
};

}  // namespace llmproxy
