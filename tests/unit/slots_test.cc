// At most so many at once.
#include "gateway/slots.h"

#include <catch2/catch.hpp>

#include <atomic>
#include <thread>
#include <vector>

using llmproxy::gateway::SlotGuard;
using llmproxy::gateway::Slots;

namespace {

constexpr std::chrono::milliseconds kForEver{0};
bool never() { return false; }

}  // namespace

TEST_CASE("never more than the limit run at once, and all run") {
  Slots slots(3);
  std::atomic<int> running{0};
  std::atomic<int> most{0};
  std::atomic<int> done{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 200; ++j) {
        if (!slots.take(kForEver, never)) return;
        const SlotGuard guard(slots);
        const int now = ++running;
        int seen = most;
        while (now > seen && !most.compare_exchange_weak(seen, now)) {
        }
        std::this_thread::yield();
        --running;
        ++done;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(most <= 3);
  CHECK(done == 16 * 200);
}

TEST_CASE("who waits may give up, or run out of patience") {
  Slots slots(1);
  REQUIRE(slots.take(kForEver, never));
  CHECK_FALSE(slots.take(kForEver, [] { return true; }));
  CHECK_FALSE(slots.take(std::chrono::milliseconds(1), never));
  slots.give_back();
  CHECK(slots.take(kForEver, never));
}

TEST_CASE("without a limit nobody waits") {
  Slots slots(0);
  for (int i = 0; i < 100; ++i) CHECK(slots.take(kForEver, never));
}
