// Amazon Bedrock ConverseStream: an upstream's stream to canonical events.
#include <map>
#include <memory>

#include "chat/media.h"
#include "chat/parse_answer.h"
#include "chat/sealed_reasoning.h"
#include "chat/stream_reader.h"
#include "dialects/bedrock_converse/tables.h"
#include "wire/event_stream.h"

namespace llmproxy::bedrock_converse {
namespace {

using json::Value;

class Decoder final : public StreamReader {
 public:
  Decoder()
      : StreamReader(std::make_unique<wire::EventStreamDecoder>(), read_error) {
  }

 protected:
  bool on_sentinel(std::string_view, EventSink&) override { return false; }

  void on_object(std::string_view name, Value data, EventSink& sink) override {
    struct Row {
      std::string_view type;
      void (Decoder::*read)(Value data, EventSink& sink);
    };
    static constexpr std::array kEvents = {
        Row{"contentBlockDelta", &Decoder::block_delta},
        Row{"contentBlockStart", &Decoder::block_start},
        Row{"contentBlockStop", &Decoder::block_stop},
        Row{"messageStart", &Decoder::message_start},
        Row{"messageStop", &Decoder::message_stop},
        Row{"metadata", &Decoder::metadata},
    };
    for (const Row& row : kEvents) {
      if (row.type == name) return (this->*row.read)(data, sink);
    }
    // New event types may come at any time and must not be fatal.
  }

  /// Usage may be missing; the stop reason may not.
  bool on_close(EventSink& sink) override {
    if (!stopped_) return false;
    finish_answer(sink);
    return true;
  }

 private:
  /// What a block has been so far. Blocks that are whole in one canonical
  /// event wait for their end.
  struct Block {
    std::uint32_t part = 0;
    PartKind kind = PartKind::text;
    std::string held;    // data, input or content of a block that waits
    std::string opened;  // its start, as JSON; or its MIME type
  };

  /// Parts come behind a start, whether or not the upstream sent one.
  void start(EventSink& sink) {
    if (!started_) message_start(Value(), sink);
  }

  void message_start(Value, EventSink& sink) {
    if (started_) return;
    started_ = true;
    StreamEvent event;
    event.kind = EventKind::started;
    sink.on_event(event);
  }

  Block& open(std::int64_t index, PartKind kind) {
    Block& block = open_[index];
    block.part = next_part_++;
    block.kind = kind;
    return block;
  }

  static StreamEvent event_of(EventKind kind, const Block& block) {
    StreamEvent event;
    event.kind = kind;
    event.part_kind = block.kind;
    event.part = block.part;
    return event;
  }

  static std::int64_t index_of(Value data) {
    return data["contentBlockIndex"].integer().value_or(0);
  }

  void block_start(Value data, EventSink& sink) {
    start(sink);
    block_stop(data, sink);  // one that has its index and never ended
    const Value block_start = data["start"];
    const Value call = block_start["toolUse"];
    if (call.is_object() && !runs_at_provider(call)) {
      const Block& block = open(index_of(data), PartKind::tool_call);
      const std::string made_id = made_call_id("", block.part);
      StreamEvent event = event_of(EventKind::part_started, block);
      event.id = call["toolUseId"].string();
      if (event.id.empty()) event.id = made_id;
      event.name = call["name"].string();
      return sink.on_event(event);
    }
    if (block_start["image"].is_object()) {
      Block& block = open(index_of(data), PartKind::image);
      block.opened =
          media_type_of(kImageFormats, block_start["image"]["format"].string());
      return;
    }
    // Tools of the provider, and what may come.
    if (block_start.size() > 0) {
      open(index_of(data), PartKind::opaque).opened = block_start.raw();
    }
  }

  /// Texts and reasoning have no start: the first delta opens them.
  Block& opened(Value data, PartKind kind, EventSink& sink) {
    const auto found = open_.find(index_of(data));
    if (found != open_.end()) return found->second;
    start(sink);
    Block& block = open(index_of(data), kind);
    if (kind != PartKind::redacted_thinking) {
      sink.on_event(event_of(EventKind::part_started, block));
    }
    return block;
  }

  void block_delta(Value data, EventSink& sink) {
    const Value delta = data["delta"];
    const Value reasoning = delta["reasoningContent"];
    if (delta["text"].is_string()) {
      return send(opened(data, PartKind::text, sink), delta["text"].string(),
                  sink);
    }
    if (delta["citation"].is_object()) {
      StreamEvent event =
          event_of(EventKind::part_delta, opened(data, PartKind::text, sink));
      event.citation = delta["citation"].raw();
      return sink.on_event(event);
    }
    if (reasoning.is_object()) return reasoning_delta(data, reasoning, sink);
    const auto found = open_.find(index_of(data));
    if (found == open_.end()) {
      return lose("/contentBlockDelta",
                  "the upstream sent a delta for a block it had not started");
    }
    Block& block = found->second;
    if (delta["toolUse"].is_object()) {
      return send(block, delta["toolUse"]["input"].string(), sink);
    }
    if (delta["image"].is_object()) {
      block.held.append(delta["image"]["source"]["bytes"].string());
      return;
    }
    if (delta["toolResult"].is_array()) return hold_results(block, delta);
    lose("/contentBlockDelta", "a delta of an unknown type was left out");
  }

  static void hold_results(Block& block, Value delta) {
    for (const Value result : delta["toolResult"].children()) {
      if (!block.held.empty()) block.held += ',';
      block.held += result.raw();
    }
  }

  void reasoning_delta(Value data, Value reasoning, EventSink& sink) {
    if (reasoning["redactedContent"].is_string()) {
      opened(data, PartKind::redacted_thinking, sink)
          .held.append(reasoning["redactedContent"].string());
      return;
    }
    Block& block = opened(data, PartKind::thinking, sink);
    send(block, reasoning["text"].string(), sink);
    const std::string_view signature = reasoning["signature"].string();
    if (signature.empty()) return;
    // Sealed by a proxy like this one between us and the model.
    const std::optional<ThinkingPart> foreign = unseal(signature);
    StreamEvent event = event_of(EventKind::part_delta, block);
    event.signature = foreign ? foreign->signature : signature;
    event.issuer = foreign ? foreign->issuer : ReasoningIssuer::anthropic;
    sink.on_event(event);
  }

  static void send(Block& block, std::string_view text, EventSink& sink) {
    if (text.empty()) return;
    if (block.kind == PartKind::opaque) {
      block.held.append(text);
      return;
    }
    StreamEvent event = event_of(EventKind::part_delta, block);
    event.text = text;
    sink.on_event(event);
  }

  void block_stop(Value data, EventSink& sink) {
    const auto found = open_.find(index_of(data));
    if (found == open_.end()) return;
    end(found->second, sink);
    open_.erase(found);
  }

  void end(Block& block, EventSink& sink) {
    if (block.kind == PartKind::opaque) send_opaque(block, sink);
    if (block.kind == PartKind::image) {
      StreamEvent event = event_of(EventKind::part_started, block);
      event.name = block.opened;
      event.text = block.held;
      sink.on_event(event);
    }
    if (block.kind == PartKind::redacted_thinking) send_redacted(block, sink);
    sink.on_event(event_of(EventKind::part_ended, block));
  }

  void send_redacted(Block& block, EventSink& sink) {
    const auto part = read_redacted_blob(block.held);
    if (!part) {
      block.kind = PartKind::opaque;
      block.opened = "{\"reasoningContent\":{}}";
      return send_opaque(block, sink);
    }
    StreamEvent event = event_of(EventKind::part_started, block);
    event.text = part->redacted_data;
    event.issuer = part->issuer;
    event.id = part->id;
    sink.on_event(event);
  }

  /// A block only this dialect knows, put together again.
  void send_opaque(const Block& block, EventSink& sink) {
    json::Document document;
    const auto start = document.parse(block.opened);
    if (!start || start->size() == 0) return;
    const Value member = *start->children().begin();
    const std::string type(member.key());
    std::string whole;
    json::Writer w(whole);
    w.begin_object();
    w.key(type);
    w.begin_object();
    for (const Value inner : member.children()) {
      w.member_raw(inner.key(), inner.raw());
    }
    if (type == "toolUse") {
      w.member_raw("input",
                   json::is_json(block.held) ? block.held : std::string("{}"));
    } else if (type == "toolResult") {
      w.member_raw("content", "[" + block.held + "]");
    } else if (type == "reasoningContent") {
      w.member("redactedContent", block.held);
    }
    w.end_object();
    w.end_object();
    StreamEvent event = event_of(EventKind::part_started, block);
    event.id = kName;
    event.name = type;
    event.text = whole;
    sink.on_event(event);
  }

  void message_stop(Value data, EventSink& sink) {
    for (auto& [index, block] : open_) end(block, sink);
    open_.clear();
    stopped_ = true;
    stop_reason_ = data["stopReason"].string();
    stop_sequence_ =
        data["additionalModelResponseFields"]["stop_sequence"].string();
  }

  void metadata(Value data, EventSink& sink) {
    usage_ = read_usage(data["usage"]);
    tier_ = data["serviceTier"]["type"].string();
    // Before its turn it only counts.
    if (stopped_) finish_answer(sink);
  }

  void finish_answer(EventSink& sink) {
    start(sink);
    StreamEvent event;
    event.kind = EventKind::finished;
    event.stop_reason =
        from_wire(kStopReasons, stop_reason_).value_or(StopReason::other);
    event.stop_reason_text = stop_reason_;
    event.stop_sequence = stop_sequence_;
    event.service_tier = tier_;
    event.usage = &usage_;
    close();
    sink.on_event(event);
  }

  std::map<std::int64_t, Block> open_;  // by the upstream's index
  std::uint32_t next_part_ = 0;
  bool started_ = false;
  bool stopped_ = false;
  std::string stop_reason_;
  std::string stop_sequence_;
  std::string tier_;
  Usage usage_;
};

}  // namespace

std::unique_ptr<StreamDecoder> new_stream_decoder(const RequestContext&) {
  return std::make_unique<Decoder>();
}

}  // namespace llmproxy::bedrock_converse
