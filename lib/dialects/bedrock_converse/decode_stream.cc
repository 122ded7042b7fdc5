// Bedrock ConverseStream: an upstream's stream to canonical events. The type
// of an event is in its frame, not in its JSON.
#include <memory>
#include <vector>

#include "chat/media.h"
#include "chat/sealed_reasoning.h"
#include "chat/stream_reader.h"
#include "dialects/bedrock_converse/tables.h"
#include "wire/event_stream.h"

namespace llmproxy::bedrock_converse {
namespace {

using json::Value;

struct Open {
  std::int64_t index;
  std::uint32_t part;
  PartKind kind;
};

class Decoder final : public StreamReader {
 public:
  explicit Decoder(const RequestContext& context)
      : StreamReader(std::make_unique<wire::EventStreamDecoder>()),
        model_(context.model) {}

 protected:
  bool on_sentinel(std::string_view, EventSink&) override { return false; }

  void on_object(std::string_view name, Value data, EventSink& sink) override {
    struct Row {
      std::string_view type;
      void (Decoder::*read)(Value data, EventSink& sink);
    };
    static constexpr Row kEvents[] = {
        {"contentBlockDelta", &Decoder::block_delta},
        {"contentBlockStart", &Decoder::block_start},
        {"contentBlockStop", &Decoder::block_stop},
        {"messageStart", &Decoder::message_start},
        {"messageStop", &Decoder::message_stop},
        {"metadata", &Decoder::metadata},
    };
    for (const Row& row : kEvents) {
      if (row.type == name) return (this->*row.read)(data, sink);
    }
    // New event types may come at any time and must not be fatal.
  }

  /// The counts come behind the stop; an answer without them is whole.
  bool on_close(EventSink& sink) override {
    if (!stopped_) return false;
    complete(sink);
    return true;
  }

 private:
  void message_start(Value, EventSink& sink) { start(sink); }

  void start(EventSink& sink) {
    if (started_) return;
    started_ = true;
    StreamEvent event;
    event.kind = EventKind::started;
    event.model = model_;
    sink.on_event(event);
  }

  Open* find(std::int64_t index) {
    for (Open& open : open_) {
      if (open.index == index) return &open;
    }
    return nullptr;
  }

  static std::int64_t index_of(Value data) {
    return data["contentBlockIndex"].integer().value_or(0);
  }

  Open& begin(std::int64_t index, StreamEvent event, EventSink& sink) {
    start(sink);
    event.kind = EventKind::part_started;
    event.part = next_part_++;
    sink.on_event(event);
    open_.push_back({index, event.part, event.part_kind});
    return open_.back();
  }

  void block_start(Value data, EventSink& sink) {
    const Value start = data["start"];
    StreamEvent event;
    if (const Value use = start["toolUse"]; use.is_object()) {
      event.part_kind = PartKind::tool_call;
      event.id = use["toolUseId"].string();
      event.name = use["name"].string();
    } else {
      for (const Value member : start.children()) {
        lose("/output/message/content",
             "blocks of this kind do not cross: " + std::string(member.key()));
      }
      return;
    }
    begin(index_of(data), event, sink);
  }

  /// Text and reasoning begin with their first delta.
  Open& opened(Value data, PartKind kind, EventSink& sink) {
    if (Open* open = find(index_of(data))) return *open;
    StreamEvent event;
    event.part_kind = kind;
    return begin(index_of(data), event, sink);
  }

  void block_delta(Value data, EventSink& sink) {
    const Value delta = data["delta"];
    if (const Value text = delta["text"]; text.is_string()) {
      send_text(opened(data, PartKind::text, sink), text.string(), sink);
    } else if (const Value use = delta["toolUse"]; use.is_object()) {
      Open* open = find(index_of(data));
      if (open == nullptr) {
        return lose("/output/message/content",
                    "the upstream sent a delta for a call it had not started");
      }
      send_text(*open, use["input"].string(), sink);
    } else if (const Value reasoning = delta["reasoningContent"];
               reasoning.is_object()) {
      read_reasoning_delta(data, reasoning, sink);
    } else if (delta["citation"].is_object()) {
      lose("/output/message/content/citations",
           "citations do not cross in streams");
    }
  }

  void read_reasoning_delta(Value data, Value reasoning, EventSink& sink) {
    if (reasoning["redactedContent"].is_string()) {
      const std::string_view blob = reasoning["redactedContent"].string();
      ThinkingPart thinking;
      if (auto sealed = unseal(blob)) {
        thinking = *std::move(sealed);
      } else {
        thinking.redacted_data = decode_base64(blob).value_or("");
        thinking.issuer = ReasoningIssuer::anthropic;
      }
      StreamEvent event;
      event.part_kind = PartKind::redacted_thinking;
      event.text = thinking.redacted_data;
      event.issuer = thinking.issuer;
      event.id = thinking.id;
      begin(index_of(data), event, sink);
      return;
    }
    Open& open = opened(data, PartKind::thinking, sink);
    send_text(open, reasoning["text"].string(), sink);
    const std::string_view signature = reasoning["signature"].string();
    if (signature.empty()) return;
    const auto sealed = unseal(signature);
    StreamEvent event;
    event.kind = EventKind::part_delta;
    event.part_kind = PartKind::thinking;
    event.part = open.part;
    event.signature = sealed ? std::string_view(sealed->signature) : signature;
    event.issuer = sealed ? sealed->issuer : ReasoningIssuer::anthropic;
    sink.on_event(event);
  }

  static void send_text(const Open& open, std::string_view text,
                        EventSink& sink) {
    if (text.empty()) return;
    StreamEvent event;
    event.kind = EventKind::part_delta;
    event.part_kind = open.kind;
    event.part = open.part;
    event.text = text;
    sink.on_event(event);
  }

  void end(Open* open, EventSink& sink) {
    StreamEvent event;
    event.kind = EventKind::part_ended;
    event.part_kind = open->kind;
    event.part = open->part;
    open_.erase(open_.begin() + (open - open_.data()));
    sink.on_event(event);
  }

  void block_stop(Value data, EventSink& sink) {
    if (Open* open = find(index_of(data))) end(open, sink);
  }

  void message_stop(Value data, EventSink& sink) {
    start(sink);
    stopped_ = true;
    stop_text_ = data["stopReason"].string();
    stop_sequence_ =
        data["additionalModelResponseFields"]["stop_sequence"].string();
  }

  void metadata(Value data, EventSink& sink) {
    usage_ = read_usage(data["usage"]);
    tier_ = data["serviceTier"]["type"].string();
    if (stopped_) complete(sink);
  }

  void complete(EventSink& sink) {
    while (!open_.empty()) end(&open_.front(), sink);
    StreamEvent event;
    event.kind = EventKind::finished;
    event.stop_reason =
        from_wire(kStopReasons, stop_text_).value_or(StopReason::other);
    event.stop_reason_text = stop_text_;
    event.stop_sequence = stop_sequence_;
    event.service_tier = tier_;
    event.usage = &usage_;
    close();
    sink.on_event(event);
  }

  const std::string model_;
  std::vector<Open> open_;
  std::string stop_text_;
  std::string stop_sequence_;
  std::string tier_;
  Usage usage_;
  std::uint32_t next_part_ = 0;
  bool started_ = false;
  bool stopped_ = false;
};

}  // namespace

std::unique_ptr<StreamDecoder> new_stream_decoder(
    const RequestContext& context) {
  return std::make_unique<Decoder>(context);
}

}  // namespace llmproxy::bedrock_converse
