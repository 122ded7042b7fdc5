#include "client/signal.h"

namespace llmproxy {

void Signal::wait_until(Lock& lock, Waiter::Time until) {
  if (Waiter* waiter = thread_waiter()) {
    return wait_as_fiber(lock, until, *waiter);
  }
  // The end of time overflows in a condition variable's arithmetic.
  if (until == Waiter::Time::max()) return threads_.wait(lock);
  threads_.wait_until(lock, until);
}

void Signal::wait_as_fiber(Lock& lock, Waiter::Time until, Waiter& waiter) {
  Fiber self{waiter.wakeup()};
  const auto place = fibers_.insert(fibers_.end(), &self);
  lock.unlock();
  waiter.park(until);
  lock.lock();
  // Who notified has taken it out.
  if (self.listed) fibers_.erase(place);
}

bool Signal::wake_fiber() {
  if (fibers_.empty()) return false;
  Fiber& first = *fibers_.front();
  fibers_.pop_front();
  first.listed = false;
  first.wakeup.wake();
  return true;
}

void Signal::notify_one() {
  if (!wake_fiber()) threads_.notify_one();
}

void Signal::notify_all() {
  while (wake_fiber()) {
  }
  threads_.notify_all();
}

}  // namespace llmproxy
