// AnswerReader: what the decoders of finished answers share.
//
// A decoder reads what its dialect can say with members of these names, those
// that it has in this order, and calls them in the order in which losses are
// told:
//
//   read_id, read_content, read_part, read_text, read_image, read_audio,
//   read_tool_call, read_thinking, read_refusal, read_stop_reason, read_usage,
//   read_extensions
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "chat/answer_end.h"
#include "json/fields.h"
#include "llmproxy/chat.h"
#include "llmproxy/loss.h"

namespace llmproxy {

/// A dialect's decoder derives from this. For one answer.
class AnswerReader {
 protected:
  AnswerReader(std::string_view dialect, json::Value body, Losses& losses)
      : reader_(body, ""), losses_(losses) {
    response_.dialect = std::string(dialect);
  }

  void add(ContentPart part) { response_.content.push_back(std::move(part)); }
  /// The end of reading.
  ChatResponse settled() {
    settle_answer(response_, losses_);
    return std::move(response_);
  }

  json::ObjectReader reader_;
  ChatResponse response_;
  Losses& losses_;
};

}  // namespace llmproxy
