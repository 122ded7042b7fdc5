// WholeAnswer: an upstream's answer that comes in one piece, collected and
// read. Shared by send() and send_async().
#pragma once

#include <string>
#include <string_view>

#include "client/outgoing_call.h"

namespace llmproxy {

class WholeAnswer final : public ResponseHandler {
 public:
  void on_head(int status, const Headers& headers) override;
  Flow on_body(std::string_view bytes) override;
  void on_done(const Result<void>& result) override { result_ = result; }

  /// Once, after on_done. Adds what could not be carried of the answer to
  /// `losses`, which may be null.
  Result<ChatResponse> read(const OutgoingCall& call, Losses* losses);

 private:
  int status_ = 0;
  Headers headers_;
  std::string body_;
  bool cut_ = false;  ///< there was more, see whole_answer.cc
  Result<void> result_;
};

}  // namespace llmproxy
