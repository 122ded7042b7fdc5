// Slots: at most so many calls to upstreams at once; the next wait.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <mutex>

#include "client/signal.h"

namespace llmproxy::gateway {

/// Thread-safe.
class Slots {
 public:
  /// 0 = no limit.
  explicit Slots(std::size_t limit) : limit_(limit) {}

  /// Waits for a slot. False = none came free in time (0 = waits for ever),
  /// or `given_up`, which is asked a few times a second, said so. Each slot
  /// that was taken must be given back.
  bool take(std::chrono::milliseconds patience,
            const std::function<bool()>& given_up);
  /// Takes one that is free now.
  bool try_take();
  void give_back();

 private:
  const std::size_t limit_;
  std::mutex mutex_;
  Signal free_;
  std::size_t taken_ = 0;
};

/// Gives a taken slot back at the end of a scope.
class SlotGuard {
 public:
  explicit SlotGuard(Slots& slots) : slots_(slots) {}
  SlotGuard(const SlotGuard&) = delete;
  SlotGuard& operator=(const SlotGuard&) = delete;
  ~SlotGuard() { slots_.give_back(); }

 private:
  Slots& slots_;
};

}  // namespace llmproxy::gateway
