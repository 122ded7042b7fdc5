// Limits: exact under many threads, aligned to the clock, bounded in memory.
#include <atomic>
#include <catch2/catch.hpp>
#include <limits>
#include <thread>

#include "llmproxy/limits.h"

namespace llmproxy {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

/// 2025-06-15, noon: a day and a minute begin at round times.
const LimitClock::time_point kDayStart{days(20254)};
const LimitClock::time_point kNoon = kDayStart + hours(12);

Limits per_minute(std::int64_t requests, std::int64_t tokens = 0) {
  Limits limits;
  limits.requests_per_minute = requests;
  limits.tokens_per_minute = tokens;
  return limits;
}

Limits per_day(std::int64_t requests, std::int64_t tokens = 0) {
  Limits limits;
  limits.requests_per_day = requests;
  limits.tokens_per_day = tokens;
  return limits;
}

std::unique_ptr<Limiter> limiter(const Limits& all,
                                 std::vector<LimitOverride> overrides = {},
                                 std::size_t max_scopes = 100) {
  LimitRules rules;
  rules.enabled = true;
  rules.limits = all;
  rules.overrides = std::move(overrides);
  rules.max_scopes = max_scopes;
  return make_memory_limiter(rules);
}

LimitScope user(const std::string& name) { return {name, "", "", ""}; }

/// How many of 32 x 1000 tries at one time are let through.
int admitted_by_many_threads(Limiter& limiter, std::int64_t tokens) {
  std::atomic<int> admitted{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 32; ++i) {
    threads.emplace_back([&limiter, &admitted, tokens, i] {
      const LimitScope scope{"user" + std::to_string(i), "", "gpt-5", "openai"};
      for (int n = 0; n < 1000; ++n) {
        if (limiter.reserve(scope, tokens, kNoon).allowed) ++admitted;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return admitted;
}

TEST_CASE("exactly the limit passes, however many threads ask", "[limits]") {
  CHECK(admitted_by_many_threads(*limiter(per_minute(5000)), 7) == 5000);
  CHECK(admitted_by_many_threads(*limiter(per_minute(0, 35000)), 7) == 5000);
  const auto narrow =
      limiter(per_minute(20000),
              {{LimitKind::user, "*", per_minute(500)},
               {LimitKind::model, "gpt-5", per_day(5000, 1'000'000)}});
  CHECK(admitted_by_many_threads(*narrow, 1) == 5000);
  // What other limits refused was not counted in that of everything.
  int left = 0;
  while (narrow->reserve({}, 0, kNoon).allowed) ++left;
  CHECK(left == 15000);
}

TEST_CASE("without limits all passes", "[limits]") {
  const auto none = limiter({});
  const LimitScope scope{"u", "k", "m", "p"};
  CHECK(none->reserve(scope, 1'000'000, kNoon).allowed);
  LimitRules off;
  off.limits = per_minute(1);
  const auto disabled = make_memory_limiter(off);
  for (int i = 0; i < 3; ++i) CHECK(disabled->reserve({}, 1, kNoon).allowed);
}

TEST_CASE("a refusal tells which limit, and when to try again", "[limits]") {
  const auto limited = limiter(per_minute(2));
  const auto now = kNoon + seconds(12) + milliseconds(500);
  CHECK(limited->reserve({}, 5, now).allowed);
  const LimitVerdict passed = limited->reserve({}, 5, now);
  CHECK(passed.allowed);
  CHECK(passed.scope.empty());
  const LimitVerdict refused = limited->reserve({}, 5, now);
  CHECK_FALSE(refused.allowed);
  CHECK(refused.scope == "all");
  CHECK(refused.metric == "requests");
  CHECK(refused.window == "minute");
  CHECK(refused.limit == 2);
  CHECK(refused.remaining == 0);
  CHECK(refused.retry_after == seconds(48));
  const auto late = kNoon + milliseconds(59'999);
  CHECK(limited->reserve({}, 5, late).retry_after == seconds(1));
}

TEST_CASE("the longest wait is told, the first limit at a tie", "[limits]") {
  Limits both = per_minute(1);
  both.requests_per_day = 1;
  const auto limited = limiter(both, {{LimitKind::user, "*", per_day(1)}});
  CHECK(limited->reserve(user("alice"), 0, kNoon).allowed);
  const LimitVerdict refused = limited->reserve(user("alice"), 0, kNoon);
  CHECK(refused.window == "day");
  CHECK(refused.scope == "all");
  CHECK(refused.retry_after == hours(12));

  const auto own = limiter(per_minute(1), {{LimitKind::user, "*", per_day(1)}});
  CHECK(own->reserve(user("alice"), 0, kNoon).allowed);
  CHECK(own->reserve(user("alice"), 0, kNoon).scope == "user:alice");
}

TEST_CASE("windows are the minutes and days of the clock", "[limits]") {
  const auto minute = limiter(per_minute(1));
  CHECK(minute->reserve({}, 0, kNoon + seconds(59)).allowed);
  CHECK_FALSE(minute->reserve({}, 0, kNoon + milliseconds(59'999)).allowed);
  CHECK(minute->reserve({}, 0, kNoon + seconds(60)).allowed);
  CHECK_FALSE(minute->reserve({}, 0, kNoon + seconds(61)).allowed);

  const auto day = limiter({}, {{LimitKind::user, "*", per_day(1)}});
  CHECK(day->reserve(user("a"), 0, kNoon).allowed);
  const auto last = kDayStart + days(1) - seconds(1);
  CHECK(day->reserve(user("a"), 0, last).retry_after == seconds(1));
  CHECK(day->reserve(user("a"), 0, kDayStart + days(1)).allowed);
}

TEST_CASE("a late thread does not reopen a window", "[limits]") {
  const auto limited = limiter(per_minute(1));
  CHECK(limited->reserve({}, 0, kNoon).allowed);
  CHECK_FALSE(limited->reserve({}, 0, kNoon - milliseconds(1)).allowed);
  CHECK_FALSE(limited->reserve({}, 0, kNoon).allowed);
  // A clock that was set back is believed.
  CHECK(limited->reserve({}, 0, kNoon - hours(1)).allowed);
  CHECK_FALSE(limited->reserve({}, 0, kNoon - hours(1)).allowed);
}

TEST_CASE("the first request passes a token limit of any size", "[limits]") {
  const auto limited = limiter(per_minute(0, 100));
  CHECK(limited->reserve({}, 5000, kNoon).allowed);
  const LimitVerdict refused = limited->reserve({}, 1, kNoon);
  CHECK_FALSE(refused.allowed);
  CHECK(refused.metric == "tokens");
  CHECK(refused.limit == 100);
  CHECK(refused.remaining == 0);
  CHECK(limited->reserve({}, 60, kNoon + minutes(1)).allowed);
  CHECK(limited->reserve({}, 50, kNoon + minutes(1)).remaining == 40);
  CHECK(limited->reserve({}, 40, kNoon + minutes(1)).allowed);

  // Each limit lets its own first one pass.
  const auto mixed = limiter(per_minute(0, 100),
                             {{LimitKind::user, "bob", per_minute(1, 10)}});
  CHECK(mixed->reserve(user("bob"), 50, kNoon).allowed);
  CHECK_FALSE(mixed->reserve(user("bob"), 1, kNoon).allowed);
  CHECK(mixed->reserve(user("eve"), 50, kNoon).allowed);
  CHECK_FALSE(mixed->reserve(user("eve"), 1, kNoon).allowed);
}

TEST_CASE("a row of its own goes before that of each", "[limits]") {
  const auto limited = limiter({}, {{LimitKind::user, "*", per_minute(1)},
                                    {LimitKind::user, "alice", per_minute(2)},
                                    {LimitKind::user, "root", {}}});
  for (const char* name : {"bob", "carol", "*"}) {
    CHECK(limited->reserve(user(name), 0, kNoon).allowed);
    CHECK_FALSE(limited->reserve(user(name), 0, kNoon).allowed);
  }
  CHECK(limited->reserve(user("alice"), 0, kNoon).allowed);
  CHECK(limited->reserve(user("alice"), 0, kNoon).allowed);
  CHECK(limited->reserve(user("alice"), 0, kNoon).limit == 2);
  for (int i = 0; i < 5; ++i) {
    CHECK(limited->reserve(user("root"), 0, kNoon).allowed);
    CHECK(limited->reserve(user(""), 0, kNoon).allowed);
  }
}

TEST_CASE("each kind has its own limits", "[limits]") {
  const auto limited = limiter({}, {{LimitKind::key, "same", per_minute(1)},
                                    {LimitKind::model, "same", per_minute(2)},
                                    {LimitKind::provider, "*", per_minute(3)}});
  const auto scope_of_refusal = [&](const LimitScope& scope) {
    return limited->reserve(scope, 0, kNoon).scope;
  };
  CHECK(scope_of_refusal({"same", "same", "same", "same"}).empty());
  CHECK(scope_of_refusal({"same", "same", "same", "same"}) == "key");
  CHECK(scope_of_refusal({"", "", "same", "same"}).empty());
  CHECK(scope_of_refusal({"", "", "same", "same"}) == "model:same");
  CHECK(scope_of_refusal({"", "", "", "same"}).empty());
  CHECK(scope_of_refusal({"", "", "", "same"}) == "provider:same");
}

TEST_CASE("no verdict holds a key", "[limits]") {
  const auto limited = limiter({}, {{LimitKind::key, "*", per_minute(1)}});
  const LimitScope secret{"", "sk-secret", "", ""};
  CHECK(limited->reserve(secret, 0, kNoon).allowed);
  const LimitVerdict refused = limited->reserve(secret, 0, kNoon);
  CHECK_FALSE(refused.allowed);
  for (const std::string& text :
       {refused.scope, refused.metric, refused.window}) {
    CHECK(text.find("sk-") == std::string::npos);
  }
  CHECK(limited->reserve({"", "sk-other", "", ""}, 0, kNoon).allowed);
}

TEST_CASE("a cancelled request leaves nothing counted", "[limits]") {
  Limits both = per_minute(1, 100);
  both.requests_per_day = 2;
  const auto limited = limiter({}, {{LimitKind::user, "*", both}});
  for (int i = 0; i < 5; ++i) {
    CHECK(limited->reserve(user("a"), 500, kNoon).allowed);
    CHECK_FALSE(limited->reserve(user("a"), 1, kNoon).allowed);
    limited->cancel(user("a"), 500, kNoon, kNoon + seconds(1));
  }
  // More taken back than there was: no credit comes of it.
  limited->cancel(user("a"), 500, kNoon, kNoon);
  limited->cancel(user("b"), 500, kNoon, kNoon);
  CHECK(limited->reserve(user("a"), 1, kNoon).allowed);
  CHECK_FALSE(limited->reserve(user("a"), 1, kNoon).allowed);
}

TEST_CASE("what was really taken replaces the guess", "[limits]") {
  const auto limited = limiter(per_minute(0, 100));
  CHECK(limited->reserve({}, 90, kNoon).allowed);
  limited->reconcile({}, 90, 20, kNoon, kNoon);
  CHECK(limited->reserve({}, 81, kNoon).remaining == 80);
  CHECK(limited->reserve({}, 30, kNoon).allowed);
  limited->reconcile({}, 30, 300, kNoon, kNoon);
  const LimitVerdict refused = limited->reserve({}, 1, kNoon);
  CHECK_FALSE(refused.allowed);
  CHECK(refused.remaining == 0);
  limited->reconcile({}, 1000, 0, kNoon, kNoon);
  CHECK(limited->reserve({}, 100, kNoon).allowed);
}

TEST_CASE("a window that is over is left alone", "[limits]") {
  Limits both = per_minute(0, 100);
  both.tokens_per_day = 1000;
  const auto later = kNoon + minutes(1);
  for (const std::string name : {"", "a"}) {
    const auto limited = name.empty()
                             ? limiter(both)
                             : limiter({}, {{LimitKind::user, "*", both}});
    CHECK(limited->reserve(user(name), 50, kNoon).allowed);
    CHECK(limited->reserve(user(name), 60, later).allowed);
    limited->reconcile(user(name), 50, 900, kNoon, later);
    // The minute began anew, the day goes on: 60 and 960 tokens.
    CHECK(limited->reserve(user(name), 40, later).allowed);
    const LimitVerdict refused = limited->reserve(user(name), 1, later);
    CHECK(refused.window == "day");
    CHECK(refused.limit == 1000);
    limited->cancel(user(name), 900, kNoon, later);
    CHECK(limited->reserve(user(name), 1, later).window == "minute");
  }
}

TEST_CASE("absurd numbers neither overflow nor give credit", "[limits]") {
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
  const auto limited = limiter(per_minute(0, 100));
  for (int i = 0; i < 3; ++i) {
    limited->reserve({}, kMost, kNoon);
    limited->reconcile({}, kLeast, kMost, kNoon, kNoon);
  }
  CHECK_FALSE(limited->reserve({}, 0, kNoon).allowed);
  limited->reconcile({}, kMost, kLeast, kNoon, kNoon);
  CHECK(limited->reserve({}, 100, kNoon).allowed);
  CHECK(limited->reserve({}, kLeast, kNoon).allowed);
  CHECK_FALSE(limited->reserve({}, 1, kNoon).allowed);
}

TEST_CASE("made-up names share one count once there are too many", "[limits]") {
  const auto limited = limiter({},
                               {{LimitKind::user, "*", per_minute(5)},
                                {LimitKind::user, "own", per_minute(2)}},
                               10);
  int admitted = 0;
  for (int i = 0; i < 1000; ++i) {
    const LimitScope scope = user("made-up" + std::to_string(i));
    if (limited->reserve(scope, 1, kNoon).allowed) ++admitted;
  }
  CHECK(admitted == 10 + 5);
  // Those that were there first, or have a row, keep their own.
  CHECK(limited->reserve(user("made-up3"), 1, kNoon).allowed);
  CHECK(limited->reserve(user("own"), 1, kNoon).allowed);
  // The shared count is settled as well.
  limited->cancel(user("made-up12"), 1, kNoon, kNoon);
  CHECK(limited->reserve(user("made-up500"), 1, kNoon).allowed);
  CHECK_FALSE(limited->reserve(user("made-up501"), 1, kNoon).allowed);
  // Windows that are over make room.
  for (int i = 500; i < 510; ++i) {
    const LimitScope scope = user("made-up" + std::to_string(i));
    for (int n = 0; n < 5; ++n) {
      CHECK(limited->reserve(scope, 1, kNoon + minutes(1)).allowed);
    }
  }
}

TEST_CASE("names of one kind do not push out those of another", "[limits]") {
  const auto limited = limiter({},
                               {{LimitKind::user, "*", per_minute(1)},
                                {LimitKind::model, "*", per_day(1)}},
                               4);
  for (int i = 0; i < 100; ++i) {
    limited->reserve(user(std::to_string(i)), 1, kNoon);
  }
  CHECK(limited->reserve({"", "", "gpt-5", ""}, 1, kNoon).allowed);
  CHECK(limited->reserve({"", "", "claude", ""}, 1, kNoon).allowed);
  CHECK(limited->reserve({"", "", "others", ""}, 1, kNoon).allowed);
  CHECK_FALSE(limited->reserve({"", "", "others2", ""}, 1, kNoon).allowed);
  // The next minute ends users' counts, not those of models' days.
  const auto later = kNoon + minutes(1);
  CHECK(limited->reserve(user("0"), 1, later).allowed);
  CHECK_FALSE(limited->reserve({"", "", "gpt-5", ""}, 1, later).allowed);
  CHECK_FALSE(limited->reserve({"", "", "others3", ""}, 1, later).allowed);
}

TEST_CASE("refused requests take no room for names", "[limits]") {
  Limits all = per_minute(1);
  const auto limited = limiter(all, {{LimitKind::user, "*", per_day(1)}}, 2);
  CHECK(limited->reserve({}, 1, kNoon).allowed);
  for (int i = 0; i < 10; ++i) {
    CHECK(limited->reserve(user(std::to_string(i)), 1, kNoon).scope == "all");
  }
  CHECK(limited->reserve(user("a"), 1, kNoon + minutes(1)).allowed);
  CHECK(limited->reserve(user("b"), 1, kNoon + minutes(2)).allowed);
  CHECK(limited->reserve(user("c"), 1, kNoon + minutes(3)).allowed);
  CHECK_FALSE(limited->reserve(user("d"), 1, kNoon + minutes(4)).allowed);
}

}  // namespace
}  // namespace llmproxy
