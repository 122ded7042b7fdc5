// Anthropic Messages: an upstream's stream to canonical events.
#include <memory>
#include <utility>
#include <vector>

#include "chat/parse_answer.h"
#include "chat/sealed_reasoning.h"
#include "chat/stream_reader.h"
#include "dialects/claude/body.h"

namespace llmproxy::claude {
namespace {

using json::Value;

class Decoder final : public StreamReader {
 public:
  Decoder(std::unique_ptr<wire::Framer> framer, ReadException read_exception)
      : StreamReader(std::move(framer), read_exception) {}

 protected:
  bool on_sentinel(std::string_view data, EventSink&) override {
    // Not of this dialect, but some servers send it; it means nothing.
    return data == "[DONE]";
  }

  void on_object(std::string_view name, Value data, EventSink& sink) override {
    struct Row {
      std::string_view type;
      void (Decoder::*read)(Value data, EventSink& sink);
    };
    static constexpr std::array kEvents = {
        Row{"content_block_delta", &Decoder::block_delta},
        Row{"content_block_start", &Decoder::block_start},
        Row{"content_block_stop", &Decoder::block_stop},
        Row{"message_start", &Decoder::message_start},
        Row{"message_delta", &Decoder::message_delta},
        Row{"message_stop", &Decoder::message_stop},
        Row{"ping", &Decoder::ping},
        Row{"error", &Decoder::stream_error},
    };
    // The JSON's own type counts; the event line is for readers without JSON.
    const std::string_view type =
        data["type"].is_string() ? data["type"].string() : name;
    for (const Row& row : kEvents) {
      if (row.type == type) return (this->*row.read)(data, sink);
    }
    // New event types may come at any time and must not be fatal.
  }

  bool on_close(EventSink&) override { return false; }

 private:
  /// Parts come behind a start, whether or not the upstream sent one.
  void start(EventSink& sink) {
    if (!started_) message_start(Value(), sink);
  }

  void message_start(Value data, EventSink& sink) {
    const Value message = data["message"];
    const std::string_view id = message["id"].string();
    if (std::exchange(started_, true)) {
      // The same once more says nothing new, nor does one that comes late.
      if (id == id_ || id_.empty()) return;
      return fail(
          upstream_malformed("the upstream began a second answer in a stream"),
          sink);
    }
    id_ = id;
    counts_.update(message["usage"]);
    usage_ = counts_.usage();
    tier_ = canonical_tier(message["usage"]["service_tier"].string());
    StreamEvent event;
    event.kind = EventKind::started;
    event.id = id_;
    event.model = message["model"].string();
    event.service_tier = tier_;
    event.usage = &usage_;
    sink.on_event(event);
    whole_blocks(message, sink);
  }

  /// Some answers stand in the first event already. Indexes of their blocks
  /// are none that a later one has.
  void whole_blocks(Value message, EventSink& sink) {
    std::int64_t index = -1;
    for (const Value block : message["content"].children()) {
      begin_block(index, block, sink);
      end_block(index--, sink);
    }
    stop_reason_ = message["stop_reason"].string();
  }

  /// Part numbers count what was started; the upstream's indexes may skip.
  struct Block {
    std::int64_t index;
    std::uint32_t part;
    PartKind kind;
  };

  Block* find(std::int64_t index) {
    for (Block& block : open_) {
      if (block.index == index) return &block;
    }
    return nullptr;
  }

  static std::int64_t index_of(Value data) {
    return data["index"].integer().value_or(0);
  }

  void block_start(Value data, EventSink& sink) {
    start(sink);
    block_stop(data, sink);  // one that has its index and never ended
    begin_block(index_of(data), data["content_block"], sink);
  }

  void begin_block(std::int64_t index, Value block, EventSink& sink) {
    const std::string_view type = block["type"].string();
    if (crowded(open_.size(), sink)) return;
    StreamEvent event;
    event.kind = EventKind::part_started;
    event.part = next_part_++;
    std::optional<ThinkingPart> foreign;
    std::string_view first;      // text the start carries already
    std::string_view signature;  // likewise
    std::string made_id;         // of a call
    if (type == "text") {
      event.part_kind = PartKind::text;
      first = block["text"].string();
    } else if (type == "thinking") {
      event.part_kind = PartKind::thinking;
      first = block["thinking"].string();
      signature = block["signature"].string();
    } else if (type == "redacted_thinking") {
      event.part_kind = PartKind::redacted_thinking;
      event.text = block["data"].string();
      event.issuer = ReasoningIssuer::anthropic;
      if ((foreign = unseal(event.text))) {
        event.text = foreign->redacted_data;
        event.issuer = foreign->issuer;
        event.id = foreign->id;
      }
    } else if (type == "tool_use") {
      event.part_kind = PartKind::tool_call;
      made_id = made_call_id(id_, event.part);
      event.id = block["id"].string();
      if (event.id.empty()) event.id = made_id;
      event.name = block["name"].string();
      // A whole input instead of deltas; deltas, if they come, win.
      whole_input_ = block["input"].size() > 0
                         ? std::string(block["input"].raw())
                         : std::string();
    } else {
      // Whole in one event, so it waits for its input.
      held_type_ = type;
      held_block_ = block.raw();
      whole_input_.clear();
      open_.push_back({index, event.part, PartKind::opaque});
      return;
    }
    open_.push_back({index, event.part, event.part_kind});
    sink.on_event(event);
    delta(open_.back(), &StreamEvent::text, first, sink);
    delta(open_.back(), &StreamEvent::signature, signature, sink);
  }

  static void delta(const Block& block, std::string_view StreamEvent::*member,
                    std::string_view value, EventSink& sink) {
    if (value.empty()) return;
    StreamEvent event;
    event.kind = EventKind::part_delta;
    event.part_kind = block.kind;
    event.part = block.part;
    event.*member = value;
    if (event.signature.empty()) return sink.on_event(event);
    event.issuer = ReasoningIssuer::anthropic;
    // Sealed by a proxy like this one between us and the model.
    const std::optional<ThinkingPart> foreign = unseal(event.signature);
    if (foreign) {
      event.signature = foreign->signature;
      event.issuer = foreign->issuer;
    }
    sink.on_event(event);
  }

  void block_delta(Value data, EventSink& sink) {
    Block* block = find(index_of(data));
    if (block == nullptr) {
      return lose("/content_block_delta",
                  "the upstream sent a delta for a block it had not started");
    }
    const Value change = data["delta"];
    struct Row {
      std::string_view type;
      std::string_view member;
      std::string_view StreamEvent::*target;
    };
    static constexpr std::array kDeltas = {
        Row{"text_delta", "text", &StreamEvent::text},
        Row{"input_json_delta", "partial_json", &StreamEvent::text},
        Row{"thinking_delta", "thinking", &StreamEvent::text},
        Row{"signature_delta", "signature", &StreamEvent::signature},
    };
    const std::string_view type = change["type"].string();
    for (const Row& row : kDeltas) {
      if (row.type != type) continue;
      const std::string_view text = change[row.member].string();
      if (block->kind == PartKind::opaque) {
        whole_input_.append(text);
        return;
      }
      if (block->kind == PartKind::tool_call && !text.empty()) {
        whole_input_.clear();
      }
      return delta(*block, row.target, text, sink);
    }
    if (type == "citations_delta") {
      return delta(*block, &StreamEvent::citation, change["citation"].raw(),
                   sink);
    }
    lose("/content_block_delta", "a delta of an unknown type was left out");
  }

  void block_stop(Value data, EventSink& sink) {
    end_block(index_of(data), sink);
  }

  void end_block(std::int64_t index, EventSink& sink) {
    Block* block = find(index);
    if (block != nullptr) end(*block, sink);
    std::erase_if(open_, [index](const Block& b) { return b.index == index; });
  }

  /// A block only this dialect knows, with the input that came by deltas.
  void send_held(const Block& block, EventSink& sink) {
    StreamEvent event;
    event.kind = EventKind::part_started;
    event.part_kind = PartKind::opaque;
    event.part = block.part;
    event.id = kName;
    event.name = held_type_;
    const std::string whole = with_input(held_block_, whole_input_);
    event.text = whole;
    whole_input_.clear();
    sink.on_event(event);
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

  void end(const Block& block, EventSink& sink) {
    if (block.kind == PartKind::opaque) send_held(block, sink);
    if (block.kind == PartKind::tool_call && !whole_input_.empty()) {
      delta(block, &StreamEvent::text, whole_input_, sink);
      whole_input_.clear();
    }
    StreamEvent event;
    event.kind = EventKind::part_ended;
    event.part_kind = block.kind;
    event.part = block.part;
    sink.on_event(event);
  }

  void message_delta(Value data, EventSink& sink) {
    start(sink);
    const Value change = data["delta"];
    if (change["stop_reason"].is_string()) {
      stop_reason_ = change["stop_reason"].string();
    }
    stop_sequence_ = change["stop_sequence"].string();
    explanation_ = change["stop_details"]["explanation"].string();
    if (!change["stop_details"]["category"].absent()) {
      Losses losses;
      lose_category(change["stop_details"], losses);
      lose(losses[0].path, losses[0].what);
    }
    counts_.update(data["usage"]);
    usage_ = counts_.usage();
    if (data["usage"]["service_tier"].is_string()) {
      tier_ = canonical_tier(data["usage"]["service_tier"].string());
    }
    StreamEvent event;
    event.kind = EventKind::usage;
    event.usage = &usage_;
    sink.on_event(event);
  }

  void message_stop(Value, EventSink& sink) {
    start(sink);
    for (const Block& block : open_) end(block, sink);
    open_.clear();
    StreamEvent event;
    event.kind = EventKind::finished;
    event.stop_reason =
        from_wire(kStopReasons, stop_reason_).value_or(StopReason::other);
    event.stop_reason_text = stop_reason_;
    event.stop_sequence = stop_sequence_;
    event.refusal_explanation = explanation_;
    event.service_tier = tier_;
    event.usage = &usage_;
    close();
    sink.on_event(event);
  }

  void ping(Value, EventSink& sink) {
    StreamEvent event;
    event.kind = EventKind::ping;
    sink.on_event(event);
  }

  void stream_error(Value data, EventSink& sink) {
    Error error = read_error(data["error"], 0);
    error.request_id = std::string(data["request_id"].string());
    fail(error, sink);
  }

  std::string id_;
  UsageCounts counts_;
  Usage usage_;
  std::string tier_;
  std::vector<Block> open_;
  std::string whole_input_;
  std::string held_type_;
  std::string held_block_;
  std::string stop_reason_;
  std::string stop_sequence_;
  std::string explanation_;
  std::uint32_t next_part_ = 0;
  bool started_ = false;
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
