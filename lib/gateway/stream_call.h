// StreamCall: one streamed answer. The transport's engine thread translates
// the upstream's bytes and writes them to the client; the thread in handle()
// waits, and does what the engine must not: it asks whether the client is
// still there, waits for one that reads slowly, keeps the connection alive
// while the upstream thinks, and ends the answer.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/call.h"
#include "llmproxy/translate.h"

namespace llmproxy::gateway {

/// Used once. run() returns when the upstream's transfer is over, so the
/// object outlives every callback.
class StreamCall final : public ResponseHandler {
 public:
  /// Both are borrowed.
  StreamCall(Exchange& exchange, Call& call);
  ~StreamCall() override;

  void run();

  // On the engine's thread.
  void on_head(int status, const Headers& headers) override;
  Flow on_body(std::string_view bytes) override;
  void on_done(const Result<void>& result) override;

 private:
  using Clock = std::chrono::steady_clock;
  using Lock = std::unique_lock<std::mutex>;

  // What handle()'s thread does when it wakes. The lock is given up while
  // the client or the transport is waited for.
  void look(Lock& lock);
  void drain(Lock& lock);
  void keep_alive();
  void cancel(Lock& lock);
  void wait_until_done(Lock& lock);
  bool needs_attention() const;
  bool over() const;

  // Mutex held, on either thread.
  Flow collect(std::string_view bytes);
  Flow translate(std::string_view bytes);
  void start_answer();
  /// Sends out_, and ends the answer when nothing can follow.
  void write();
  bool streams() const;
  bool complete() const;

  // After the transfer, on handle()'s thread.
  void conclude(Lock& lock);
  void conclude_whole();
  void conclude_stream();
  void fail(Error error);
  Result<void> replay_whole();

  Exchange& exchange_;
  Call& call_;
  Answer& answer_;
  std::shared_ptr<Transfer> transfer_;

  std::mutex mutex_;
  std::condition_variable changed_;
  // All below belong to the mutex.
  UpstreamAnswer upstream_;  ///< body: only of answers that are no stream
  StreamTranslator translator_;
  std::string out_;              ///< translated, not yet written
  Clock::time_point last_sent_;  ///< to the client, or the head came
  std::optional<Clock::time_point> finished_;
  std::optional<Result<void>> result_;  ///< set once the transfer is over
  bool blocked_ = false;                ///< the client reads slowly
  bool client_gone_ = false;
  bool too_large_ = false;
  bool replayed_ = false;  ///< the answer came whole and is in out_
};

}  // namespace llmproxy::gateway
