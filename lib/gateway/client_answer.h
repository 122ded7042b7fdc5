// ClientAnswer: a ResponseSink with a memory. It adds the headers every answer
// carries and notes for the RequestRecord what was sent and when.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "gateway/stall_clock.h"
#include "llmproxy/gateway.h"
#include "llmproxy/translate.h"

namespace llmproxy::gateway {

/// nginx's word for it in logs.
inline constexpr int kClientGone = 499;

/// One answer. As unsynchronised as the sink below it.
class ClientAnswer {
 public:
  using Clock = std::chrono::steady_clock;

  /// All are borrowed; `begin` is when the request was handed over,
  /// `write_stall` for how long a client may take next to nothing.
  ClientAnswer(ResponseSink& sink, RequestRecord& record,
               Clock::time_point begin, const GatewayHooks& hooks,
               std::chrono::milliseconds write_stall)
      : sink_(sink),
        record_(record),
        begin_(begin),
        hooks_(hooks),
        stall_(write_stall) {}

  /// Headers that this answer carries whatever it becomes.
  void add_headers(const Headers& headers) {
    always_.insert(always_.end(), headers.begin(), headers.end());
  }

  bool started() const { return record_.status != 0; }
  void start(int status, Headers headers);
  Written write(std::string_view bytes);
  Written finish() { return sink_.finish(); }
  Written drain(std::chrono::milliseconds limit) { return sink_.drain(limit); }
  /// Nothing where the sink cannot tell.
  std::uint64_t taken() { return sink_.taken().value_or(0); }
  void abandon(std::chrono::milliseconds moment) { sink_.abandon(moment); }
  bool client_gone() { return sink_.client_gone(); }
  bool on_client_gone(std::function<void()> left) {
    return sink_.on_client_gone(std::move(left));
  }

  /// A whole answer at once.
  void send(int status, Headers headers, std::string_view body);
  /// A whole answer of JSON.
  void send_json(int status, Headers headers, std::string_view body);
  /// An error of ours, in the words of `dialect`. Notes it in the record.
  void send_error(const Dialect& dialect, const Error& error,
                  Headers headers = {});

  /// Notes an error without sending anything.
  void note(const Error& error);
  /// Notes that nobody is left to be answered.
  void note_client_gone();
  /// Notes that it was given up for taking nothing for so long.
  void note_client_stalled(std::chrono::milliseconds limit);

  RequestRecord& record() { return record_; }

 private:
  /// False = the client is gone, or does not read.
  bool write_whole(std::string_view body);
  /// Waits until what was written has left.
  Written wait_for_client();

  ResponseSink& sink_;
  RequestRecord& record_;
  const Clock::time_point begin_;
  const GatewayHooks& hooks_;
  StallClock stall_;
  Headers always_;
};

}  // namespace llmproxy::gateway
