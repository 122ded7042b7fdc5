// The limiter in memory. Which counters a request touches is found outside
// the lock; checking and counting them is one short critical section.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "gateway/keyed_hash.h"
#include "gateway/limit_window.h"
#include "llmproxy/limits.h"

namespace llmproxy::gateway {
namespace {

// Threads arrive with times a little out of order; a clock that goes back
// further than this was set.
constexpr std::chrono::minutes kDisorder{1};

using Counters = std::unordered_map<std::uint64_t, Counter>;

/// A counter that is there from the beginning, with the limits it is for.
struct Fixed {
  Limits limits;
  Counter counter;
};

/// The rows of one kind. Names are kept as hashes: all of one size, and no
/// key in clear text.
struct Kind {
  const char* label;
  std::string LimitScope::*name;
  std::unordered_map<std::uint64_t, Fixed> named;
  /// The "*" row, if there is one.
  std::optional<Limits> each;
  Counters counters = {};  // of "*", by name
  Counter overflow = {};   // of "*", once `counters` is full
  /// The longest window that "*" limits; with it all its counters end.
  const Window* period = &kMinute;
  std::int64_t period_number = 0;
};

/// A counter that a request touches.
struct Touched {
  const Limits* limits;
  Kind* kind;            // null = of everything
  std::uint64_t id = 0;  // in kind->counters, when there is no `counter`
  Counter* counter = nullptr;
};

/// The limit that refused.
struct Refusal {
  Time end;  // of its window
  const Touched* touched = nullptr;
  const Window* window = nullptr;
  const char* metric = "";
  std::int64_t limit = 0;
  std::int64_t count = 0;
};

/// Keeps the limit with the longest wait in `worst`.
void check(const Touched& touched, std::int64_t tokens, Time now,
           std::optional<Refusal>& worst) {
  for (const Window& window : kWindows) {
    Count& count = touched.counter->*window.count;
    const std::int64_t number = window.number(now);
    if (count.window != number) count = {number};
    const Time end = window.end(number);
    if (worst && worst->end >= end) continue;
    const std::int64_t requests = touched.limits->*window.requests;
    const std::int64_t limit = touched.limits->*window.tokens;
    if (requests > 0 && count.requests >= requests) {
      worst = {end, &touched, &window, "requests", requests, count.requests};
    } else if (limit > 0 && count.tokens > 0 && count.tokens + tokens > limit) {
      worst = {end, &touched, &window, "tokens", limit, count.tokens};
    }
  }
}

LimitVerdict verdict_of(const Refusal& refusal, const LimitScope& scope,
                        Time now) {
  LimitVerdict verdict;
  verdict.allowed = false;
  verdict.retry_after =
      std::max(std::chrono::ceil<std::chrono::seconds>(refusal.end - now),
               std::chrono::seconds(1));
  const Kind* kind = refusal.touched->kind;
  verdict.scope = kind == nullptr ? "all" : kind->label;
  if (kind != nullptr && kind->name != &LimitScope::key) {
    verdict.scope.append(":").append(scope.*kind->name);
  }
  verdict.metric = refusal.metric;
  verdict.window = refusal.window->name;
  verdict.limit = refusal.limit;
  verdict.remaining = std::max<std::int64_t>(refusal.limit - refusal.count, 0);
  return verdict;
}

class MemoryLimiter final : public Limiter {
 public:
  explicit MemoryLimiter(const LimitRules& rules);

  LimitVerdict reserve(const LimitScope& scope, std::int64_t tokens,
                       Time now) override;
  void reconcile(const LimitScope& scope, std::int64_t reserved,
                 std::int64_t actual, Time then, Time /*now*/) override {
    settle(scope, 0, sane(actual) - sane(reserved), then);
  }
  void cancel(const LimitScope& scope, std::int64_t tokens, Time then,
              Time /*now*/) override {
    settle(scope, -1, -sane(tokens), then);
  }

 private:
  using Dropped = std::array<Counters, 4>;

  std::vector<Touched> touched_by(const LimitScope& scope);
  Time advance(Time now, Dropped& dropped);
  Counter* find(const Touched& touched) const;
  void settle(const LimitScope& scope, std::int64_t requests,
              std::int64_t tokens, Time then);

  const HashSeed seed_ = random_hash_seed();
  // The rows do not change once made; the mutex guards what is counted.
  std::mutex mutex_;
  Time latest_ = Time::min();
  Fixed all_;
  std::array<Kind, 4> kinds_{{{"user", &LimitScope::user, {}, {}},
                              {"key", &LimitScope::key, {}, {}},
                              {"model", &LimitScope::model, {}, {}},
                              {"provider", &LimitScope::provider, {}, {}}}};
  std::size_t max_counters_ = 0;  // of each kind
};

MemoryLimiter::MemoryLimiter(const LimitRules& rules) {
  if (!rules.enabled) return;
  all_.limits = rules.limits;
  for (const LimitOverride& row : rules.overrides) {
    const auto index = static_cast<std::size_t>(row.kind);
    if (index >= kinds_.size()) continue;
    Kind& kind = kinds_[index];
    if (row.name == "*") {
      kind.each = row.limits;
      kind.period = kDay.limited(row.limits) ? &kDay : &kMinute;
    } else {
      kind.named[keyed_hash(seed_, row.name)].limits = row.limits;
    }
  }
  // A part for each kind, so that a flood of one does not push out others,
  // and a name stays where it was counted first until its windows end.
  const auto parts = std::count_if(
      kinds_.begin(), kinds_.end(),
      [](const Kind& kind) { return kind.each && any_limit(*kind.each); });
  max_counters_ = rules.max_scopes /
                  std::max<std::size_t>(static_cast<std::size_t>(parts), 1);
}

// Needs no lock: reads names and limits, and only points at counters.
std::vector<Touched> MemoryLimiter::touched_by(const LimitScope& scope) {
  std::vector<Touched> touched;
  touched.reserve(1 + kinds_.size());
  if (any_limit(all_.limits)) {
    touched.push_back({&all_.limits, nullptr, 0, &all_.counter});
  }
  for (Kind& kind : kinds_) {
    const std::string& name = scope.*kind.name;
    if (name.empty() || (kind.named.empty() && !kind.each)) continue;
    const std::uint64_t id = keyed_hash(seed_, name);
    const auto row = kind.named.find(id);
    if (row != kind.named.end()) {
      Fixed& own = row->second;
      if (any_limit(own.limits)) {
        touched.push_back({&own.limits, &kind, id, &own.counter});
      }
    } else if (kind.each && any_limit(*kind.each)) {
      touched.push_back({&*kind.each, &kind, id, nullptr});
    }
  }
  return touched;
}

// A window that was over stays so, and its counters go; freeing many takes a
// while, so the caller does that, outside the lock.
Time MemoryLimiter::advance(Time now, Dropped& dropped) {
  if (now < latest_ && latest_ - now < kDisorder) now = latest_;
  latest_ = now;
  for (std::size_t i = 0; i < kinds_.size(); ++i) {
    Kind& kind = kinds_[i];
    const std::int64_t number = kind.period->number(now);
    if (kind.period_number == number) continue;
    kind.period_number = number;
    kind.counters.swap(dropped[i]);
    kind.overflow = {};
  }
  return now;
}

// nullptr = nothing counted yet, and there is room for a counter.
Counter* MemoryLimiter::find(const Touched& touched) const {
  if (touched.counter != nullptr) return touched.counter;
  Kind& kind = *touched.kind;
  const auto found = kind.counters.find(touched.id);
  if (found != kind.counters.end()) return &found->second;
  return kind.counters.size() < max_counters_ ? nullptr : &kind.overflow;
}

LimitVerdict MemoryLimiter::reserve(const LimitScope& scope,
                                    std::int64_t tokens, Time now) {
  std::vector<Touched> touched = touched_by(scope);
  if (touched.empty()) return {};
  tokens = sane(tokens);
  std::optional<Refusal> refusal;
  Dropped dropped;
  {
    const std::lock_guard lock(mutex_);
    now = advance(now, dropped);
    for (Touched& each : touched) {
      each.counter = find(each);
      // One that counted nothing refuses nothing.
      if (each.counter != nullptr) check(each, tokens, now, refusal);
    }
    if (!refusal) {
      for (const Touched& each : touched) {
        Counter& counter = each.counter != nullptr
                               ? *each.counter
                               : each.kind->counters[each.id];
        for (const Window& window : kWindows) {
          Count& count = counter.*window.count;
          count.window = window.number(now);
          add(count, 1, tokens);
        }
      }
    }
  }
  return refusal ? verdict_of(*refusal, scope, now) : LimitVerdict{};
}

void MemoryLimiter::settle(const LimitScope& scope, std::int64_t requests,
                           std::int64_t tokens, Time then) {
  const std::vector<Touched> touched = touched_by(scope);
  if (touched.empty()) return;
  const std::lock_guard lock(mutex_);
  for (const Touched& each : touched) {
    Counter* counter = find(each);
    if (counter == nullptr) continue;
    for (const Window& window : kWindows) {
      Count& count = counter->*window.count;
      if (count.window == window.number(then)) add(count, requests, tokens);
    }
  }
}

}  // namespace
}  // namespace llmproxy::gateway

namespace llmproxy {

std::unique_ptr<Limiter> make_memory_limiter(const LimitRules& rules) {
  return std::make_unique<gateway::MemoryLimiter>(rules);
}

}  // namespace llmproxy
