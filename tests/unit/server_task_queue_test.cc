// The server's threads: made when needed, reused, bounded, ended.
#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <thread>
#include <vector>

#include "server/task_queue.h"

using llmproxy::TaskQueue;
using namespace std::chrono_literals;

namespace {

bool put(TaskQueue& queue, TaskQueue::Task task) { return queue.enqueue(task); }

template <class Condition>
bool eventually(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

/// Tasks that wait until they are let go. It outlives the queue, whose threads
/// may come to it late.
struct Gate {
  std::promise<void> opening;
  std::shared_future<void> open = opening.get_future().share();
  std::atomic<int> waiting{0};

  TaskQueue::Task task() {
    return [this] {
      ++waiting;
      open.wait();
    };
  }
};

}  // namespace

TEST_CASE("a task queue reuses an idle thread") {
  TaskQueue queue({.max_threads = 4});
  std::promise<std::thread::id> first;
  REQUIRE(put(queue, [&] { first.set_value(std::this_thread::get_id()); }));
  const auto thread = first.get_future().get();
  CHECK(thread != std::this_thread::get_id());
  // The thread needs a moment to become idle; it is the only one by then.
  REQUIRE(eventually([&] {
    std::promise<std::thread::id> next;
    if (!put(queue, [&] { next.set_value(std::this_thread::get_id()); }))
      return false;
    return next.get_future().get() == thread;
  }));
  CHECK(queue.threads() < 4);
}

TEST_CASE("tasks wait while every thread is busy, the oldest is next") {
  Gate gate;
  std::vector<int> order;
  TaskQueue queue({.max_threads = 1});
  REQUIRE(put(queue, gate.task()));
  REQUIRE(eventually([&] { return gate.waiting == 1; }));
  for (int i = 0; i < 100; ++i) {
    REQUIRE(put(queue, [&, i] { order.push_back(i); }));
  }
  CHECK(queue.threads() == 1);
  CHECK(order.empty());
  gate.opening.set_value();
  CHECK(queue.shutdown(20s));
  REQUIRE(order.size() == 100);
  CHECK(std::is_sorted(order.begin(), order.end()));
}

TEST_CASE("threads without work end") {
  Gate gate;
  TaskQueue queue({.max_threads = 8, .idle = 1ms});
  for (int i = 0; i < 8; ++i) REQUIRE(put(queue, gate.task()));
  REQUIRE(eventually([&] { return gate.waiting == 8; }));
  CHECK(queue.threads() == 8);
  gate.opening.set_value();
  CHECK(eventually([&] { return queue.threads() == 0; }));
  // And come back.
  std::atomic<bool> ran = false;
  REQUIRE(put(queue, [&] { ran = true; }));
  CHECK(eventually([&] { return ran.load(); }));
}

TEST_CASE("shutdown waits for what runs, no longer than it is told") {
  Gate gate;
  TaskQueue queue({.max_threads = 2});
  REQUIRE(put(queue, gate.task()));
  REQUIRE(eventually([&] { return gate.waiting == 1; }));
  CHECK_FALSE(queue.shutdown(1ms));
  CHECK_FALSE(put(queue, [] {}));
  gate.opening.set_value();
  CHECK(queue.shutdown(10s));
  CHECK(queue.threads() == 0);
}

TEST_CASE("every task that was taken runs once") {
  constexpr int kTasks = 2000;
  std::vector<std::atomic<int>> runs(kTasks);
  {
    TaskQueue queue({.max_threads = 16, .idle = 1ms});
    for (int i = 0; i < kTasks; ++i) {
      TaskQueue::Task task = [&runs, i] { ++runs[i]; };
      REQUIRE(eventually([&] { return queue.enqueue(task); }));
    }
  }
  int once = 0;
  for (const auto& count : runs) once += count == 1;
  CHECK(once == kTasks);
}

TEST_CASE("a thread's stack holds a deep call") {
  TaskQueue queue({.max_threads = 1});
  std::promise<int> sum;
  REQUIRE(put(queue, [&] {
    volatile char frame[160 << 10];  // most of the 256 KiB
    for (std::size_t i = 0; i < sizeof(frame); i += 4096) frame[i] = 1;
    sum.set_value(frame[0] + frame[4096]);
  }));
  CHECK(sum.get_future().get() == 2);
}
