// DeadlineClock: which of a transfer's deadlines runs, and whether it passed.
//
// Time is an argument, so that it can be tested without waiting. Activity is
// only stored; nobody has to move a timer when bytes arrive (next_check).
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "llmproxy/transport.h"

namespace llmproxy {

class DeadlineClock {
 public:
  using Time = std::chrono::steady_clock::time_point;

  struct Passed {
    std::string_view name;  ///< "connect", "first byte", "idle", "total"
    std::chrono::milliseconds limit;
  };

  DeadlineClock(const Deadlines& limits, Time now);

  /// The connection is up; the request is being sent.
  void connected(Time now);
  /// More of a large request was sent.
  void sent(Time now);
  /// Bytes of the answer arrived.
  void heard(Time now);
  /// The reader is slow: silence is not the upstream's while this lasts.
  void pause();
  void resume(Time now);
  /// What matters has come: one second more, and the total deadline passes.
  void linger(Time now);

  /// The deadline that has passed by `now`, if any.
  std::optional<Passed> passed(Time now) const;
  /// When to ask passed() again: not after the running deadline, nor after
  /// any that a later phase could start and end meanwhile. Time::max() =
  /// never.
  Time next_check(Time now) const;
  /// The first deadline, for when libcurl says that it passed.
  Passed connect_limit() const;

 private:
  enum class Phase { connecting, waiting, receiving, paused };
  static constexpr int kPhases = 3;  // with a limit of their own

  Deadlines limits_;
  Time started_;
  Time mark_;  ///< when the phase began, or bytes came last
  Phase phase_ = Phase::connecting;
};

}  // namespace llmproxy
