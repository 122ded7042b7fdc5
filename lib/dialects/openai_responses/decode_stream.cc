// OpenAI Responses: an upstream's stream to canonical events. Deltas make the
// parts; an item's `done` event completes what they left out.
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "chat/stream_parts.h"
#include "chat/stream_reader.h"
#include "dialects/openai_responses/messages.h"
#include "json/zero.h"

namespace llmproxy::openai_responses {
namespace {

using json::Value;

/// One open part: a piece of a message's content, or a whole item.
struct Open : ReadPart {
  std::int64_t item = 0;     // output_index
  std::int64_t content = 0;  // content_index; 0 for items without content
  std::int64_t summary = 0;  // the summary text being written
  bool own_words = false;    // of reasoning: behind its summary
  bool has_text = false;
};

class Decoder final : public StreamReader {
 protected:
  void on_object(std::string_view name, Value data, EventSink& sink) override {
    if (const Value error = data["error"]; !json::says_nothing(error)) {
      return fail(read_error(error, 0), sink);
    }
    using Event = void (Decoder::*)(Value data, EventSink & sink);
    static constexpr ReadRow<Event> kEvents[] = {
        {"response.output_text.delta", &Decoder::read_text},
        {"response.refusal.delta", &Decoder::read_refusal},
        {"response.function_call_arguments.delta", &Decoder::read_tool_call},
        {"response.custom_tool_call_input.delta", &Decoder::read_tool_call},
        {"response.reasoning_summary_text.delta", &Decoder::read_summary},
        {"response.reasoning_text.delta", &Decoder::read_thinking},
        {"response.output_text.annotation.added", &Decoder::read_citation},
        {"response.content_part.added", &Decoder::read_content_added},
        {"response.content_part.done", &Decoder::read_content_done},
        {"response.output_item.added", &Decoder::read_part_started},
        {"response.output_item.done", &Decoder::read_part_ended},
        {"response.created", &Decoder::read_started},
        {"response.in_progress", &Decoder::read_started},
        {"response.queued", &Decoder::read_started},
        {"response.completed", &Decoder::read_finished},
        {"response.incomplete", &Decoder::read_finished},
        {"response.failed", &Decoder::read_failed},
        {"error", &Decoder::read_flat_error},
        {"keepalive", &Decoder::ping},
    };
    // The provider's own tools report progress; nobody else knows them.
    const auto* row = find_row(kEvents, type_of(name, data));
    if (row != nullptr) (this->*row->read)(data, sink);
  }

 private:
  void read_started(Value data, EventSink& sink) {
    const Value response = data["response"];
    send_started({.id = response["id"].string(),
                  .model = response["model"].string(),
                  .created = response["created_at"].integer().value_or(0),
                  .service_tier = tier_of(response)},
                 sink);
  }

  /// Messages begin with their content, others but these come whole.
  void read_part_started(Value data, EventSink& sink) {
    const std::string_view type = data["item"]["type"].string();
    if (is_call(type)) return begin_call(data, sink);
    if (type == "reasoning") begin_reasoning(data, sink);
  }

  void read_text(Value data, EventSink& sink) {
    add(content(data, PartKind::text, sink), data["delta"].string(), sink);
  }

  void read_thinking(Value data, EventSink& sink) {
    Open& open = reasoning(data, sink);
    const bool first = !std::exchange(open.own_words, true);
    if (first && open.has_text) add(open, "\n\n", sink);
    add(open, data["delta"].string(), sink);
  }

  void read_summary(Value data, EventSink& sink) {
    Open& open = reasoning(data, sink);
    const std::int64_t summary = index_of(data, "summary_index");
    if (summary != open.summary && open.has_text) add(open, "\n\n", sink);
    open.summary = summary;
    add(open, data["delta"].string(), sink);
  }

  void read_refusal(Value data, EventSink& sink) {
    add(content(data, PartKind::refusal, sink), data["delta"].string(), sink);
  }

  void read_tool_call(Value data, EventSink& sink) {
    Open* open = find(index_of(data, kItem), 0);
    if (open == nullptr) {
      return lose("/output",
                  "the upstream sent a delta for a call it had not started");
    }
    add(*open, data["delta"].string(), sink);
  }

  void read_citation(Value data, EventSink& sink) {
    send_citation(content(data, PartKind::text, sink), data["annotation"].raw(),
                  sink);
  }

  void read_part_ended(Value data, EventSink& sink) {
    const std::int64_t index = index_of(data, kItem);
    const Value item = data["item"];
    std::vector<ContentPart> parts;
    read_output_item(item, parts);
    for (const ContentPart& part : parts) {
      lose_others("/content", part.extensions);
    }
    if (item["type"].string() == "message") {
      end_message(index, parts, sink);
    } else if (Open* open = find(index, 0)) {
      end_item(open, parts.front(), sink);
    } else {
      take_whole(parts.front(), sink);
    }
  }

  void read_usage(Value response) {
    usage_ = openai_responses::read_usage(response["usage"]);
  }

  void read_finished(Value data, EventSink& sink) {
    start(sink);
    while (!open_.empty()) end(&open_.front(), sink);
    const Value response = data["response"];
    if (parts() == 0) read_output(response["output"], sink);
    read_usage(response);
    lose_others("", others_of(response));
    send_finished({.stop_reason = stop_reason(response),
                   .stop_reason_text = stop_word(response),
                   .service_tier = tier_of(response),
                   .usage = &usage_},
                  sink);
  }

  void read_failed(Value data, EventSink& sink) {
    fail(read_error(data["response"]["error"], 0), sink);
  }

  void read_flat_error(Value data, EventSink& sink) {
    fail(read_error(data, 0), sink);
  }

  void ping(Value, EventSink& sink) { send_ping(sink); }

  // --- the answer -----------------------------------------------------------

  void start(EventSink& sink) {
    if (!started()) send_started({}, sink);
  }

  /// A part that had no events of its own.
  void take_whole(const ContentPart& part, EventSink& sink) {
    start(sink);
    send_whole(part, sink);
  }

  /// Some servers say everything in the last event.
  void read_output(Value output, EventSink& sink) {
    std::vector<ContentPart> parts;
    for (const Value item : output.children()) read_output_item(item, parts);
    for (const ContentPart& part : parts) take_whole(part, sink);
  }

  // --- parts ----------------------------------------------------------------

  static constexpr std::string_view kItem = "output_index";
  static constexpr std::string_view kContent = "content_index";

  static std::int64_t index_of(Value data, std::string_view name) {
    return data[name].integer().value_or(0);
  }

  Open* find(std::int64_t item, std::int64_t content) {
    for (Open& open : open_) {
      if (open.item == item && open.content == content) return &open;
    }
    return nullptr;
  }

  Open& begin(std::int64_t item, std::int64_t content, const StreamEvent& event,
              EventSink& sink) {
    start(sink);
    // One that has its place and never ended.
    if (Open* old = find(item, content)) end(old, sink);
    Open& open =
        open_.emplace_back(Open{number_part(event.part_kind), item, content});
    send_begin(open, event, sink);
    return open;
  }

  static void add(Open& open, std::string_view text, EventSink& sink) {
    open.has_text = open.has_text || !text.empty();
    send_text(open, text, sink);
  }

  void end(Open* open, EventSink& sink) {
    const ReadPart part = *open;
    open_.erase(open_.begin() + (open - open_.data()));
    send_end(part, sink);
  }

  // --- messages -------------------------------------------------------------

  /// A piece of a message's content, opened by whatever comes first.
  Open& content(Value data, PartKind kind, EventSink& sink) {
    const std::int64_t item = index_of(data, kItem);
    const std::int64_t place = index_of(data, kContent);
    if (Open* open = find(item, place)) return *open;
    content_of_ = std::max(content_of_, item);
    return begin(item, place, {.part_kind = kind}, sink);
  }

  void read_content_added(Value data, EventSink& sink) {
    const Value part = data["part"];
    const bool refusal = part["type"].string() == "refusal";
    if (!refusal && part["type"].string() != "output_text") return;
    add(content(data, refusal ? PartKind::refusal : PartKind::text, sink),
        part[refusal ? "refusal" : "text"].string(), sink);
  }

  /// Servers that send no deltas say everything at the end.
  void read_content_done(Value data, EventSink& sink) {
    Open* open = find(index_of(data, kItem), index_of(data, kContent));
    if (open == nullptr || open->kind == PartKind::thinking) return;
    const bool refusal = open->kind == PartKind::refusal;
    const Value text = data["part"][refusal ? "refusal" : "text"];
    if (!open->has_text) add(*open, text.string(), sink);
    end(open, sink);
  }

  void end_message(std::int64_t index, const std::vector<ContentPart>& parts,
                   EventSink& sink) {
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const auto place = static_cast<std::int64_t>(i);
      if (Open* open = find(index, place)) {
        end(open, sink);
      } else if (index > content_of_) {
        // Nothing of this message came in events of its own.
        take_whole(parts[i], sink);
      }
    }
  }

  // --- items without content ------------------------------------------------

  void begin_call(Value data, EventSink& sink) {
    const ToolCallPart call = call_of(data["item"]);
    const PartKind kind =
        call.custom ? PartKind::custom_tool_call : PartKind::tool_call;
    add(begin(index_of(data, kItem), 0,
              {.part_kind = kind, .id = call.id, .name = call.name}, sink),
        call.arguments, sink);
  }

  void begin_reasoning(Value data, EventSink& sink) {
    const Value item = data["item"];
    StreamEvent event = {.part_kind = PartKind::thinking,
                         .id = item["id"].string()};
    // Sealed by a proxy like this one: encrypted thinking comes whole.
    const ThinkingPart thinking = thinking_of(item);
    if (!thinking.redacted_data.empty()) {
      event = {.part_kind = PartKind::redacted_thinking,
               .id = thinking.id,
               .text = thinking.redacted_data,
               .issuer = thinking.issuer};
    }
    begin(index_of(data, kItem), 0, event, sink);
  }

  Open& reasoning(Value data, EventSink& sink) {
    const std::int64_t item = index_of(data, kItem);
    if (Open* open = find(item, 0)) return *open;
    return begin(
        item, 0,
        {.part_kind = PartKind::thinking, .id = data["item_id"].string()},
        sink);
  }

  void end_item(Open* open, ContentPart& part, EventSink& sink) {
    const std::string* text = text_of(part);
    if (text != nullptr && !open->has_text) add(*open, *text, sink);
    const auto* thinking = part.as<ThinkingPart>();
    if (thinking != nullptr && !thinking->signature.empty()) {
      send_signature({open->number, PartKind::thinking}, thinking->signature,
                     thinking->issuer, sink);
    }
    end(open, sink);
  }

  std::vector<Open> open_;
  Usage usage_;
  std::int64_t content_of_ = -1;  // last message with content events
};

}  // namespace

std::unique_ptr<StreamDecoder> new_stream_decoder(const RequestContext&) {
  return std::make_unique<Decoder>();
}

}  // namespace llmproxy::openai_responses
