// PerProcess: what a fork() does not take along. The child has neither the
// engine's thread nor connections of its own: those it inherits are the
// parent's too, and both would read each other's answers. So the child makes
// everything anew, and lets what it inherited lie: its locks may be held by
// threads that are not there.
#pragma once

#include <unistd.h>

#include <atomic>
#include <functional>
#include <memory>
#include <utility>

namespace llmproxy {

/// Thread-safe.
template <class T>
class PerProcess {
 public:
  /// Null = there is none to be had.
  using Make = std::function<std::unique_ptr<T>()>;

  /// `first` belongs to the process that runs now; `make` makes another.
  PerProcess(std::unique_ptr<T> first, Make make)
      : make_(std::move(make)), now_(new Owned{getpid(), std::move(first)}) {}
  ~PerProcess() {
    const std::unique_ptr<Owned> owned(now_.load());
    if (owned->process != getpid()) (void)owned->value.release();
  }
  PerProcess(const PerProcess&) = delete;
  PerProcess& operator=(const PerProcess&) = delete;

  /// This process's. Null = there is none to be had.
  T* get() {
    Owned* seen = now_.load(std::memory_order_acquire);
    const pid_t process = getpid();
    if (seen->process == process) return seen->value.get();
    auto fresh = std::make_unique<Owned>(Owned{process, make_()});
    if (fresh->value == nullptr) return nullptr;  // perhaps next time
    if (!now_.compare_exchange_strong(seen, fresh.get(),
                                      std::memory_order_acq_rel)) {
      return seen->value.get();  // another thread was first
    }
    return fresh.release()->value.get();
  }

 private:
  struct Owned {
    pid_t process;
    std::unique_ptr<T> value;
  };

  const Make make_;
  std::atomic<Owned*> now_;
};

}  // namespace llmproxy
