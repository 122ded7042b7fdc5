// Relay: one upstream transfer whose bytes go to the client as they come. The
// transport's engine thread takes the bytes and writes to the client; the
// caller of handle() waits, and does what the engine must not: it asks
// whether the client is still there, waits for one that reads slowly, and
// ends the answer. What the bytes become is for derived classes to say.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "client/signal.h"
#include "gateway/call.h"

namespace llmproxy::gateway {

/// Used once. run() returns when the upstream's transfer is over, so the
/// object outlives every callback.
class Relay : public ResponseHandler {
 public:
  ~Relay() override;

  void run(UpstreamRequest request);

  // On the engine's thread.
  void on_head(int status, const Headers& headers) final;
  Flow on_body(std::string_view bytes) final;
  void on_done(const Result<void>& result) final;

 protected:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::hours kLongWait{1};

  /// Both are borrowed.
  Relay(Exchange& exchange, const Backend& backend);

  // What derived classes say; all with the mutex held.
  /// The upstream's head is in upstream_.
  virtual void take_head() {}
  /// A piece of its body: fills out_ and calls send(), or stops the transfer.
  virtual Flow take(std::string_view bytes) = 0;
  /// Nothing can follow what is in out_.
  virtual bool complete() const = 0;
  /// Called while the upstream is silent, at the latest `patience` after the
  /// last byte was sent.
  virtual void wait_quietly() {}
  virtual std::chrono::milliseconds patience() const { return kLongWait; }
  /// Just before out_ is written.
  virtual void look_at_output() {}
  /// The transfer is over, see result(), and the answer is not yet. What is
  /// put into out_ must be sent by write().
  virtual void end() = 0;
  /// Notes in the record what was learned.
  virtual void account() {}

  /// Sends out_ unless the client's buffer is full, and says how to go on.
  Flow send();
  /// Sends out_, and ends the answer when nothing can follow.
  void write();
  const Result<void>& result() const { return *result_; }
  bool client_gone() const { return client_gone_; }
  bool finished() const { return finished_.has_value(); }
  bool blocked() const { return blocked_; }

  Exchange& exchange_;
  Answer& answer_;
  // All below belong to the mutex.
  UpstreamAnswer upstream_;
  std::string out_;              ///< for the client, not yet written
  Clock::time_point last_sent_;  ///< to the client, or the head came

 private:
  using Lock = std::unique_lock<std::mutex>;
  class GoneNotice;

  // What the caller of handle() does when it wakes. The lock is given up while
  // the client or the transport is waited for.
  void look(Lock& lock);
  Clock::time_point next_look() const;
  void drain(Lock& lock);
  void cancel(Lock& lock);
  void wait_until_done(Lock& lock);
  void conclude(Lock& lock);
  bool needs_attention() const;
  bool over() const;

  Transport& transport_;
  std::shared_ptr<Transfer> transfer_;
  std::mutex mutex_;
  Signal changed_;
  std::optional<Clock::time_point> finished_;
  std::optional<Result<void>> result_;  ///< set once the transfer is over
  bool blocked_ = false;                ///< the client reads slowly
  bool client_gone_ = false;
  bool told_when_gone_ = false;
};

}  // namespace llmproxy::gateway
