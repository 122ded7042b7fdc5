// Recorder: a ResponseHandler that keeps what it is told, lets a test wait
// for it, and notices a Transport that breaks the order of calls.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "support/scripted_transport.h"

namespace llmproxy::testing {

class Recorder final : public ResponseHandler {
 public:
  /// Says what to do after a piece; called without the lock.
  std::function<Flow(std::string_view)> react;
  std::function<void()> when_done;

  void on_head(int status, const Headers& headers) override {
    const std::lock_guard lock(mutex_);
    if (status_ != 0 || result_) broken_ = true;
    status_ = status;
    headers_ = headers;
    changed_.notify_all();
  }
  Flow on_body(std::string_view bytes) override {
    {
      const std::lock_guard lock(mutex_);
      if (status_ == 0 || result_ || paused_) broken_ = true;
      body_ += bytes;
    }
    const Flow flow = react ? react(bytes) : Flow::go_on;
    const std::lock_guard lock(mutex_);
    paused_ = flow == Flow::pause;
    changed_.notify_all();
    return flow;
  }
  void on_done(const Result<void>& result) override {
    {
      const std::lock_guard lock(mutex_);
      if (result_) broken_ = true;
      result_ = result;
    }
    if (when_done) when_done();
    const std::lock_guard lock(mutex_);
    over_ = true;
    changed_.notify_all();
  }

  /// To be called before Transfer::resume().
  void expect_more() {
    const std::lock_guard lock(mutex_);
    paused_ = false;
  }
  /// False when patience ran out.
  bool wait_done() {
    return wait([this] { return over_; });
  }
  bool wait_body(std::size_t size) {
    return wait([this, size] { return body_.size() >= size; });
  }
  bool wait_head() {
    return wait([this] { return status_ != 0; });
  }

  bool done() const { return locked(over_); }
  int status() const { return locked(status_); }
  Headers headers() const { return locked(headers_); }
  std::string body() const { return locked(body_); }
  /// A call came twice, after the end, or during a pause.
  bool broken() const { return locked(broken_); }
  bool succeeded() const {
    return locked(result_).value_or(Error()).has_value();
  }
  /// The error, or an empty one of kind `internal` when there is none.
  Error error() const {
    const std::lock_guard lock(mutex_);
    return result_ && !*result_ ? result_->error() : Error();
  }

 private:
  template <class Condition>
  bool wait(Condition condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, condition);
  }
  template <class T>
  T locked(const T& value) const {
    const std::lock_guard lock(mutex_);
    return value;
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int status_ = 0;
  Headers headers_;
  std::string body_;
  std::optional<Result<void>> result_;
  bool paused_ = false;
  bool over_ = false;
  bool broken_ = false;
};

}  // namespace llmproxy::testing
