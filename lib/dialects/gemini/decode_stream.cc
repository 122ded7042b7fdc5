// Gemini streamGenerateContent: an upstream's stream to canonical events. Each
// event is a whole answer whose parts continue the ones before. There is no
// last event: a finishReason seen is an answer complete.
#include <memory>
#include <utility>

#include "chat/parse_answer.h"
#include "chat/stream_reader.h"
#include "dialects/gemini/tables.h"
#include "json/zero.h"
#include "wire/json_array.h"

namespace llmproxy::gemini {
namespace {

using json::Value;

class Decoder final : public StreamReader {
 public:
  Decoder() : StreamReader(std::make_unique<wire::SseOrArrayFramer>()) {}

 protected:
  void on_object(std::string_view, Value data, EventSink& sink) override {
    if (!json::says_nothing(data["error"])) return read_failed(data, sink);
    read_started(data, sink);
    lose_others("", data, kAnswer);
    read_blocked(data["promptFeedback"], sink);
    bool first = true;
    for (const Value candidate : data["candidates"].children()) {
      if (first && candidate["index"].integer().value_or(0) == 0) {
        read_candidate(candidate, sink);
      } else {
        lose_thing("/candidates/1", "a second candidate");
      }
      first = false;
    }
  }

  bool on_close(EventSink& sink) override {
    if (reason_text_.empty()) return false;
    finish_answer(sink);
    return true;
  }

 private:
  /// What every event says of the answer.
  void read_started(Value data, EventSink& sink) {
    if (id_.empty()) id_ = data["responseId"].string();
    if (model_.empty()) model_ = data["modelVersion"].string();
    read_usage(data["usageMetadata"], sink);
    if (!id_.empty()) start(sink);
  }

  void read_text(std::string_view text, EventSink& sink) {
    add(PartKind::text, text, sink);
  }

  void read_thinking(const ThinkingPart& thinking, EventSink& sink) {
    if (!thinking.redacted_data.empty()) return take_whole(thinking, sink);
    if (thinking.text.empty()) close_part(sink);
    if (!open_.is(PartKind::thinking)) {
      open(PartKind::thinking, thinking.id, sink);
    }
    add(PartKind::thinking, thinking.text, sink);
    read_signature(thinking, sink);
  }

  void read_tool_call(ContentPart& part, EventSink& sink) {
    called_ = true;
    shown_thought_ = false;
    auto* call = part.as<ToolCallPart>();
    if (call->id.empty()) call->id = made_call_id(id_, parts());
    take_whole(part, sink);
  }

  /// It ends what was thought.
  void read_signature(const ThinkingPart& thinking, EventSink& sink) {
    if (thinking.signature.empty()) return;
    send_signature(open_, thinking.signature, thinking.issuer, sink);
    close_part(sink);
  }

  /// Counts are those of everything so far; Vertex leaves them out at first.
  void read_usage(Value usage, EventSink& sink) {
    if (!usage.is_object()) return;
    const Usage said = gemini::read_usage(usage);
    if (!said.input_tokens && !said.output_tokens) return;
    usage_ = said;
    if (started()) send_usage(usage_, sink);
  }

  void read_finished(Value candidate, EventSink& sink) {
    const std::string_view reason = candidate["finishReason"].string();
    if (reason.empty()) return;
    start(sink);
    if (blocked_) return;  // which says more
    reason_text_ = reason;
    explanation_ = explanation_of(candidate);
    if (explanation_.empty() && candidate["finishMessage"].is_string()) {
      lose_thing("/candidates/0/finishMessage", "why an answer ends");
    }
  }

  void read_failed(Value data, EventSink& sink) {
    fail(read_error(data["error"], 0), sink);
  }

  // --- the answer -----------------------------------------------------------

  void start(EventSink& sink) {
    if (started()) return;
    send_started({.id = id_,
                  .model = model_,
                  .usage = usage_ == Usage{} ? nullptr : &usage_},
                 sink);
  }

  /// A prompt that is blocked has no candidates.
  void read_blocked(Value feedback, EventSink& sink) {
    const std::string_view blocked = feedback["blockReason"].string();
    if (blocked.empty()) {
      if (feedback["blockReasonMessage"]) {
        lose_thing("/promptFeedback", "what is said of a prompt");
      }
      return;
    }
    start(sink);
    blocked_ = true;
    reason_text_ = blocked;
    explanation_ = block_explanation(feedback);
  }

  void read_candidate(Value candidate, EventSink& sink) {
    for (const Value part : candidate["content"]["parts"].children()) {
      read_one(part, sink);
    }
    if (const auto error = broken_answer(candidate, called_)) {
      return fail(*error, sink);
    }
    read_finished(candidate, sink);
    lose_others("/candidates/0", candidate, kCandidate);
  }

  void read_one(Value value, EventSink& sink) {
    // Nearly every event is this, and it need not become a part first.
    if (const Value text = value["text"];
        text.is_string() && value.size() == 1) {
      return read_text(text.string(), sink);
    }
    constexpr const char* kPlace = "/candidates/0/content/parts";
    auto piece = read_part(value, kPlace);
    if (!piece) return lose_thing(kPlace, "parts of an unknown kind");
    read_sealed(piece->step, sink);
    for (ContentPart& part : piece->parts) {
      lose_others("/content", part.extensions);
      if (const auto* thinking = part.as<ThinkingPart>()) {
        read_thinking(*thinking, sink);
        shown_thought_ = shown_thought_ || !thinking->text.empty();
      } else if (const auto* text = part.as<TextPart>()) {
        read_text(text->text, sink);
      } else if (part.as<ToolCallPart>()) {
        read_tool_call(part, sink);
      } else {
        take_whole(part, sink);
      }
    }
  }

  /// Sealed by a proxy like this one between us and the model. Its words were
  /// shown when they were thought; what is left goes onto them.
  void read_sealed(std::vector<StepThought>& step, EventSink& sink) {
    for (auto& [thinking, behind_text] : step) {
      if (shown_thought_) thinking.text.clear();
      const bool is_signed = !thinking.signature.empty();
      if (is_signed && open_.is(PartKind::thinking)) {
        read_signature(thinking, sink);
      } else if (is_signed || !thinking.text.empty() ||
                 !thinking.redacted_data.empty()) {
        read_thinking(thinking, sink);
      }
    }
  }

  /// Calls, images and the rest come in one piece.
  void take_whole(const ContentPart& part, EventSink& sink) {
    start(sink);
    close_part(sink);
    send_whole(part, sink);
  }

  void finish_answer(EventSink& sink) {
    close_part(sink);
    send_finished({.stop_reason = blocked_ ? StopReason::refusal
                                           : stop_reason(reason_text_),
                   .stop_reason_text = reason_text_,
                   .refusal_explanation = explanation_,
                   .usage = &usage_},
                  sink);
  }

  // --- texts ----------------------------------------------------------------

  void open(PartKind kind, std::string_view id, EventSink& sink) {
    start(sink);
    open_part(kind, id, sink);
  }

  /// Adds to the open part of that kind, or opens one.
  void add(PartKind kind, std::string_view text, EventSink& sink) {
    if (text.empty()) return;
    if (!open_.is(kind)) open(kind, {}, sink);
    send_text(open_, text, sink);
  }

  std::string id_;
  std::string model_;
  std::string reason_text_;
  std::string explanation_;
  Usage usage_;
  bool blocked_ = false;
  bool called_ = false;
  bool shown_thought_ = false;  // in this step
};

}  // namespace

std::unique_ptr<StreamDecoder> new_stream_decoder(const RequestContext&) {
  return std::make_unique<Decoder>();
}

}  // namespace llmproxy::gemini
