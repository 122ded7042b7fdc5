// Relay: one upstream transfer whose bytes go to the client as they come. The
// transport's engine thread takes the bytes and writes to the client; the
// caller of handle() waits, and does what the engine must not: it asks
// whether the client is still there, waits for one that reads slowly, and
// ends the answer. What the bytes become is for derived classes to say.
//
// What waits for the client is leased from the budget of all calls, but only
// then: a client that reads costs no lease, unless an event is large.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "client/signal.h"
#include "gateway/call.h"
#include "gateway/stall_clock.h"

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
  using Lock = std::unique_lock<std::mutex>;
  static constexpr std::chrono::hours kLongWait{1};
  /// What is written at once, so that a sink whose client does not read keeps
  /// no more. Only larger output is leased before it is written. Bytes.
  static constexpr std::size_t kPiece = std::size_t{64} << 10;

  /// Both are borrowed.
  Relay(Exchange& exchange, const Backend& backend);

  // What derived classes say; all with the mutex held.
  /// The upstream's head is in upstream_.
  virtual void take_head() {}
  /// A piece of its body: fills out_ and calls send(), or stops the transfer.
  virtual Flow take(std::string_view bytes) = 0;
  /// Nothing can follow what is in out_.
  virtual bool complete() const = 0;
  /// It is complete because it failed: the upstream is not heard any longer.
  virtual bool failed() const { return false; }
  /// The client would take an orderly end for that of a whole answer.
  virtual bool breaks_off() const { return false; }
  /// There is no room for what waits for the client, and the upstream is not
  /// heard any longer. Adds to out_ what tells the client.
  virtual void tell(const Error& error) { (void)error; }
  /// Called while the upstream is silent, at the latest `patience` after the
  /// last byte was sent.
  virtual void wait_quietly() {}
  virtual std::chrono::milliseconds patience() const { return kLongWait; }
  /// Just before out_ is written.
  virtual void look_at_output() {}
  /// The transfer is over, see result(), and the answer is not yet. What is
  /// put into out_ must be sent by write(). `lock` is of the mutex.
  virtual void end(Lock& lock) = 0;
  /// Notes in the record what was learned.
  virtual void account() {}

  /// Sends out_ unless the client's buffer is full, and says how to go on.
  Flow send();
  /// Sends out_, and ends the answer when nothing can follow. While the client
  /// reads slowly it waits for drain().
  void write();
  /// For end(): the same, and waits until the client takes more or is gone.
  void write_and_wait(Lock& lock);
  /// Leases what waits for the client. False = there is no room, and tell()
  /// was called, now or before.
  bool keep();
  const Result<void>& result() const { return *result_; }
  bool client_gone() const { return client_gone_; }
  bool finished() const { return finished_.has_value(); }
  bool blocked() const { return blocked_; }
  bool shut_down() const { return shut_down_; }

  Exchange& exchange_;
  ClientAnswer& answer_;
  // All below belong to the mutex.
  UpstreamAnswer upstream_;
  std::string out_;              ///< for the client, not yet written
  Clock::time_point last_sent_;  ///< to the client, or the head came

 private:
  class GoneNotice;

  // What the caller of handle() does when it wakes. The lock is given up while
  // the client or the transport is waited for.
  void look(Lock& lock);
  Clock::time_point next_look() const;
  void drain(Lock& lock);
  void give_client_up();
  void cancel(Lock& lock);
  void wait_until_done(Lock& lock);
  void conclude(Lock& lock);
  void end_connection(Lock& lock);
  bool needs_attention() const;
  bool over() const;
  Written write_output();
  Written write_queue();
  Written write_piece(std::string_view piece);
  bool lease_waiting();

  Transport& transport_;
  std::shared_ptr<Transfer> transfer_;
  std::mutex mutex_;
  Signal changed_;
  std::optional<Clock::time_point> finished_;
  std::optional<Result<void>> result_;  ///< set once the transfer is over
  bool blocked_ = false;                ///< the client reads slowly
  bool given_up_ = false;               ///< it reads too slowly
  bool client_gone_ = false;
  bool told_when_gone_ = false;
  bool shut_down_ = false;
  StallClock stall_;
  std::string queue_;           ///< a large out_ that is being written
  std::size_t queue_sent_ = 0;  ///< bytes of queue_ that were written
  std::size_t in_sink_ = 0;     ///< bytes that the sink keeps, at most
  ByteLease held_;              ///< for what waits for the client
  bool no_room_ = false;        ///< for it
  bool cut_off_ = false;        ///< a part of the answer was dropped
  std::size_t trailing_ = 0;    ///< bytes that came behind the end
};

}  // namespace llmproxy::gateway
