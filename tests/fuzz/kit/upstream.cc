#include "fuzz/kit/upstream.h"

#include <utility>

namespace llmproxy::fuzz {
namespace {

/// Answers are over before anybody could want something of them.
struct NothingToDo final : Transfer {
  void cancel() override {}
  void resume() override {}
};

std::string key_in(const UpstreamRequest& request) {
  for (const char* name : {"authorization", "x-api-key", "x-goog-api-key"}) {
    std::string_view value = find_header(request.headers, name);
    if (value.empty()) continue;
    value.remove_prefix(value.rfind(' ') + 1);
    return std::string(value);
  }
  return {};
}

}  // namespace

ScriptedUpstream::ScriptedUpstream(Judge judge) : judge_(std::move(judge)) {
  thread_ = std::thread([this] { work(); });
}

ScriptedUpstream::~ScriptedUpstream() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void ScriptedUpstream::set_answer(ScriptedAnswer answer) {
  const std::lock_guard lock(mutex_);
  answer_ = std::move(answer);
}

std::string ScriptedUpstream::take_fault() {
  const std::lock_guard lock(mutex_);
  return std::exchange(fault_, {});
}

void ScriptedUpstream::perform(const UpstreamRequest& request,
                               ResponseHandler& handler, const Cancelled&) {
  play(request, handler);
}

std::shared_ptr<Transfer> ScriptedUpstream::start(UpstreamRequest request,
                                                  ResponseHandler& handler) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.emplace([this, request = std::move(request), &handler] {
      play(request, handler);
    });
  }
  changed_.notify_all();
  return std::make_shared<NothingToDo>();
}

void ScriptedUpstream::play(const UpstreamRequest& request,
                            ResponseHandler& handler) {
  ScriptedAnswer answer;
  {
    const std::lock_guard lock(mutex_);
    answer = answer_;
    if (fault_.empty()) fault_ = judge_(request);
  }
  const std::size_t place = answer.body.find(ScriptedAnswer::kKey);
  if (place != std::string::npos) {
    answer.body.replace(place, ScriptedAnswer::kKey.size(), key_in(request));
  }
  handler.on_head(answer.status, answer.headers);
  // In two pieces; a client that reads slowly is not this test's.
  const std::string_view body = answer.body;
  const std::size_t half = body.size() / 2;
  const bool stopped = handler.on_body(body.substr(0, half)) == Flow::stop ||
                       handler.on_body(body.substr(half)) == Flow::stop;
  Error error;
  error.kind = stopped ? ErrorKind::cancelled : ErrorKind::upstream_truncated;
  error.fault = Fault::upstream;
  error.message = "broken off";
  if (stopped || answer.breaks_off) return handler.on_done(error);
  handler.on_done({});
}

void ScriptedUpstream::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    const std::function<void()> job = std::move(jobs_.front());
    jobs_.pop();
    lock.unlock();
    job();
    lock.lock();
  }
}

}  // namespace llmproxy::fuzz
