#include "llmproxy/waiting.h"

#include <algorithm>
#include <climits>

namespace llmproxy {
namespace {

thread_local Waiter* this_threads_waiter = nullptr;

/// Milliseconds for poll(2); rounded up, lest the caller turns in circles.
int milliseconds_until(Waiter::Time until) {
  using std::chrono::milliseconds;
  if (until == Waiter::Time::max()) return -1;
  const auto left =
      std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
  return static_cast<int>(
      std::clamp(left, milliseconds(0), milliseconds(INT_MAX)).count());
}

}  // namespace

Waiter* thread_waiter() { return this_threads_waiter; }

void set_thread_waiter(Waiter* waiter) { this_threads_waiter = waiter; }

int wait_for(std::span<pollfd> descriptors, Waiter::Time until) {
  if (Waiter* waiter = thread_waiter()) return waiter->poll(descriptors, until);
  return ::poll(descriptors.data(), descriptors.size(),
                milliseconds_until(until));
}

void run_apart(const std::function<void()>& work) {
  if (Waiter* waiter = thread_waiter()) return waiter->run_apart(work);
  work();
}

}  // namespace llmproxy
