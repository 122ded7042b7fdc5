// StallClock: whether a client that has to be waited for takes anything
// meanwhile. Time is an argument, so that it can be tested without waiting.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace llmproxy::gateway {

class StallClock {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// What a client must take in `limit` to be waited for any longer: a slow
  /// line does, one that reads a byte now and then does not. Bytes.
  static constexpr std::uint64_t kLeast = 4096;

  /// 0 = waits for ever.
  explicit StallClock(std::chrono::milliseconds limit) : limit_(limit) {}

  std::chrono::milliseconds limit() const { return limit_; }
  /// The client is behind, and has taken so many bytes so far. True = it has
  /// taken too little for too long.
  bool passed(std::uint64_t taken, Time now) {
    if (!since_ || taken >= mark_ + kLeast) {
      since_ = now;
      mark_ = taken;
    }
    return limit_.count() > 0 && now - *since_ >= limit_;
  }
  /// It has taken everything.
  void reset() { since_.reset(); }

 private:
  const std::chrono::milliseconds limit_;
  std::optional<Time> since_;
  std::uint64_t mark_ = 0;  ///< what it had taken then
};

}  // namespace llmproxy::gateway
