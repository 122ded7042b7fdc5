// RequestReaderBase: what the decoders of requests share, as AnswerReader is
// for answers. A decoder has members of the names that its siblings have
// (tests/tools/siblings_test.py), and those below.
#pragma once

#include <span>

#include "json/fields.h"
#include "llmproxy/chat.h"

namespace llmproxy {

/// A dialect's decoder derives from this. Both outlive it; `reader` has taken
/// what the caller knows already.
class RequestReaderBase {
 public:
  RequestReaderBase(json::ObjectReader& reader, ChatRequest& request)
      : reader_(reader), request_(request) {}

 protected:
  /// Of bodies that hold it.
  Result<void> read_model() {
    LLMPROXY_ASSIGN(request_.model, reader_.required_string("model"));
    return {};
  }

  Result<void> read_sampling(
      std::span<const json::ScalarField<ChatRequest>> rows) {
    return json::read_fields<ChatRequest>(rows, reader_, request_);
  }

  json::ObjectReader& reader_;
  ChatRequest& request_;
};

}  // namespace llmproxy
