// Gemini streamGenerateContent: an upstream's stream to canonical events. Each
// event is a whole answer whose parts continue the ones before. There is no
// last event: a finishReason seen is an answer complete.
#include <fmt/format.h>

#include <memory>

#include "chat/stream_reader.h"
#include "dialects/gemini/tables.h"
#include "json/zero.h"
#include "wire/json_array.h"

namespace llmproxy::gemini {
namespace {

using json::Value;

constexpr std::uint32_t kNoPart = UINT32_MAX;

class Decoder final : public StreamReader {
 public:
  Decoder() : StreamReader(std::make_unique<wire::SseOrArrayFramer>()) {}

 protected:
  bool on_sentinel(std::string_view data, EventSink&) override {
    return data == "[DONE]";  // of servers that copy two APIs
  }

  void on_object(std::string_view, Value data, EventSink& sink) override {
    if (const Value error = data["error"]; !json::says_nothing(error)) {
      return fail(read_error(error, 0), sink);
    }
    if (id_.empty()) id_ = data["responseId"].string();
    if (model_.empty()) model_ = data["modelVersion"].string();
    if (const Value usage = data["usageMetadata"]; usage.is_object()) {
      read_usage_of(usage, sink);
    }
    if (!id_.empty()) start(sink);
    const std::string_view blocked =
        data["promptFeedback"]["blockReason"].string();
    if (!blocked.empty()) {
      start(sink);
      reason_ = StopReason::refusal;
      reason_text_ = blocked;
      explanation_ = block_explanation(data["promptFeedback"]);
    }
    bool first = true;
    for (const Value candidate : data["candidates"].children()) {
      if (first && candidate["index"].integer().value_or(0) == 0) {
        read_candidate(candidate, sink);
      } else {
        lose("/candidates/1", "only the first of several candidates crosses");
      }
      first = false;
    }
  }

  bool on_close(EventSink& sink) override {
    if (reason_text_.empty()) return false;
    close_part(sink);
    StreamEvent event;
    event.kind = EventKind::finished;
    event.stop_reason = reason_ == StopReason::refusal
                            ? StopReason::refusal
                            : stop_reason(reason_text_);
    event.stop_reason_text = reason_text_;
    event.refusal_explanation = explanation_;
    event.usage = &usage_;
    close();
    sink.on_event(event);
    return true;
  }

 private:
  void start(EventSink& sink) {
    if (started_) return;
    started_ = true;
    StreamEvent event;
    event.kind = EventKind::started;
    event.id = id_;
    event.model = model_;
    if (usage_ != Usage{}) event.usage = &usage_;
    sink.on_event(event);
  }

  /// Counts are those of everything so far; Vertex leaves them out at first.
  void read_usage_of(const Value& usage, EventSink& sink) {
    const Usage said = read_usage(usage);
    if (!said.input_tokens && !said.output_tokens) return;
    usage_ = said;
    if (!started_) return;
    StreamEvent event;
    event.kind = EventKind::usage;
    event.usage = &usage_;
    sink.on_event(event);
  }

  void read_candidate(const Value& candidate, EventSink& sink) {
    for (const Value part : candidate["content"]["parts"].children()) {
      read_one(part, sink);
    }
    if (const auto error = broken_call(candidate, called_)) {
      return fail(*error, sink);
    }
    const std::string_view reason = candidate["finishReason"].string();
    if (!reason.empty()) {
      start(sink);
      reason_text_ = reason;
    }
    for (const std::string_view name :
         {"groundingMetadata", "citationMetadata"}) {
      if (candidate[name].is_object()) {
        lose(fmt::format("/candidates/0/{}", name),
             "what the answer is grounded on has no form in a stream");
      }
    }
  }

  void read_one(const Value& value, EventSink& sink) {
    // Nearly every event is this, and it need not become a part first.
    if (const Value text = value["text"];
        text.is_string() && value.size() == 1) {
      return delta(PartKind::text, text.string(), sink);
    }
    auto parts = read_part(value, "/candidates/0/content/parts");
    if (!parts) {
      return lose("/candidates/0/content/parts",
                  "a part of a kind that nobody knows");
    }
    read_sealed(value, sink);
    for (const ContentPart& part : *parts) {
      if (const auto* thinking = part.as<ThinkingPart>()) {
        read_thinking(*thinking, sink);
        shown_thought_ = shown_thought_ || !thinking->text.empty();
      } else if (const auto* text = part.as<TextPart>()) {
        delta(PartKind::text, text->text, sink);
      } else {
        send_whole(part, sink);
      }
    }
  }

  /// Sealed by a proxy like this one between us and the model. Its words were
  /// shown when they were thought; what is left goes onto them.
  void read_sealed(const Value& part, EventSink& sink) {
    for (StepThought& thought : read_step(part)) {
      ThinkingPart& thinking = thought.thinking;
      if (shown_thought_) thinking.text.clear();
      const bool is_signed = !thinking.signature.empty();
      if (is_signed && open_ != kNoPart && kind_ == PartKind::thinking) {
        sign(thinking, sink);
      } else if (is_signed || !thinking.text.empty() ||
                 !thinking.redacted_data.empty()) {
        read_thinking(thinking, sink);
      }
    }
  }

  void read_thinking(const ThinkingPart& thinking, EventSink& sink) {
    if (!thinking.redacted_data.empty()) {
      ContentPart part;
      part.value = thinking;
      return send_whole(part, sink);
    }
    if (thinking.text.empty()) close_part(sink);
    if (open_ == kNoPart || kind_ != PartKind::thinking) {
      open(PartKind::thinking, thinking.id, sink);
    }
    if (!thinking.text.empty()) delta(PartKind::thinking, thinking.text, sink);
    if (!thinking.signature.empty()) sign(thinking, sink);
  }

  void sign(const ThinkingPart& thinking, EventSink& sink) {
    StreamEvent event;
    event.kind = EventKind::part_delta;
    event.part_kind = PartKind::thinking;
    event.part = open_;
    event.signature = thinking.signature;
    event.issuer = thinking.issuer;
    sink.on_event(event);
    close_part(sink);
  }

  void open(PartKind kind, std::string_view id, EventSink& sink) {
    start(sink);
    close_part(sink);
    open_ = next_part_++;
    kind_ = kind;
    StreamEvent event;
    event.kind = EventKind::part_started;
    event.part_kind = kind;
    event.part = open_;
    event.id = id;
    sink.on_event(event);
  }

  void close_part(EventSink& sink) {
    if (open_ == kNoPart) return;
    StreamEvent event;
    event.kind = EventKind::part_ended;
    event.part_kind = kind_;
    event.part = open_;
    open_ = kNoPart;
    sink.on_event(event);
  }

  void delta(PartKind kind, std::string_view text, EventSink& sink) {
    if (text.empty()) return;
    if (open_ == kNoPart || kind_ != kind) open(kind, {}, sink);
    StreamEvent event;
    event.kind = EventKind::part_delta;
    event.part_kind = kind;
    event.part = open_;
    event.text = text;
    sink.on_event(event);
  }

  /// Calls, images and the rest come in one piece.
  void send_whole(ContentPart part, EventSink& sink) {
    start(sink);
    close_part(sink);
    if (auto* call = part.as<ToolCallPart>()) {
      called_ = true;
      shown_thought_ = false;
      if (call->id.empty())
        call->id = fmt::format("call_{}_{}", id_, next_part_);
    }
    struct Renumber final : EventSink {
      void on_event(const StreamEvent& event) override {
        if (event.kind == EventKind::started ||
            event.kind == EventKind::finished) {
          return;
        }
        StreamEvent moved = event;
        moved.part = part;
        sink->on_event(moved);
      }
      EventSink* sink = nullptr;
      std::uint32_t part = 0;
    } renumber;
    renumber.sink = &sink;
    renumber.part = next_part_++;
    ChatResponse one;
    part.extensions.clear();
    one.content.push_back(std::move(part));
    replay(one, renumber);
  }

  std::string id_;
  std::string model_;
  std::string reason_text_;
  std::string explanation_;
  StopReason reason_ = StopReason::end_turn;
  Usage usage_;
  std::uint32_t open_ = kNoPart;
  std::uint32_t next_part_ = 0;
  PartKind kind_ = PartKind::text;
  bool started_ = false;
  bool called_ = false;
  bool shown_thought_ = false;  // in this step
};

}  // namespace

std::unique_ptr<StreamDecoder> new_stream_decoder(const RequestContext&) {
  return std::make_unique<Decoder>();
}

}  // namespace llmproxy::gemini
