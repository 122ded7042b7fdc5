// EngineLoop: what the engine's thread runs. Waits for sockets, commands and
// deadlines with one epoll, lets libcurl do the transfers and tells the
// handlers how they ended. Lives and dies on that thread.
#pragma once

#include <curl/curl.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "client/command_queue.h"
#include "client/curl_groups.h"
#include "client/deadline_clock.h"
#include "client/easy_handle.h"
#include "client/idle_sockets.h"
#include "client/idle_times.h"

namespace llmproxy {

class EngineLoop {
 public:
  /// Null when the process has no descriptors or memory left.
  static std::unique_ptr<EngineLoop> create(
      const CurlOptions& options, std::size_t max_idle,
      std::shared_ptr<SharedCache> cache, std::shared_ptr<IdleTimes> times,
      std::shared_ptr<CommandQueue> commands);
  ~EngineLoop();
  EngineLoop(const EngineLoop&) = delete;
  EngineLoop& operator=(const EngineLoop&) = delete;

  /// Until the queue says stop and every transfer is over.
  void run();

 private:
  using Time = DeadlineClock::Time;

  EngineLoop(const CurlOptions& options, std::size_t max_idle,
             std::shared_ptr<SharedCache> cache,
             std::shared_ptr<IdleTimes> times,
             std::shared_ptr<CommandQueue> commands, int epoll);

  // libcurl's callbacks; `its_group` is a CurlGroup.
  static int on_socket(CURL* easy, curl_socket_t socket, int what,
                       void* its_group, void* known);
  static int on_timer(CURLM* multi, long delay, void* its_group);
  static int on_close(void* self, curl_socket_t socket) noexcept;

  void wait();
  int wait_time() const;
  void watch(int operation, int fd, std::uint32_t events, std::uint32_t group);
  /// Lets libcurl do what it can; tells the handlers of what ended by that.
  void act(CurlGroup& group, curl_socket_t socket, int events);
  void run_timers();

  /// Null when there is no memory.
  std::unique_ptr<EasyHandle> take_handle();
  void execute(const Command& command);
  void start(const std::shared_ptr<Job>& job);
  void check_deadlines();
  void shut_down();

  void arm(Job& job, Time now);
  void disarm(Job& job);
  /// Ends a running job with either reason and tells its handler.
  void end(Job& job, Error error);
  void end(Job& job, CURLcode code);
  std::shared_ptr<Job> take_out(Job& job);
  void recycle(Job& job);
  /// A transfer ended well.
  void note_idle(Job& job);
  /// A group with a connection of that origin that was left idle and may still
  /// be used; it may be offered in vain. Null = there is none.
  CurlGroup* take_idle(const std::string& origin, Time now);
  /// Those that were empty for longer than a connection is kept.
  void free_groups(Time now);

  const CurlOptions options_;
  const std::size_t max_idle_;
  const std::shared_ptr<SharedCache> cache_;
  const std::shared_ptr<IdleTimes> idle_times_;
  const std::shared_ptr<CommandQueue> commands_;
  const int epoll_;
  CurlGroups groups_;
  std::unordered_map<CURL*, std::shared_ptr<Job>> jobs_;
  std::set<std::pair<Time, Job*>> deadlines_;
  std::vector<std::unique_ptr<EasyHandle>> spare_;
  struct LeftIdle {
    Time since;
    CurlGroup* group;
  };
  /// By origin: when and where transfers that ended well left their connection,
  /// oldest first, less those that were let look for one.
  std::unordered_map<std::string, std::deque<LeftIdle>> left_idle_;
  IdleSockets idle_sockets_;
};

}  // namespace llmproxy
