// The windows of limits, and what is counted in one.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <limits>

#include "llmproxy/limits.h"

namespace llmproxy::gateway {

using Time = LimitClock::time_point;

// Small enough that sums of a few never overflow, more than anyone uses.
inline constexpr std::int64_t kMostTokens = 1'000'000'000'000'000;

/// What passed in one window.
struct Count {
  /// Number of the window since 1970.
  std::int64_t window = std::numeric_limits<std::int64_t>::min();
  std::int64_t requests = 0;
  std::int64_t tokens = 0;
};

struct Counter {
  Count minute;
  Count day;
};

/// A kind of window, what is counted in it and what limits it.
struct Window {
  const char* name;
  std::chrono::seconds length;
  Count Counter::*count;
  std::int64_t Limits::*requests;
  std::int64_t Limits::*tokens;

  std::int64_t number(Time time) const {
    return time.time_since_epoch() / length;
  }
  Time end(std::int64_t number) const { return Time(length * (number + 1)); }
  bool limited(const Limits& limits) const {
    return limits.*requests > 0 || limits.*tokens > 0;
  }
};

inline constexpr Window kMinute{"minute", std::chrono::minutes(1),
                                &Counter::minute, &Limits::requests_per_minute,
                                &Limits::tokens_per_minute};
inline constexpr Window kDay{"day", std::chrono::days(1), &Counter::day,
                             &Limits::requests_per_day,
                             &Limits::tokens_per_day};
inline constexpr std::array kWindows{kMinute, kDay};

inline bool any_limit(const Limits& limits) {
  return kMinute.limited(limits) || kDay.limited(limits);
}

/// Of numbers a caller or an upstream made up.
inline std::int64_t sane(std::int64_t tokens) {
  return std::clamp<std::int64_t>(tokens, 0, kMostTokens);
}

inline void add(Count& count, std::int64_t requests, std::int64_t tokens) {
  count.requests = sane(count.requests + requests);
  count.tokens = sane(count.tokens + tokens);
}

}  // namespace llmproxy::gateway
