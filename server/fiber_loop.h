// FiberLoop: one thread that runs any number of fibers. Each takes its turn
// until it waits: for a descriptor, a wakeup or a point in time. One epoll
// knows what all of them wait for.
//
// Who need not wait must give way: a client that sends without a pause, or
// many requests at once, would have the thread for itself. Those that had a
// whole slice of time go on one by one, when nobody else is ready.
//
// Thread-safe: enqueue(), stop(), wake(), fibers(). The rest is the Waiter of
// its own thread (llmproxy/waiting.h).
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "llmproxy/waiting.h"
#include "server/fiber.h"
#include "server/task_queue.h"

namespace llmproxy {

class FiberLoop final : public Waiter {
 public:
  /// `helpers` run what run_apart() is given; borrowed.
  explicit FiberLoop(TaskQueue& helpers);
  FiberLoop(const FiberLoop&) = delete;
  FiberLoop& operator=(const FiberLoop&) = delete;
  /// Waits until every fiber is over.
  ~FiberLoop() override;

  /// False = the process had no descriptors or threads for it.
  bool ok() const { return thread_.joinable(); }
  /// Runs `task` soon on a fiber of its own.
  void enqueue(Fiber::Task task);
  /// Ends the thread once no fiber is left.
  void stop();
  /// Those that wait to begin included.
  std::size_t fibers() const { return fibers_; }
  /// Ends park() of a fiber of this loop; from any thread.
  void wake(Fiber& fiber);
  /// Whether the caller is on a fiber, and may wait.
  static bool on_fiber();
  /// To be called now and then by work that may go on for long without
  /// waiting: lets the others of the loop run, once the calling fiber has had
  /// its slice of time. Elsewhere: nothing.
  static void give_way();
  /// Gives back to the system what the stack of the calling fiber does not
  /// hold at this moment, for fibers that are about to wait for long: deep
  /// calls leave pages behind that nobody needs again. Elsewhere: nothing.
  static void release_unused_stack();

  int poll(std::span<pollfd> descriptors, Time until) override;
  Wakeup& wakeup() override { return *running_; }
  void park(Time until) override;
  void run_apart(const std::function<void()>& work) override;

 private:
  /// What other threads want; taken once a turn.
  struct Inbox {
    std::vector<Fiber::Task> tasks;
    std::vector<Fiber*> wakes;
    bool stop = false;
  };

  void run();
  void post(const std::function<void(Inbox&)>& write);
  void take_inbox();
  void begin_some();
  void begin(Fiber::Task& task);
  void run_ready();
  void run(Fiber& fiber);
  void wait();
  int wait_time() const;
  void sleep(Fiber& fiber, Fiber::Waits what, Time until);
  void make_ready(Fiber& fiber);
  void note_event(int fd, std::uint32_t events);
  void end_waits(Time now);
  bool watch(const pollfd& socket, Fiber& fiber);
  void set_timer(Fiber& fiber, Time at);

  TaskQueue& helpers_;
  const int epoll_;
  const int inbox_fd_;  ///< an eventfd
  std::atomic<std::size_t> fibers_{0};
  std::mutex mutex_;
  Inbox inbox_;  ///< the mutex's
  // The thread's own:
  std::vector<Fiber*> taken_wakes_;
  std::deque<Fiber::Task> taken_tasks_;  ///< to begin, a few each turn
  bool stopping_ = false;
  std::vector<std::unique_ptr<Fiber>> all_;  ///< never freed before the end
  std::vector<Fiber*> spare_;
  std::deque<Fiber*> ready_;
  std::deque<Fiber*> gave_way_;
  Time slice_end_;                ///< of the running fiber
  std::vector<Fiber*> watchers_;  ///< by descriptor
  /// Each fiber at most once. May be earlier than what it waits for: a timer
  /// is moved only when it would come too late.
  std::set<std::pair<Time, Fiber*>> timers_;
  Fiber* running_ = nullptr;
  std::thread thread_;
};

}  // namespace llmproxy
