// Amazon Bedrock ConverseStream: an upstream's stream to canonical events.
#include <map>
#include <memory>

#include "chat/parse_answer.h"
#include "chat/stream_reader.h"
#include "dialects/bedrock_converse/tables.h"
#include "wire/event_stream.h"

namespace llmproxy::bedrock_converse {
namespace {

using json::Value;

/// What a block has been so far. Blocks that are whole in one canonical event
/// wait for their end.
struct Block : ReadPart {
  std::string held;    // data, input or content of a block that waits
  std::string opened;  // its start, as JSON; or its MIME type
};

/// Members of the last events that are read or describe the call; `p` is
/// padding.
constexpr std::string_view kMetadata[] = {"usage", "metrics", "serviceTier",
                                          "p"};
constexpr std::string_view kStop[] = {"stopReason",
                                      "additionalModelResponseFields", "p"};
constexpr std::string_view kFields[] = {"stop_sequence"};
constexpr std::string_view kImage[] = {"source", "format"};
constexpr std::string_view kImageSource[] = {"bytes"};

class Decoder final : public StreamReader {
 public:
  Decoder()
      : StreamReader(std::make_unique<wire::EventStreamDecoder>(), read_error) {
  }

 protected:
  bool on_sentinel(std::string_view, EventSink&) override { return false; }

  void on_object(std::string_view name, Value data, EventSink& sink) override {
    using Event = void (Decoder::*)(Value data, EventSink & sink);
    static constexpr ReadRow<Event> kEvents[] = {
        {"contentBlockDelta", &Decoder::part_delta},
        {"contentBlockStart", &Decoder::read_part_started},
        {"contentBlockStop", &Decoder::read_part_ended},
        {"messageStart", &Decoder::read_started},
        {"messageStop", &Decoder::read_finished},
        {"metadata", &Decoder::read_usage},
    };
    const auto* row = find_row(kEvents, name);
    if (row != nullptr) (this->*row->read)(data, sink);
  }

  /// Usage may be missing; the stop reason may not.
  bool on_close(EventSink& sink) override {
    if (!stopped_) return false;
    finish_answer(sink);
    return true;
  }

 private:
  void read_started(Value, EventSink& sink) { start(sink); }

  void read_part_started(Value data, EventSink& sink) {
    start(sink);
    read_part_ended(data, sink);  // one that has its index and never ended
    const Value block = data["start"];
    const Value call = block["toolUse"];
    if (call.is_object() && !runs_at_provider(call)) {
      return begin_call(open(data, PartKind::tool_call), call, sink);
    }
    if (block["image"].is_object()) {
      // Numbered when it has come: some are elsewhere, or an error.
      Block& image = blocks_[index_of(data)];
      image.kind = PartKind::image;
      image.opened =
          media_type_of(kImageFormats, block["image"]["format"].string());
      return;
    }
    // Tools of the provider, and what may come.
    if (block.size() > 0) open(data, PartKind::opaque).opened = block.raw();
  }

  void read_text(Value data, EventSink& sink) {
    add(opened(data, PartKind::text, sink), data["delta"]["text"].string(),
        sink);
  }

  void read_thinking(Value data, EventSink& sink) {
    const Value reasoning = data["delta"]["reasoningContent"];
    if (reasoning["redactedContent"].is_string()) {
      opened(data, PartKind::redacted_thinking, sink)
          .held.append(reasoning["redactedContent"].string());
      return;
    }
    Block& block = opened(data, PartKind::thinking, sink);
    add(block, reasoning["text"].string(), sink);
    read_signature(block, reasoning, sink);
  }

  static void read_tool_call(Block& block, Value delta, EventSink& sink) {
    add(block, delta["toolUse"]["input"].string(), sink);
  }

  static void read_signature(const Block& block, Value reasoning,
                             EventSink& sink) {
    send_unsealed(block, reasoning["signature"].string(),
                  ReasoningIssuer::anthropic, sink);
  }

  void read_citation(Value data, EventSink& sink) {
    send_citation(opened(data, PartKind::text, sink),
                  data["delta"]["citation"].raw(), sink);
  }

  void read_part_ended(Value data, EventSink& sink) {
    const auto found = blocks_.find(index_of(data));
    if (found == blocks_.end()) return;
    end(found->second, sink);
    blocks_.erase(found);
  }

  void read_usage(Value data, EventSink& sink) {
    usage_ = bedrock_converse::read_usage(data["usage"]);
    tier_ = data["serviceTier"]["type"].string();
    lose_others("", data, kMetadata);
    // Before its turn it only counts.
    if (stopped_) finish_answer(sink);
  }

  /// Usage comes behind it.
  void read_finished(Value data, EventSink& sink) {
    for (auto& [index, block] : blocks_) end(block, sink);
    blocks_.clear();
    stopped_ = true;
    stop_reason_ = data["stopReason"].string();
    const Value fields = data["additionalModelResponseFields"];
    stop_sequence_ = fields["stop_sequence"].string();
    lose_others("", data, kStop);
    lose_others("/additionalModelResponseFields", fields, kFields);
  }

  // --- the answer -----------------------------------------------------------

  /// Parts come behind a start, whether or not the upstream sent one.
  void start(EventSink& sink) {
    if (!started()) send_started({}, sink);
  }

  void part_delta(Value data, EventSink& sink) {
    const Value delta = data["delta"];
    if (delta["text"].is_string()) return read_text(data, sink);
    if (delta["citation"].is_object()) return read_citation(data, sink);
    if (delta["reasoningContent"].is_object()) {
      return read_thinking(data, sink);
    }
    const auto found = blocks_.find(index_of(data));
    if (found == blocks_.end()) {
      return lose("/contentBlockDelta",
                  "the upstream sent a delta for a block it had not started");
    }
    read_delta_of(found->second, delta, sink);
  }

  /// Of a block that has a start.
  void read_delta_of(Block& block, Value delta, EventSink& sink) {
    if (delta["toolUse"].is_object()) return read_tool_call(block, delta, sink);
    if (delta["image"].is_object()) return hold_image(block, delta["image"]);
    if (delta["toolResult"].is_array()) return hold_results(block, delta);
    lose("/contentBlockDelta", "a delta of an unknown type was left out");
  }

  void finish_answer(EventSink& sink) {
    start(sink);
    StreamEvent event;
    event.stop_reason =
        from_wire(kStopReasons, stop_reason_).value_or(StopReason::other);
    event.stop_reason_text = stop_reason_;
    event.stop_sequence = stop_sequence_;
    event.service_tier = tier_;
    event.usage = &usage_;
    send_finished(event, sink);
  }

  // --- blocks ---------------------------------------------------------------

  static std::int64_t index_of(Value data) {
    return data["contentBlockIndex"].integer().value_or(0);
  }

  Block& open(Value data, PartKind kind) {
    Block& block = blocks_[index_of(data)];
    static_cast<ReadPart&>(block) = number_part(kind);
    return block;
  }

  /// Texts and reasoning have no start: the first delta opens them.
  Block& opened(Value data, PartKind kind, EventSink& sink) {
    const auto found = blocks_.find(index_of(data));
    if (found != blocks_.end()) return found->second;
    start(sink);
    Block& block = open(data, kind);
    if (kind != PartKind::redacted_thinking) send_begin(block, {}, sink);
    return block;
  }

  static void begin_call(const Block& block, Value call, EventSink& sink) {
    const std::string made_id = made_call_id("", block.number);
    StreamEvent event;
    event.id = call["toolUseId"].string();
    if (event.id.empty()) event.id = made_id;
    event.name = call["name"].string();
    send_begin(block, event, sink);
  }

  static void add(Block& block, std::string_view text, EventSink& sink) {
    if (block.kind == PartKind::opaque) {
      block.held.append(text);
    } else {
      send_text(block, text, sink);
    }
  }

  void hold_image(Block& block, Value image) {
    const Value source = image["source"];
    block.held.append(source["bytes"].string());
    lose_others("/content/image", image, kImage);
    lose_others("/content/image/source", source, kImageSource);
  }

  static void hold_results(Block& block, Value delta) {
    for (const Value result : delta["toolResult"].children()) {
      if (!block.held.empty()) block.held += ',';
      block.held += result.raw();
    }
  }

  void end(Block& block, EventSink& sink) {
    if (block.kind == PartKind::opaque) send_opaque(block, sink);
    if (block.kind == PartKind::image) {
      if (block.held.empty()) return;
      static_cast<ReadPart&>(block) = number_part(PartKind::image);
      StreamEvent event;
      event.name = block.opened;
      event.text = block.held;
      send_begin(block, event, sink);
    }
    if (block.kind == PartKind::redacted_thinking) send_redacted(block, sink);
    send_end(block, sink);
  }

  static void send_redacted(Block& block, EventSink& sink) {
    const auto part = read_redacted_blob(block.held);
    if (!part) {
      block.kind = PartKind::opaque;
      block.opened = "{\"reasoningContent\":{}}";
      return send_opaque(block, sink);
    }
    StreamEvent event;
    event.text = part->redacted_data;
    event.issuer = part->issuer;
    event.id = part->id;
    send_begin(block, event, sink);
  }

  /// A block only this dialect knows, put together again.
  static void send_opaque(const Block& block, EventSink& sink) {
    json::Document document;
    const auto start = document.parse(block.opened);
    if (!start || start->size() == 0) return;
    const Value member = *start->children().begin();
    const std::string type(member.key());
    const std::string whole = whole_of(block, member);
    StreamEvent event;
    event.id = kName;
    event.name = type;
    event.text = whole;
    send_begin(block, event, sink);
  }

  static std::string whole_of(const Block& block, Value member) {
    const std::string_view type = member.key();
    std::string whole;
    json::Writer w(whole);
    w.begin_object();
    w.begin_object(type);
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
    return whole;
  }

  std::map<std::int64_t, Block> blocks_;  // by the upstream's index
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
