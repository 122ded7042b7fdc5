// DeadlineClock: which deadline runs when, without waiting for any.
#include "client/deadline_clock.h"

#include <catch2/catch.hpp>
#include <chrono>

namespace llmproxy {
namespace {

using namespace std::chrono_literals;
using Time = DeadlineClock::Time;

const Time kStart = Time(1000s);

Deadlines limits() {
  Deadlines limits;
  limits.connect = 10s;
  limits.first_byte = 100s;
  limits.idle = 50s;
  limits.total = 0s;
  return limits;
}

std::string name_at(const DeadlineClock& clock, Time now) {
  const auto passed = clock.passed(now);
  return passed ? std::string(passed->name) : "none";
}

TEST_CASE("each phase has its own deadline, from its own start") {
  DeadlineClock clock(limits(), kStart);
  CHECK(name_at(clock, kStart + 9999ms) == "none");
  CHECK(name_at(clock, kStart + 10s) == "connect");

  clock.connected(kStart + 5s);
  CHECK(name_at(clock, kStart + 104s) == "none");
  CHECK(name_at(clock, kStart + 105s) == "first byte");

  clock.heard(kStart + 60s);
  CHECK(name_at(clock, kStart + 109s) == "none");
  CHECK(name_at(clock, kStart + 110s) == "idle");
  clock.heard(kStart + 109s);
  CHECK(name_at(clock, kStart + 158s) == "none");
  CHECK(clock.passed(kStart + 159s)->limit == 50s);
}

TEST_CASE("while a request is being sent its answer is not late") {
  DeadlineClock clock(limits(), kStart);
  clock.connected(kStart);
  clock.sent(kStart + 90s);
  CHECK(name_at(clock, kStart + 189s) == "none");
  CHECK(name_at(clock, kStart + 190s) == "first byte");
  // An answer that began is no longer about what is sent.
  clock.heard(kStart + 100s);
  clock.sent(kStart + 140s);
  CHECK(name_at(clock, kStart + 150s) == "idle");
}

TEST_CASE("silence during a pause does not count") {
  DeadlineClock clock(limits(), kStart);
  clock.heard(kStart);
  clock.pause();
  CHECK(name_at(clock, kStart + 24h) == "none");
  clock.resume(kStart + 24h);
  CHECK(name_at(clock, kStart + 24h + 49s) == "none");
  CHECK(name_at(clock, kStart + 24h + 50s) == "idle");
}

TEST_CASE("the total deadline runs in every phase") {
  Deadlines with_total = limits();
  with_total.total = 30s;
  DeadlineClock clock(with_total, kStart);
  clock.connected(kStart + 1s);
  CHECK(name_at(clock, kStart + 30s) == "total");
  clock.heard(kStart + 29s);
  CHECK(name_at(clock, kStart + 30s) == "total");
  clock.pause();
  CHECK(name_at(clock, kStart + 30s) == "total");
  CHECK(name_at(clock, kStart + 29s) == "none");
}

TEST_CASE("lingering leaves a second, and no more than there was") {
  DeadlineClock clock(limits(), kStart);
  clock.heard(kStart + 5s);
  clock.linger(kStart + 6s);
  CHECK(name_at(clock, kStart + 6999ms) == "none");
  CHECK(name_at(clock, kStart + 7s) == "total");
  CHECK(clock.next_check(kStart + 6s) == kStart + 7s);

  Deadlines with_total = limits();
  with_total.total = 6500ms;
  DeadlineClock other(with_total, kStart);
  other.heard(kStart + 5s);
  other.linger(kStart + 6s);
  CHECK(name_at(other, kStart + 6500ms) == "total");
}

TEST_CASE("zero is no limit") {
  Deadlines none;
  none.connect = none.first_byte = none.idle = none.total = 0ms;
  DeadlineClock clock(none, kStart);
  CHECK(clock.next_check(kStart) == Time::max());
  clock.connected(kStart);
  clock.heard(kStart);
  CHECK(name_at(clock, kStart + 1000h) == "none");
  CHECK(clock.next_check(kStart) == Time::max());
}

TEST_CASE("checking when told to misses no deadline") {
  // Whatever happens between two checks, the second is not later than the
  // deadline that then runs; and it is not at once, lest somebody spin.
  DeadlineClock clock(limits(), kStart);
  const Time first = clock.next_check(kStart);
  CHECK(first == kStart + 10s);  // connect
  clock.connected(kStart + 1s);
  clock.heard(kStart + 2s);
  CHECK(first <= kStart + 2s + 50s);

  const Time second = clock.next_check(first);
  CHECK(second == kStart + 2s + 50s);  // idle
  clock.heard(second - 1s);
  CHECK(name_at(clock, second) == "none");
  CHECK(clock.next_check(second) == second - 1s + 50s);

  clock.pause();
  const Time paused = clock.next_check(second);
  CHECK(paused > second);
  CHECK(paused <= second + 50s);

  DeadlineClock waiting(limits(), kStart);
  waiting.connected(kStart);
  // First byte would be 100 s; but an answer that starts now may go silent.
  CHECK(waiting.next_check(kStart) == kStart + 50s);
}

}  // namespace
}  // namespace llmproxy
