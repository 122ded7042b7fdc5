// Signal: a condition variable on which fibers may wait too (waiting.h).
//
// All functions are called with the mutex held that guards the condition.
#pragma once

#include <condition_variable>
#include <list>
#include <mutex>

#include "base/internal_api.h"
#include "llmproxy/waiting.h"

LLMPROXY_INTERNAL_BEGIN
namespace llmproxy {

class Signal {
 public:
  using Lock = std::unique_lock<std::mutex>;

  /// May return early, as every condition variable. `until` may be max().
  void wait_until(Lock& lock, Waiter::Time until);
  template <class Condition>
  void wait(Lock& lock, Condition condition) {
    while (!condition()) wait_until(lock, Waiter::Time::max());
  }

  void notify_one();
  void notify_all();

 private:
  /// A fiber that waits; on its stack.
  struct Fiber {
    Wakeup& wakeup;
    bool listed = true;
  };
  void wait_as_fiber(Lock& lock, Waiter::Time until, Waiter& waiter);
  /// Takes the first out and wakes it; false = there is none.
  bool wake_fiber();

  std::condition_variable threads_;
  std::list<Fiber*> fibers_;  ///< those that wait longest first
};

}  // namespace llmproxy
LLMPROXY_INTERNAL_END
