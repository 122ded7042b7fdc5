// StreamCall: one streamed answer, translated event by event. While the
// upstream thinks, the client's connection is kept alive.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gateway/answer_ids.h"
#include "gateway/headers.h"
#include "gateway/relay.h"
#include "llmproxy/translate.h"

namespace llmproxy::gateway {

class StreamCall final : public Relay {
 public:
  /// Both are borrowed.
  StreamCall(Exchange& exchange, UpstreamCall& call);

  void run() { Relay::run(std::move(call_.request)); }

 private:
  Flow take(std::string_view bytes) override;
  bool complete() const override;
  bool failed() const override { return error() != nullptr; }
  void tell(const Error& error) override;
  bool breaks_off() const override {
    return begun_ && failed() && breaks_failed_streams(*call_.client);
  }
  void wait_quietly() override;
  std::chrono::milliseconds patience() const override;
  void look_at_output() override;
  void end(Lock& lock) override;
  void account() override;

  Flow take_known(std::string_view bytes);
  Flow collect_whole(std::string_view bytes);
  Flow translate(std::string_view bytes);
  void start_answer();
  void bound_event(std::size_t bytes);
  void lease_event();
  bool streams() const;
  bool announces_stream() const;
  const Error* error() const;
  void conclude_whole(Lock& lock);
  void conclude_stream();
  void fail(Error error);
  Result<ChatResponse> read_whole(Lock& lock);
  void replay_whole(ChatResponse response, Lock& lock);
  class Replay;

  UpstreamCall& call_;
  const std::size_t max_bytes_;        ///< of an answer that comes whole
  const std::size_t max_event_bytes_;  ///< of the upstream's stream
  StreamTranslator translator_;
  std::size_t silent_bytes_ = 0;  ///< since something came of them
  ByteLease partial_;             ///< for them, where they are many
  bool begun_ = false;            ///< the client was promised a stream
  std::string beginning_;         ///< of the body, until it is known what it is
  /// What the body turned out to be, once it began.
  BodyForm form_ = BodyForm::unknown;
  /// Set where a kept answer is passed on in its upstream's own words.
  std::optional<AnswerIdChange> own_id_;
  bool whole_ = false;        ///< it came in one piece, and could be read
  Replay* replay_ = nullptr;  ///< of such an answer, while it runs
  bool replayed_ = false;     ///< all of it is sent or in out_
  std::optional<Error> replay_error_;  ///< why it broke off
};

}  // namespace llmproxy::gateway
