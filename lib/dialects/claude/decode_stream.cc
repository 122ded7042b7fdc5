// Anthropic Messages: an upstream's stream to canonical events.
#include <memory>
#include <utility>
#include <vector>

#include "chat/answer_end.h"
#include "chat/parse_answer.h"
#include "chat/sealed_reasoning.h"
#include "chat/stream_reader.h"
#include "chat/tier_words.h"
#include "dialects/claude/body.h"

namespace llmproxy::claude {
namespace {

using json::Value;

constexpr auto kBlockTypes = enum_table<PartKind>({
    {PartKind::text, "text"},
    {PartKind::thinking, "thinking"},
    {PartKind::redacted_thinking, "redacted_thinking"},
    {PartKind::tool_call, "tool_use"},
});

/// Members of a message, and of what tells its end, that are read or describe
/// the call.
constexpr std::string_view kMessage[] = {
    "id",    "type",        "role",          "model",        "content",
    "usage", "stop_reason", "stop_sequence", "stop_details", "diagnostics"};
constexpr std::string_view kChange[] = {
    "type", "delta", "usage", "stop_reason", "stop_details", "stop_sequence"};

/// An open block. Part numbers count what was started; the upstream's indexes
/// may skip.
struct Block : ReadPart {
  std::int64_t index = 0;
};

class Decoder final : public StreamReader {
 public:
  Decoder(std::unique_ptr<wire::Framer> framer, ReadException read_exception)
      : StreamReader(std::move(framer), read_exception) {}

 protected:
  void on_object(std::string_view name, Value data, EventSink& sink) override {
    using Event = void (Decoder::*)(Value data, EventSink & sink);
    static constexpr ReadRow<Event> kEvents[] = {
        {"content_block_delta", &Decoder::part_delta},
        {"content_block_start", &Decoder::read_part_started},
        {"content_block_stop", &Decoder::read_part_ended},
        {"message_start", &Decoder::read_started},
        {"message_delta", &Decoder::read_usage},
        {"message_stop", &Decoder::read_finished},
        {"ping", &Decoder::ping},
        {"error", &Decoder::read_failed},
    };
    const auto* row = find_row(kEvents, type_of(name, data));
    if (row != nullptr) (this->*row->read)(data, sink);
  }

 private:
  void read_started(Value data, EventSink& sink) {
    const Value message = data["message"];
    const std::string_view id = message["id"].string();
    if (started()) {
      // The same once more says nothing new, nor does one that comes late.
      if (id == id_ || id_.empty()) return;
      return fail(
          upstream_malformed("the upstream began a second answer in a stream"),
          sink);
    }
    id_ = id;
    take_usage(message["usage"]);
    lose_others("", message, kMessage);
    send_started({.id = id_,
                  .model = message["model"].string(),
                  .service_tier = tier_,
                  .usage = &usage_},
                 sink);
    take_whole_blocks(message, sink);
  }

  void read_part_started(Value data, EventSink& sink) {
    start(sink);
    read_part_ended(data, sink);  // one that has its index and never ended
    begin_block(index_of(data), data["content_block"], sink);
  }

  void read_text(const Block& block, Value delta, EventSink& sink) {
    add(block, delta["text"].string(), sink);
  }

  void read_thinking(const Block& block, Value delta, EventSink& sink) {
    add(block, delta["thinking"].string(), sink);
  }

  void read_tool_call(const Block& block, Value delta, EventSink& sink) {
    add(block, delta["partial_json"].string(), sink);
  }

  void read_signature(const Block& block, Value delta, EventSink& sink) {
    sign(block, delta["signature"].string(), sink);
  }

  void read_citation(const Block& block, Value delta, EventSink& sink) {
    send_citation(block, delta["citation"].raw(), sink);
  }

  void read_part_ended(Value data, EventSink& sink) {
    end_block(index_of(data), sink);
  }

  /// And how it ends.
  void read_usage(Value data, EventSink& sink) {
    start(sink);
    const Value change = data["delta"];
    if (change["stop_reason"].is_string()) {
      stop_reason_ = change["stop_reason"].string();
    }
    stop_sequence_ = change["stop_sequence"].string();
    explanation_ = change["stop_details"]["explanation"].string();
    if (!change["stop_details"]["category"].absent()) {
      lose_thing("/stop_details/category", kCategory);
    }
    take_usage(data["usage"]);
    lose_others("", data, kChange);
    lose_others("", change, kChange);
    send_usage(usage_, sink);
  }

  void read_finished(Value, EventSink& sink) {
    start(sink);
    for (const Block& block : blocks_) end(block, sink);
    blocks_.clear();
    send_finished({.stop_reason = stop_reason_of(kStopReasons, stop_reason_),
                   .stop_reason_text = stop_reason_,
                   .stop_sequence = stop_sequence_,
                   .refusal_explanation = explanation_,
                   .service_tier = tier_,
                   .usage = &usage_},
                  sink);
  }

  void read_failed(Value data, EventSink& sink) {
    Error error = read_error(data["error"], 0);
    error.request_id = data["request_id"].string();
    fail(error, sink);
  }

  void ping(Value, EventSink& sink) { send_ping(sink); }

  // --- the answer -----------------------------------------------------------

  /// Parts come behind a start, whether or not the upstream sent one.
  void start(EventSink& sink) {
    if (!started()) read_started(Value(), sink);
  }

  /// What a report has replaces what earlier ones had.
  void take_usage(Value usage) {
    counts_.update(usage);
    usage_ = counts_.usage();
    const Value tier = usage["service_tier"];
    if (tier.is_string()) tier_ = canonical_tier(kUsedTiers, tier.string());
  }

  /// Some answers stand in the first event already. Indexes of their blocks
  /// are none that a later one has.
  void take_whole_blocks(Value message, EventSink& sink) {
    std::int64_t index = -1;
    for (const Value block : message["content"].children()) {
      begin_block(index, block, sink);
      end_block(index--, sink);
    }
    stop_reason_ = message["stop_reason"].string();
  }

  void part_delta(Value data, EventSink& sink) {
    using Delta = void (Decoder::*)(const Block&, Value delta, EventSink&);
    static constexpr ReadRow<Delta> kDeltas[] = {
        {"text_delta", &Decoder::read_text},
        {"input_json_delta", &Decoder::read_tool_call},
        {"thinking_delta", &Decoder::read_thinking},
        {"signature_delta", &Decoder::read_signature},
        {"citations_delta", &Decoder::read_citation},
    };
    const Block* block = find(index_of(data));
    if (block == nullptr) {
      return lose("/content_block_delta",
                  "the upstream sent a delta for a block it had not started");
    }
    const Value delta = data["delta"];
    const auto* row = find_row(kDeltas, delta["type"].string());
    if (row != nullptr) return (this->*row->read)(*block, delta, sink);
    lose("/content_block_delta", "a delta of an unknown type was left out");
  }

  // --- blocks ---------------------------------------------------------------

  static std::int64_t index_of(Value data) {
    return data["index"].integer().value_or(0);
  }

  const Block* find(std::int64_t index) const {
    for (const Block& block : blocks_) {
      if (block.index == index) return &block;
    }
    return nullptr;
  }

  void begin_block(std::int64_t index, Value data, EventSink& sink) {
    if (crowded(blocks_.size(), sink)) return;
    const std::string_view type = data["type"].string();
    const Block block = {
        number_part(from_wire(kBlockTypes, type).value_or(PartKind::opaque)),
        index};
    blocks_.push_back(block);
    switch (block.kind) {
      case PartKind::redacted_thinking:
        return begin_redacted(block, data["data"].string(), sink);
      case PartKind::tool_call:
        lose_others("/content", others_of(data));
        return begin_call(block, data, sink);
      case PartKind::opaque:
        // Whole in one event, so it waits for its input.
        held_type_ = type;
        held_block_ = data.raw();
        return whole_input_.clear();
      default:
        send_begin(block, {}, sink);
        send_text(block, data[type].string(), sink);
        if (block.kind == PartKind::text) return;
        return sign(block, data["signature"].string(), sink);
    }
  }

  static void begin_redacted(const Block& block, std::string_view data,
                             EventSink& sink) {
    // Sealed by a proxy like this one between us and the model.
    const std::optional<ThinkingPart> foreign = unseal(data);
    StreamEvent event;
    event.text = foreign ? foreign->redacted_data : data;
    event.issuer = foreign ? foreign->issuer : ReasoningIssuer::anthropic;
    if (foreign) event.id = foreign->id;
    send_begin(block, event, sink);
  }

  void begin_call(const Block& block, Value data, EventSink& sink) {
    const std::string made_id = made_call_id(id_, block.number);
    const std::string_view id = data["id"].string();
    // A whole input instead of deltas; deltas, if they come, win.
    whole_input_ = data["input"].size() > 0 ? data["input"].raw() : "";
    send_begin(block,
               {.id = id.empty() ? made_id : id, .name = data["name"].string()},
               sink);
  }

  void add(const Block& block, std::string_view text, EventSink& sink) {
    if (block.kind == PartKind::opaque) {
      whole_input_.append(text);
      return;
    }
    if (block.kind == PartKind::tool_call && !text.empty()) {
      whole_input_.clear();
    }
    send_text(block, text, sink);
  }

  static void sign(const Block& block, std::string_view signature,
                   EventSink& sink) {
    send_unsealed(block, signature, ReasoningIssuer::anthropic, sink);
  }

  void end_block(std::int64_t index, EventSink& sink) {
    const Block* block = find(index);
    if (block != nullptr) end(*block, sink);
    std::erase_if(blocks_,
                  [index](const Block& b) { return b.index == index; });
  }

  void end(const Block& block, EventSink& sink) {
    if (block.kind == PartKind::opaque) send_held(block, sink);
    if (block.kind == PartKind::tool_call) {
      send_text(block, std::exchange(whole_input_, {}), sink);
    }
    send_end(block, sink);
  }

  /// A block only this dialect knows, with the input that came by deltas.
  void send_held(const Block& block, EventSink& sink) {
    const std::string whole =
        with_input(held_block_, std::exchange(whole_input_, {}));
    send_begin(block, {.id = kName, .name = held_type_, .text = whole}, sink);
  }

  static std::string with_input(const std::string& block,
                                const std::string& input) {
    json::Document document;
    const auto root = document.parse(block);
    if (input.empty() || !root || !json::is_json(input)) return block;
    std::string out;
    json::Writer w(out);
    w.begin_object();
    for (const Value member : root->children()) {
      w.member_raw(member.key(),
                   member.key() == "input" ? input : member.raw());
    }
    w.end_object();
    return out;
  }

  std::string id_;
  UsageCounts counts_;
  Usage usage_;
  std::string tier_;
  std::vector<Block> blocks_;
  std::string whole_input_;
  std::string held_type_;
  std::string held_block_;
  std::string stop_reason_;
  std::string stop_sequence_;
  std::string explanation_;
};

}  // namespace

std::unique_ptr<StreamDecoder> new_stream_decoder(
    std::unique_ptr<wire::Framer> framer, ReadException read_exception) {
  return std::make_unique<Decoder>(std::move(framer), read_exception);
}

std::unique_ptr<StreamDecoder> new_stream_decoder(const RequestContext&) {
  return new_stream_decoder(std::make_unique<wire::SseDecoder>(), nullptr);
}

}  // namespace llmproxy::claude
