// Waiting: how the library waits on a thread of its host.
//
// By itself it blocks the thread that calls: in poll(2) or on a condition
// variable. A host whose threads run fibers (many stacks on one thread) gives
// each such thread a Waiter; then Gateway::handle(), Client::send(),
// EventStream::next() and Transport::perform(), called on a fiber, let the
// other fibers run meanwhile. llm-proxy's server does so (server/fiber_loop.h).
//
//   MyWaiter waiter(my_scheduler);
//   set_thread_waiter(&waiter);  // on the thread that runs the fibers
//
// A fiber must stay on the thread on which it began to wait. The library holds
// no lock while it waits. Hosts with a Waiter ignore SIGPIPE.
#pragma once

#include <poll.h>

#include <chrono>
#include <functional>
#include <span>

#include "llmproxy/export.h"

LLMPROXY_EXPORT_BEGIN
namespace llmproxy {

/// Ends one fiber's Waiter::park(). Must be usable as long as its Waiter.
class Wakeup {
 public:
  virtual ~Wakeup() = default;
  /// From any thread. Not lost when it comes before park(): that returns at
  /// once then.
  virtual void wake() = 0;
};

/// What the fibers of one thread wait with; called on that thread only.
class Waiter {
 public:
  /// Points in time.
  using Time = std::chrono::steady_clock::time_point;

  virtual ~Waiter() = default;
  /// As poll(2), but until a point in time (max() = for ever): fills `revents`
  /// and returns how many are not 0. Without descriptors it sleeps.
  virtual int poll(std::span<pollfd> descriptors, Time until) = 0;
  /// Wakes the fiber that runs now.
  virtual Wakeup& wakeup() = 0;
  /// Sleeps until woken or `until`; may return early.
  virtual void park(Time until) = 0;
  /// Runs `work` where it delays no other fiber, on a thread without a Waiter,
  /// and returns when it is done. What it throws is thrown here.
  virtual void run_apart(const std::function<void()>& work) = 0;
};

/// That of the calling thread; null = it blocks.
Waiter* thread_waiter();
/// Borrowed; null takes it away.
void set_thread_waiter(Waiter* waiter);

/// poll(2) as the calling thread waits.
int wait_for(std::span<pollfd> descriptors, Waiter::Time until);
/// Runs `work`, which may take long, at once or as Waiter::run_apart().
void run_apart(const std::function<void()>& work);

}  // namespace llmproxy
LLMPROXY_EXPORT_END
