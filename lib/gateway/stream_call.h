// StreamCall: one streamed answer, translated event by event. While the
// upstream thinks, the client's connection is kept alive.
#pragma once

#include <string>
#include <string_view>

#include "gateway/relay.h"
#include "llmproxy/translate.h"

namespace llmproxy::gateway {

class StreamCall final : public Relay {
 public:
  /// Both are borrowed.
  StreamCall(Exchange& exchange, Call& call);

  void run() { Relay::run(std::move(call_.request)); }

 private:
  Flow take(std::string_view bytes) override;
  bool complete() const override;
  void wait_quietly() override;
  std::chrono::milliseconds patience() const override;
  void look_at_output() override;
  void end() override;
  void account() override;

  Flow collect(std::string_view bytes);
  Flow translate(std::string_view bytes);
  void start_answer();
  bool streams() const;
  void conclude_whole();
  void conclude_stream();
  void fail(Error error);
  Result<void> replay_whole();

  Call& call_;
  StreamTranslator translator_;
  bool too_large_ = false;
  bool replayed_ = false;  ///< the answer came whole and is in out_
};

}  // namespace llmproxy::gateway
