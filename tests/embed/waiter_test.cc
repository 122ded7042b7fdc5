// A host that runs fibers: calls that wait let the others run.
#include "llmproxy/waiting.h"

#include <poll.h>
#include <ucontext.h>

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "host.h"
#include "llmproxy/intercept.h"

namespace host {
namespace {

using Clock = std::chrono::steady_clock;

struct Fiber final : Wakeup {
  void wake() override { woken = true; }

  std::function<void()> task;
  std::array<char, std::size_t{1} << 20> stack;
  ucontext_t place;
  std::atomic<bool> woken = false;
  bool over = false;
};

/// The fibers of one thread, in the simplest form: each runs until it waits,
/// and asks for itself whether it may go on.
class Fibers final : public Waiter {
 public:
  void add(std::function<void()> task) {
    fibers_.push_back(std::make_unique<Fiber>());
    fibers_.back()->task = std::move(task);
  }

  /// Until all are over.
  void run() {
    set_thread_waiter(this);
    running_fibers = this;
    for (const auto& fiber : fibers_) {
      getcontext(&fiber->place);
      fiber->place.uc_stack.ss_sp = fiber->stack.data();
      fiber->place.uc_stack.ss_size = fiber->stack.size();
      fiber->place.uc_link = &loop_;
      makecontext(&fiber->place, &Fibers::begin, 0);
    }
    for (bool left = true; left;) {
      left = false;
      for (const auto& fiber : fibers_) {
        if (fiber->over) continue;
        left = true;
        running_ = fiber.get();
        swapcontext(&loop_, &fiber->place);
      }
    }
    set_thread_waiter(nullptr);
  }

  int poll(std::span<pollfd> descriptors, Time until) override {
    for (;;) {
      const int ready = ::poll(descriptors.data(), descriptors.size(), 0);
      if (ready != 0 || Clock::now() >= until) return ready;
      give_way();
    }
  }
  Wakeup& wakeup() override { return *running_; }
  void park(Time until) override {
    Fiber& self = *running_;
    while (!self.woken.exchange(false) && Clock::now() < until) give_way();
  }
  void run_apart(const std::function<void()>& work) override { work(); }

 private:
  inline static Fibers* running_fibers = nullptr;

  static void begin() {
    Fiber& self = *running_fibers->running_;
    self.task();
    self.over = true;
  }
  void give_way() {
    Fiber& self = *running_;
    swapcontext(&self.place, &loop_);
  }

  std::vector<std::unique_ptr<Fiber>> fibers_;
  Fiber* running_ = nullptr;
  ucontext_t loop_;
};

constexpr int kCalls = 5;

/// Lets no answer begin before all calls have: else a fast one would be over
/// before its fiber had to wait.
struct Together final : UpstreamInterceptor {
  void on_answer(const UpstreamRequest&, int, const Headers&) override {
    all_begun.wait();
  }
  std::latch all_begun{kCalls};
};

/// Counts what it is asked for.
struct Counting final : Waiter {
  int poll(std::span<pollfd>, Time) override { return ++polls; }
  Wakeup& wakeup() override { throw std::logic_error("nobody parks"); }
  void park(Time) override {}
  void run_apart(const std::function<void()>& work) override {
    ++apart;
    work();
  }
  int polls = 0;
  int apart = 0;
};

TEST_CASE("streams of a gateway share a thread as fibers") {
  Gateway gateway(demo_config(), make_demo_transport());
  std::array<Sink, kCalls> sinks;
  Fibers fibers;
  for (Sink& sink : sinks) {
    fibers.add([&] {
      gateway.handle(
          post("/v1/messages",
               R"({"model": "demo", "max_tokens": 50, "stream": true,)"
               R"("messages": [{"role": "user", "content": "Hello?"}]})"),
          sink);
    });
  }
  fibers.run();
  for (const Sink& sink : sinks) {
    CHECK(sink.status == 200);
    CHECK(sink.body.find("message_stop") != std::string::npos);
  }
}

TEST_CASE("streams that are pulled share a thread as fibers") {
  const auto together = std::make_shared<Together>();
  const Client client(
      demo_backend("openai"),
      make_intercepting_transport(make_demo_transport(), together));
  std::array<std::string, kCalls> texts;
  int begun = 0;
  int begun_when_first_ended = 0;
  Fibers fibers;
  for (std::string& text : texts) {
    fibers.add([&] {
      ++begun;
      together->all_begun.count_down();
      for (const OwnedStreamEvent& event : client.stream(question())) {
        if (event.part_kind == PartKind::text) text += event.text;
      }
      if (begun_when_first_ended == 0) begun_when_first_ended = begun;
    });
  }
  fibers.run();
  CHECK(begun_when_first_ended == kCalls);
  for (const std::string& text : texts) CHECK(text == "You said: Hello?");
}

TEST_CASE("waiting by the library is the host's") {
  Counting waiter;
  set_thread_waiter(&waiter);
  CHECK(thread_waiter() == &waiter);
  CHECK(wait_for({}, Clock::now()) == 1);
  bool done = false;
  run_apart([&] { done = true; });
  set_thread_waiter(nullptr);
  CHECK(done);
  CHECK(waiter.apart == 1);
  CHECK(wait_for({}, Clock::now()) == 0);
  CHECK(waiter.polls == 1);
}

TEST_CASE("large requests are translated apart, small ones at once") {
  Gateway gateway(demo_config(), make_demo_transport());
  const std::size_t words = GENERATE(std::size_t{10}, std::size_t{20'000});
  CAPTURE(words);
  std::string text;
  for (std::size_t i = 0; i < words; ++i) text += "word ";
  Counting waiter;
  set_thread_waiter(&waiter);
  Sink sink;
  gateway.handle(post("/v1/messages",
                      R"({"model": "demo", "max_tokens": 50, "messages": [)"
                      R"({"role": "user", "content": ")" +
                          text + R"("}]})"),
                 sink);
  set_thread_waiter(nullptr);
  CHECK(sink.status == 200);
  CHECK(waiter.apart == (words > 1000 ? 1 : 0));
}

}  // namespace
}  // namespace host
