// ScriptedTransport: an upstream that does what a test tells it, without a
// network. Each call plays the next script, started calls on a thread of
// their own; what was sent to it is kept for the test to look at.
//
//   ScriptedTransport transport;
//   transport.play(Script().head(200, sse()).body("data: ...").silence());
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "llmproxy/transport.h"

namespace llmproxy::testing {

/// No test waits longer than this for anything.
inline constexpr std::chrono::seconds kPatience{20};
/// How often a waiting double looks again.
inline constexpr std::chrono::milliseconds kLook{1};

/// Waits until `condition` holds; false when patience ran out.
template <class Condition>
bool eventually(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(kLook);
  }
  return true;
}

inline Headers sse_head() { return {{"content-type", "text/event-stream"}}; }
inline Headers json_head() { return {{"content-type", "application/json"}}; }

/// Closed until a test opens it; a script waits before it.
class Gate {
 public:
  void open() { *open_ = true; }
  bool is_open() const { return *open_; }

 private:
  std::shared_ptr<std::atomic<bool>> open_ =
      std::make_shared<std::atomic<bool>>(false);
};

/// What an upstream does, in order. Without fail() the answer ends well.
class Script {
 public:
  Script& head(int status, Headers headers) {
    Step step{Kind::head};
    step.status = status;
    step.headers = std::move(headers);
    steps_.push_back(std::move(step));
    return *this;
  }
  Script& body(std::string bytes) {
    Step step{Kind::body};
    step.bytes = std::move(bytes);
    steps_.push_back(std::move(step));
    return *this;
  }
  /// Says nothing until the test opens the gate.
  Script& wait(Gate gate) {
    Step step{Kind::wait};
    step.gate = std::move(gate);
    steps_.push_back(std::move(step));
    return *this;
  }
  /// Says the same again and again until the test opens the gate.
  Script& repeat(std::string bytes, Gate gate) {
    Step step{Kind::repeat};
    step.bytes = std::move(bytes);
    step.gate = std::move(gate);
    steps_.push_back(std::move(step));
    return *this;
  }
  /// Says nothing until it is cancelled.
  Script& silence() { return wait(Gate()); }
  Script& fail(ErrorKind kind, std::string message) {
    Step step{Kind::fail};
    step.error.kind = kind;
    step.error.fault = Fault::upstream;
    step.error.message = std::move(message);
    steps_.push_back(std::move(step));
    return *this;
  }

 private:
  friend class ScriptedTransfer;
  enum class Kind { head, body, repeat, wait, fail };
  struct Step {
    Kind kind;
    int status = 0;
    Headers headers = {};
    std::string bytes = {};
    Gate gate = {};
    Error error = {};
  };
  std::vector<Step> steps_;
};

/// One call on its way.
class ScriptedTransfer final : public Transfer {
 public:
  void cancel() override { cancelled_ = true; }
  void resume() override {
    ++resumes_;
    paused_ = false;
  }
  bool cancelled() const { return cancelled_; }
  int pauses() const { return pauses_; }
  int resumes() const { return resumes_; }
  /// How many pieces the handler was given.
  int pieces() const { return pieces_; }

  void play(const Script& script, ResponseHandler& handler,
            const Cancelled& asked = {}) {
    for (const Script::Step& step : script.steps_) {
      if (asked && asked()) cancelled_ = true;
      if (cancelled_) break;
      switch (step.kind) {
        case Script::Kind::head:
          handler.on_head(step.status, step.headers);
          break;
        case Script::Kind::body:
          give(step.bytes, handler);
          break;
        case Script::Kind::repeat:
          wait(
              [&] {
                give(step.bytes, handler);
                return step.gate.is_open();
              },
              asked);
          break;
        case Script::Kind::wait:
          wait([&] { return step.gate.is_open(); }, asked);
          break;
        case Script::Kind::fail:
          handler.on_done(step.error);
          return;
      }
    }
    if (!cancelled_) return handler.on_done({});
    Error error;
    error.kind = ErrorKind::cancelled;
    error.message = "cancelled";
    handler.on_done(error);
  }

 private:
  void give(std::string_view bytes, ResponseHandler& handler) {
    // Set before the call, so that a resume during it is not lost.
    paused_ = true;
    ++pieces_;
    const Flow flow = handler.on_body(bytes);
    if (flow == Flow::stop) cancelled_ = true;
    if (flow != Flow::pause) return;
    ++pauses_;
    wait([this] { return !paused_; }, {});
  }

  template <class Condition>
  void wait(Condition condition, const Cancelled& asked) {
    const bool in_time = eventually([&] {
      if (asked && asked()) cancelled_ = true;
      return cancelled_ || condition();
    });
    if (!in_time) cancelled_ = true;
  }

  std::atomic<bool> cancelled_ = false;
  std::atomic<bool> paused_ = false;
  std::atomic<int> pauses_ = 0;
  std::atomic<int> resumes_ = 0;
  std::atomic<int> pieces_ = 0;
};

class ScriptedTransport final : public Transport {
 public:
  ~ScriptedTransport() override {
    for (const auto& transfer : transfers_) transfer->cancel();
    for (std::thread& thread : threads_) {
      // A call that is over may have held the last reference.
      const bool own = thread.get_id() == std::this_thread::get_id();
      own ? thread.detach() : thread.join();
    }
  }

  /// Scripts are played in the order they were given.
  void play(Script script) {
    const std::lock_guard lock(mutex_);
    scripts_.push_back(std::move(script));
  }

  /// Everything asked of this upstream so far.
  std::vector<UpstreamRequest> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  /// The calls run by start(), in order.
  std::vector<std::shared_ptr<ScriptedTransfer>> started() const {
    const std::lock_guard lock(mutex_);
    return transfers_;
  }

  void perform(const UpstreamRequest& request, ResponseHandler& handler,
               const Cancelled& cancelled) override {
    const Script script = next(request);
    ScriptedTransfer().play(script, handler, cancelled);
  }

  std::shared_ptr<Transfer> start(UpstreamRequest request,
                                  ResponseHandler& handler) override {
    Script script = next(request);
    auto transfer = std::make_shared<ScriptedTransfer>();
    const std::lock_guard lock(mutex_);
    transfers_.push_back(transfer);
    threads_.emplace_back([transfer, script = std::move(script), &handler] {
      transfer->play(script, handler);
    });
    return transfer;
  }

 private:
  // A call nobody planned for is told so, not left hanging.
  Script next(const UpstreamRequest& request) {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
    if (scripts_.empty()) {
      return Script().fail(ErrorKind::internal, "no script for this call");
    }
    Script script = std::move(scripts_.front());
    scripts_.pop_front();
    return script;
  }

  mutable std::mutex mutex_;
  std::deque<Script> scripts_;
  std::vector<UpstreamRequest> requests_;
  std::vector<std::shared_ptr<ScriptedTransfer>> transfers_;
  std::vector<std::thread> threads_;
};

}  // namespace llmproxy::testing
