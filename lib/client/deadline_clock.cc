#include "client/deadline_clock.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace llmproxy {
namespace {

using std::chrono::milliseconds;

/// One row a phase, in order.
struct Limit {
  std::string_view name;
  milliseconds Deadlines::*value;
};
constexpr std::array kLimits = {
    Limit{"connect", &Deadlines::connect},
    Limit{"first byte", &Deadlines::first_byte},
    Limit{"idle", &Deadlines::idle},
};

/// How long an upstream may take to end an answer that is complete.
constexpr milliseconds kLinger{1000};

}  // namespace

DeadlineClock::DeadlineClock(const Deadlines& limits, Time now)
    : limits_(limits), started_(now), mark_(now) {
  static_assert(kLimits.size() == kPhases);
}

void DeadlineClock::connected(Time now) {
  phase_ = Phase::waiting;
  mark_ = now;
}

void DeadlineClock::sent(Time now) {
  // An answer may begin before the request is over.
  if (phase_ == Phase::waiting) mark_ = now;
}

void DeadlineClock::heard(Time now) {
  phase_ = Phase::receiving;
  mark_ = now;
}

void DeadlineClock::pause() { phase_ = Phase::paused; }

void DeadlineClock::resume(Time now) { heard(now); }

void DeadlineClock::linger(Time now) {
  const auto end = std::chrono::ceil<milliseconds>(now - started_) + kLinger;
  const bool sooner = limits_.total.count() > 0 && limits_.total < end;
  if (!sooner) limits_.total = end;
}

std::optional<DeadlineClock::Passed> DeadlineClock::passed(Time now) const {
  if (phase_ != Phase::paused) {
    const Limit& row = kLimits[static_cast<std::size_t>(phase_)];
    const milliseconds limit = limits_.*row.value;
    if (limit.count() > 0 && now - mark_ >= limit) {
      return Passed{row.name, limit};
    }
  }
  if (limits_.total.count() > 0 && now - started_ >= limits_.total) {
    return Passed{"total", limits_.total};
  }
  return std::nullopt;
}

DeadlineClock::Time DeadlineClock::next_check(Time now) const {
  Time next = Time::max();
  const auto running = static_cast<std::size_t>(phase_);
  // A pause can only be followed by the last phase.
  for (std::size_t i = std::min(running, kLimits.size() - 1);
       i < kLimits.size(); ++i) {
    const milliseconds limit = limits_.*kLimits[i].value;
    if (limit.count() <= 0) continue;
    next = std::min(next, (i == running ? mark_ : now) + limit);
  }
  if (limits_.total.count() > 0)
    next = std::min(next, started_ + limits_.total);
  return next;
}

DeadlineClock::Passed DeadlineClock::connect_limit() const {
  return {kLimits.front().name, limits_.connect};
}

}  // namespace llmproxy
