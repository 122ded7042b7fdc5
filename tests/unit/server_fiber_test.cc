// The server's fibers: they wait without holding a thread, are woken by
// descriptors, time and other threads, and hand long work to helpers.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "client/signal.h"
#include "server/fiber_pool.h"

using namespace llmproxy;
using namespace std::chrono_literals;

namespace {

using Clock = std::chrono::steady_clock;

/// Runs `work` on a fiber of its own and waits until it is done. It may use
/// Catch's macros: this thread uses none meanwhile.
void run_on_fiber(FiberPool& pool, const std::function<void()>& work) {
  std::promise<void> over;
  Fiber::Task task = [&] {
    work();
    over.set_value();
  };
  if (!pool.enqueue(task)) FAIL("the pool is full");
  over.get_future().wait();
}

struct SocketPair {
  SocketPair() {
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0);
  }
  ~SocketPair() {
    for (const int end : ends) ::close(end);
  }
  SocketPair(const SocketPair&) = delete;
  SocketPair& operator=(const SocketPair&) = delete;

  std::array<int, 2> ends{};
};

}  // namespace

TEST_CASE("a task knows whether it is on a fiber") {
  CHECK_FALSE(FiberLoop::on_fiber());
  CHECK(thread_waiter() == nullptr);
  FiberPool pool(1);
  bool on_fiber = false;
  bool has_waiter = false;
  run_on_fiber(pool, [&] {
    on_fiber = FiberLoop::on_fiber();
    has_waiter = thread_waiter() != nullptr;
  });
  CHECK(on_fiber);
  CHECK(has_waiter);
}

TEST_CASE("fibers that wait leave the thread to others") {
  constexpr std::size_t kMany = 500;
  FiberPool pool(kMany);
  std::vector<SocketPair> pairs(kMany);
  std::atomic<std::size_t> begun{0};
  std::atomic<std::size_t> read{0};
  for (SocketPair& pair : pairs) {
    Fiber::Task task = [&] {
      ++begun;
      pollfd readable{pair.ends[0], POLLIN, 0};
      const int ready = wait_for({&readable, 1}, Clock::time_point::max());
      char byte = 0;
      if (ready == 1 && (readable.revents & POLLIN) != 0 &&
          ::read(pair.ends[0], &byte, 1) == 1 && byte == 'x')
        ++read;
    };
    REQUIRE(pool.enqueue(task));
  }
  // All of them wait at once, on as many threads as there are processors.
  while (begun < kMany) std::this_thread::yield();
  CHECK(read == 0);
  for (SocketPair& pair : pairs) REQUIRE(::write(pair.ends[1], "x", 1) == 1);
  CHECK(pool.shutdown(20s));
  CHECK(read == kMany);
}

TEST_CASE("a fiber can wait for the same descriptor again and again") {
  FiberPool pool(2);
  SocketPair pair;
  std::string heard;
  Fiber::Task listener = [&] {
    for (;;) {
      pollfd readable{pair.ends[0], POLLIN, 0};
      wait_for({&readable, 1}, Clock::time_point::max());
      char byte = 0;
      if (::read(pair.ends[0], &byte, 1) != 1 || byte == '.') return;
      heard += byte;
      ::write(pair.ends[0], "o", 1);
    }
  };
  REQUIRE(pool.enqueue(listener));
  for (const char byte : std::string("abc")) {
    char answer = 0;
    REQUIRE(::write(pair.ends[1], &byte, 1) == 1);
    REQUIRE(::read(pair.ends[1], &answer, 1) == 1);
  }
  REQUIRE(::write(pair.ends[1], ".", 1) == 1);
  CHECK(pool.shutdown(20s));
  CHECK(heard == "abc");
}

TEST_CASE("waiting ends in time, and what was waited for is forgotten") {
  FiberPool pool(1);
  SocketPair pair;
  run_on_fiber(pool, [&] {
    pollfd readable{pair.ends[0], POLLIN, 0};
    const auto begin = Clock::now();
    CHECK(wait_for({&readable, 1}, begin + 20ms) == 0);
    CHECK(Clock::now() >= begin + 20ms);
    CHECK(readable.revents == 0);
    // An earlier point in time after a later one, and one that has passed.
    CHECK(wait_for({&readable, 1}, Clock::now() + 5ms) == 0);
    CHECK(wait_for({}, Clock::now() - 1s) == 0);
    // A byte that comes now belongs to the next wait.
    CHECK(::write(pair.ends[1], "x", 1) == 1);
    CHECK(wait_for({}, Clock::now() + 5ms) == 0);
    CHECK(wait_for({&readable, 1}, Clock::time_point::max()) == 1);
  });
}

TEST_CASE("a peer that hangs up ends the wait") {
  FiberPool pool(1);
  SocketPair pair;
  run_on_fiber(pool, [&] {
    ::shutdown(pair.ends[1], SHUT_RDWR);
    pollfd readable{pair.ends[0], POLLIN, 0};
    CHECK(wait_for({&readable, 1}, Clock::time_point::max()) == 1);
    CHECK((readable.revents & (POLLIN | POLLHUP)) != 0);
  });
}

TEST_CASE("a fiber that never waits gives way to those that do") {
  // As many as there are loops work without a pause; others answer.
  const std::size_t loops = std::max(1u, std::thread::hardware_concurrency());
  FiberPool pool(loops + 8);
  std::atomic<bool> stop{false};
  std::atomic<std::size_t> busy{0};
  for (std::size_t i = 0; i < loops; ++i) {
    Fiber::Task task = [&] {
      ++busy;
      while (!stop) FiberLoop::give_way();
    };
    REQUIRE(pool.enqueue(task));
  }
  while (busy < loops) std::this_thread::yield();
  for (int i = 0; i < 20; ++i) {
    run_on_fiber(pool, [] { wait_for({}, Clock::now() + 1ms); });
  }
  CHECK(busy == loops);
  stop = true;
  CHECK(pool.shutdown(20s));
}

TEST_CASE("long work never runs on a loop, however much of it there is") {
  constexpr std::size_t kMany = 200;
  FiberPool pool(kMany);
  std::promise<void> opening;
  const auto open = opening.get_future().share();
  std::atomic<std::size_t> on_loop{0};
  std::atomic<std::size_t> begun{0};
  std::atomic<std::size_t> over{0};
  for (std::size_t i = 0; i + 1 < kMany; ++i) {
    Fiber::Task task = [&] {
      ++begun;
      run_apart([&] {
        if (thread_waiter() != nullptr) ++on_loop;
        open.wait();
      });
      ++over;
    };
    REQUIRE(pool.enqueue(task));
  }
  // Every loop still answers, though all helpers are taken.
  while (begun + 1 < kMany) std::this_thread::yield();
  run_on_fiber(pool, [] { wait_for({}, Clock::now() + 1ms); });
  CHECK(over == 0);
  opening.set_value();
  CHECK(pool.shutdown(20s));
  CHECK(over == kMany - 1);
  CHECK(on_loop == 0);
}

TEST_CASE("a wakeup is not lost, whenever it comes") {
  FiberPool pool(1);
  run_on_fiber(pool, [] {
    Waiter& waiter = *thread_waiter();
    waiter.wakeup().wake();  // before
    waiter.park(Clock::time_point::max());
    const auto begin = Clock::now();
    waiter.park(begin + 10ms);  // and was used up
    CHECK(Clock::now() >= begin + 10ms);
    Wakeup& wakeup = waiter.wakeup();
    std::thread other([&wakeup] { wakeup.wake(); });
    waiter.park(Clock::time_point::max());
    other.join();
  });
}

TEST_CASE("a signal wakes fibers and threads") {
  FiberPool pool(8);
  std::mutex mutex;
  Signal changed;
  int go = 0;
  int gone = 0;
  const auto wait_and_count = [&] {
    Signal::Lock lock(mutex);
    changed.wait(lock, [&] { return go > 0; });
    ++gone;
  };
  for (int i = 0; i < 5; ++i) {
    Fiber::Task task = wait_and_count;
    REQUIRE(pool.enqueue(task));
  }
  std::thread thread(wait_and_count);
  {
    const Signal::Lock lock(mutex);
    go = 1;
    changed.notify_all();
  }
  thread.join();
  CHECK(pool.shutdown(20s));
  CHECK(gone == 6);
}

TEST_CASE("long work runs on a thread of its own, errors included") {
  FiberPool pool(2);
  run_on_fiber(pool, [] {
    const auto fibers = std::this_thread::get_id();
    auto helper = fibers;
    bool waits_as_thread = false;
    run_apart([&] {
      helper = std::this_thread::get_id();
      waits_as_thread = thread_waiter() == nullptr;
    });
    CHECK(helper != fibers);
    CHECK(waits_as_thread);
    CHECK(std::this_thread::get_id() == fibers);
    CHECK_THROWS_AS(run_apart([] { throw std::runtime_error("full"); }),
                    std::runtime_error);
  });
  // Elsewhere it just runs.
  const auto here = std::this_thread::get_id();
  run_apart([&] { CHECK(std::this_thread::get_id() == here); });
}

TEST_CASE("a stack is released below what is in use") {
  FiberPool pool(1);
  run_on_fiber(pool, [] {
    std::array<int, 1000> kept{};
    for (std::size_t i = 0; i < kept.size(); ++i) kept[i] = static_cast<int>(i);
    // Returned memory reads as zeros.
    FiberLoop::release_unused_stack();
    for (std::size_t i = 0; i < kept.size(); ++i)
      REQUIRE(kept[i] == static_cast<int>(i));
  });
}

TEST_CASE("a pool takes so many tasks and no more, and none while it ends") {
  FiberPool pool(2);
  std::mutex mutex;
  Signal changed;
  bool open = false;
  const Fiber::Task stays = [&] {
    Signal::Lock lock(mutex);
    changed.wait(lock, [&] { return open; });
  };
  for (int i = 0; i < 2; ++i) {
    Fiber::Task task = stays;
    REQUIRE(pool.enqueue(task));
  }
  Fiber::Task third = stays;
  CHECK_FALSE(pool.enqueue(third));
  CHECK(third != nullptr);
  CHECK_FALSE(pool.shutdown(5ms));
  {
    const Signal::Lock lock(mutex);
    open = true;
    changed.notify_all();
  }
  CHECK(pool.shutdown(20s));
  CHECK_FALSE(pool.enqueue(third));
}

TEST_CASE("stacks are used again") {
  FiberPool pool(1000);
  for (int i = 0; i < 1000; ++i) run_on_fiber(pool, [] {});
  CHECK(pool.shutdown(20s));
}
