#include "gateway/slots.h"

namespace llmproxy::gateway {
namespace {

constexpr std::chrono::milliseconds kTick{200};

}  // namespace

bool Slots::take(std::chrono::milliseconds patience,
                 const std::function<bool()>& given_up) {
  if (limit_ == 0) return true;
  const auto begin = std::chrono::steady_clock::now();
  std::unique_lock lock(mutex_);
  while (taken_ >= limit_) {
    free_.wait_until(lock, std::chrono::steady_clock::now() + kTick);
    if (taken_ < limit_) break;
    const auto waited = std::chrono::steady_clock::now() - begin;
    if (patience.count() > 0 && waited >= patience) return false;
    lock.unlock();
    const bool gone = given_up();
    lock.lock();
    if (gone) return false;
  }
  ++taken_;
  return true;
}

bool Slots::try_take() {
  if (limit_ == 0) return true;
  const std::lock_guard lock(mutex_);
  if (taken_ >= limit_) return false;
  ++taken_;
  return true;
}

void Slots::give_back() {
  if (limit_ == 0) return;
  const std::lock_guard lock(mutex_);
  --taken_;
  free_.notify_one();
}

}  // namespace llmproxy::gateway
