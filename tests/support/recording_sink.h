// RecordingSink: a client that keeps what it is sent, and can read slowly or
// leave. It also notes every call that breaks the contract of ResponseSink.
//
//   RecordingSink sink;
//   gateway.handle(request, sink);
//   CHECK(sink.status() == 200);
//   CHECK(sink.faults().empty());
#pragma once

#include <algorithm>
#include <limits>
#include <mutex>
#include <string>
#include <vector>

#include "llmproxy/gateway.h"
#include "support/scripted_transport.h"

namespace llmproxy::testing {

class RecordingSink final : public ResponseSink {
 public:
  void start(int status, const Headers& headers) override {
    const std::lock_guard lock(mutex_);
    if (status_ != 0) faults_.push_back("start twice");
    status_ = status;
    headers_ = headers;
  }

  Written write(std::string_view bytes) override {
    const std::lock_guard lock(mutex_);
    if (status_ == 0) faults_.push_back("write before start");
    if (finished_) faults_.push_back("write after finish");
    if (full_) faults_.push_back("write before drain");
    if (gone_) return Written::gone;
    body_ += bytes;
    writes_.emplace_back(bytes);
    unread_ += bytes.size();
    full_ = unread_ > capacity_;
    return full_ ? Written::not_now : Written::ok;
  }

  Written finish() override {
    const std::lock_guard lock(mutex_);
    if (status_ == 0) faults_.push_back("finish before start");
    if (finished_) faults_.push_back("finish twice");
    finished_ = true;
    return gone_ ? Written::gone : Written::ok;
  }

  Written drain(std::chrono::milliseconds limit) override {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (std::chrono::steady_clock::now() < end) {
      {
        const std::lock_guard lock(mutex_);
        if (gone_) return Written::gone;
        if (unread_ == 0) {
          full_ = false;
          return Written::ok;
        }
      }
      std::this_thread::sleep_for(kLook);
    }
    return Written::not_now;
  }

  void abandon(std::chrono::milliseconds) override {
    const std::lock_guard lock(mutex_);
    if (finished_) faults_.push_back("abandon after finish");
    abandoned_ = true;
  }

  std::optional<std::uint64_t> taken() override {
    const std::lock_guard lock(mutex_);
    return body_.size() - unread_;
  }

  bool client_gone() override {
    const std::lock_guard lock(mutex_);
    ++looks_;
    return gone_;
  }

  /// Bytes this client takes before it must read.
  void set_capacity(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    capacity_ = bytes;
  }
  /// Reads all that was written.
  void read() {
    const std::lock_guard lock(mutex_);
    unread_ = 0;
  }
  /// Reads so much, and is still behind.
  void read_some(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    unread_ -= std::min(bytes, unread_);
  }
  /// Closes the connection.
  void leave() {
    const std::lock_guard lock(mutex_);
    gone_ = true;
  }

  int status() const { return get(&RecordingSink::status_); }
  Headers headers() const { return get(&RecordingSink::headers_); }
  std::string body() const { return get(&RecordingSink::body_); }
  std::vector<std::string> writes() const {
    return get(&RecordingSink::writes_);
  }
  /// The client must read before it takes more.
  bool full() const { return get(&RecordingSink::full_); }
  bool finished() const { return get(&RecordingSink::finished_); }
  bool abandoned() const { return get(&RecordingSink::abandoned_); }
  /// Times client_gone() was asked.
  int looks() const { return get(&RecordingSink::looks_); }
  std::vector<std::string> faults() const {
    return get(&RecordingSink::faults_);
  }
  std::string header(std::string_view name) const {
    const Headers all = headers();
    return std::string(find_header(all, name));
  }

 private:
  template <class T>
  T get(T RecordingSink::*member) const {
    const std::lock_guard lock(mutex_);
    return this->*member;
  }

  mutable std::mutex mutex_;
  int status_ = 0;
  Headers headers_;
  std::string body_;
  std::vector<std::string> writes_;
  std::vector<std::string> faults_;
  std::size_t capacity_ = std::numeric_limits<std::size_t>::max();
  std::size_t unread_ = 0;
  int looks_ = 0;
  bool full_ = false;
  bool gone_ = false;
  bool finished_ = false;
  bool abandoned_ = false;
};

}  // namespace llmproxy::testing
