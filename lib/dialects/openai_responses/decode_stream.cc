// OpenAI Responses: an upstream's stream to canonical events. Deltas make the
// parts; an item's `done` event completes what they left out.
#include <algorithm>
#include <memory>
#include <vector>

#include "chat/parse_answer.h"
#include "chat/sealed_reasoning.h"
#include "chat/stream_reader.h"
#include "dialects/openai_responses/messages.h"
#include "json/zero.h"

namespace llmproxy::openai_responses {
namespace {

using json::Value;

/// One open part: a piece of a message's content, or a whole item.
struct Open {
  std::int64_t item;     // output_index
  std::int64_t content;  // content_index; 0 for items without content
  std::uint32_t part;
  PartKind kind;
  std::int64_t summary = 0;  // the summary text being written
  bool has_text = false;
};

class Decoder final : public StreamReader {
 protected:
  bool on_sentinel(std::string_view data, EventSink&) override {
    // Not of this dialect, but some servers send it; it means nothing.
    return data == "[DONE]";
  }

  void on_object(std::string_view name, Value data, EventSink& sink) override {
    if (const Value error = data["error"]; !json::says_nothing(error)) {
      return fail(read_error(error, 0), sink);
    }
    struct Row {
      std::string_view type;
      void (Decoder::*read)(Value data, EventSink& sink);
    };
    static constexpr Row kEvents[] = {
        {"response.output_text.delta", &Decoder::text_delta},
        {"response.refusal.delta", &Decoder::refusal_delta},
        {"response.function_call_arguments.delta", &Decoder::item_delta},
        {"response.custom_tool_call_input.delta", &Decoder::item_delta},
        {"response.reasoning_summary_text.delta", &Decoder::summary_delta},
        {"response.reasoning_text.delta", &Decoder::reasoning_delta},
        {"response.output_text.annotation.added", &Decoder::annotation},
        {"response.content_part.added", &Decoder::content_added},
        {"response.content_part.done", &Decoder::content_done},
        {"response.output_item.added", &Decoder::item_added},
        {"response.output_item.done", &Decoder::item_done},
        {"response.created", &Decoder::created},
        {"response.in_progress", &Decoder::created},
        {"response.queued", &Decoder::created},
        {"response.completed", &Decoder::finished},
        {"response.incomplete", &Decoder::finished},
        {"response.failed", &Decoder::failed},
        {"error", &Decoder::flat_error},
        {"keepalive", &Decoder::ping},
    };
    const std::string_view type =
        data["type"].is_string() ? data["type"].string() : name;
    for (const Row& row : kEvents) {
      if (row.type == type) return (this->*row.read)(data, sink);
    }
    // The provider's own tools report progress; nobody else knows them.
  }

  bool on_close(EventSink&) override { return false; }

 private:
  void created(Value data, EventSink& sink) {
    if (started_) return;
    started_ = true;
    const Value response = data["response"];
    StreamEvent event;
    event.kind = EventKind::started;
    event.id = response["id"].string();
    event.model = response["model"].string();
    event.created = response["created_at"].integer().value_or(0);
    event.service_tier = response["service_tier"].string();
    sink.on_event(event);
  }

  void start(EventSink& sink) {
    if (!started_) created(Value(), sink);
  }

  Open* find(std::int64_t item, std::int64_t content) {
    for (Open& open : open_) {
      if (open.item == item && open.content == content) return &open;
    }
    return nullptr;
  }

  Open& begin(std::int64_t item, std::int64_t content, StreamEvent event,
              EventSink& sink) {
    start(sink);
    // One that has its place and never ended.
    if (Open* old = find(item, content)) end(old, sink);
    event.kind = EventKind::part_started;
    event.part = next_part_++;
    sink.on_event(event);
    Open open{item, content, event.part, event.part_kind};
    open_.push_back(open);
    return open_.back();
  }

  void delta(Open& open, std::string_view text, EventSink& sink) {
    if (text.empty()) return;
    open.has_text = true;
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

  static std::int64_t index_of(Value data, std::string_view name) {
    return data[name].integer().value_or(0);
  }

  /// A piece of a message's content, opened by whatever comes first.
  Open& content(Value data, PartKind kind, EventSink& sink) {
    const std::int64_t item = index_of(data, "output_index");
    const std::int64_t place = index_of(data, "content_index");
    if (Open* open = find(item, place)) return *open;
    content_of_ = std::max(content_of_, item);
    StreamEvent event;
    event.part_kind = kind;
    return begin(item, place, event, sink);
  }

  void content_added(Value data, EventSink& sink) {
    const Value part = data["part"];
    const std::string_view type = part["type"].string();
    if (type == "output_text") {
      delta(content(data, PartKind::text, sink), part["text"].string(), sink);
    } else if (type == "refusal") {
      delta(content(data, PartKind::refusal, sink), part["refusal"].string(),
            sink);
    }
  }

  void text_delta(Value data, EventSink& sink) {
    delta(content(data, PartKind::text, sink), data["delta"].string(), sink);
  }

  void refusal_delta(Value data, EventSink& sink) {
    delta(content(data, PartKind::refusal, sink), data["delta"].string(), sink);
  }

  void annotation(Value data, EventSink& sink) {
    const Open& open = content(data, PartKind::text, sink);
    StreamEvent event;
    event.kind = EventKind::part_delta;
    event.part_kind = open.kind;
    event.part = open.part;
    event.citation = data["annotation"].raw();
    if (!event.citation.empty()) sink.on_event(event);
  }

  void content_done(Value data, EventSink& sink) {
    Open* open =
        find(index_of(data, "output_index"), index_of(data, "content_index"));
    if (open == nullptr || open->kind == PartKind::thinking) return;
    complete(*open, data["part"], sink);
    end(open, sink);
  }

  /// Servers that send no deltas say everything at the end.
  void complete(Open& open, Value part, EventSink& sink) {
    if (open.has_text) return;
    delta(open,
          part[open.kind == PartKind::refusal ? "refusal" : "text"].string(),
          sink);
  }

  void item_added(Value data, EventSink& sink) {
    const Value item = data["item"];
    const std::string_view type = item["type"].string();
    StreamEvent event;
    std::string name;
    std::string id;
    std::optional<ThinkingPart> sealed;
    std::string_view first;
    if (type == "function_call" || type == "custom_tool_call") {
      const bool custom = type == "custom_tool_call";
      event.part_kind =
          custom ? PartKind::custom_tool_call : PartKind::tool_call;
      id = call_id(item);
      event.id = id;
      name = full_tool_name(item["namespace"].string(), item["name"].string());
      event.name = name;
      first = item[custom ? "input" : "arguments"].string();
    } else if (type == "reasoning") {
      event.part_kind = PartKind::thinking;
      event.id = item["id"].string();
      // Sealed by a proxy like this one: encrypted thinking comes whole.
      sealed = unseal(item["encrypted_content"].string());
      if (sealed && !sealed->redacted_data.empty()) {
        event.part_kind = PartKind::redacted_thinking;
        event.id = sealed->id;
        event.text = sealed->redacted_data;
        event.issuer = sealed->issuer;
      }
    } else {
      return;  // messages begin with their content, others come whole
    }
    delta(begin(index_of(data, "output_index"), 0, event, sink), first, sink);
  }

  void item_delta(Value data, EventSink& sink) {
    Open* open = find(index_of(data, "output_index"), 0);
    if (open == nullptr) {
      return lose("/output",
                  "the upstream sent a delta for a call it had not started");
    }
    delta(*open, data["delta"].string(), sink);
  }

  Open& reasoning(Value data, EventSink& sink) {
    const std::int64_t item = index_of(data, "output_index");
    if (Open* open = find(item, 0)) return *open;
    StreamEvent event;
    event.part_kind = PartKind::thinking;
    event.id = data["item_id"].string();
    return begin(item, 0, event, sink);
  }

  void summary_delta(Value data, EventSink& sink) {
    Open& open = reasoning(data, sink);
    const std::int64_t summary = index_of(data, "summary_index");
    if (summary != open.summary && open.has_text) delta(open, "\n\n", sink);
    open.summary = summary;
    delta(open, data["delta"].string(), sink);
  }

  void reasoning_delta(Value data, EventSink& sink) {
    delta(reasoning(data, sink), data["delta"].string(), sink);
  }

  void item_done(Value data, EventSink& sink) {
    const std::int64_t index = index_of(data, "output_index");
    const Value item = data["item"];
    std::vector<ContentPart> parts;
    read_output_item(item, parts);
    if (item["type"].string() == "message") {
      message_done(index, parts, sink);
    } else if (Open* open = find(index, 0)) {
      whole_item_done(open, parts.front(), sink);
    } else {
      send_whole(parts.front(), sink);
    }
  }

  void message_done(std::int64_t index, const std::vector<ContentPart>& parts,
                    EventSink& sink) {
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const auto place = static_cast<std::int64_t>(i);
      if (Open* open = find(index, place)) {
        end(open, sink);
      } else if (index > content_of_) {
        // Nothing of this message came in events of its own.
        send_whole(parts[i], sink);
      }
    }
  }

  void whole_item_done(Open* open, const ContentPart& part, EventSink& sink) {
    if (const auto* call = part.as<ToolCallPart>()) {
      if (!open->has_text) delta(*open, call->arguments, sink);
    } else if (const auto* thinking = part.as<ThinkingPart>()) {
      if (!open->has_text) delta(*open, thinking->text, sink);
      if (!thinking->signature.empty()) {
        StreamEvent event;
        event.kind = EventKind::part_delta;
        event.part_kind = PartKind::thinking;
        event.part = open->part;
        event.signature = thinking->signature;
        event.issuer = thinking->issuer;
        sink.on_event(event);
      }
    }
    end(open, sink);
  }

  /// A part that had no events of its own, as the events it stands for.
  void send_whole(const ContentPart& part, EventSink& sink) {
    start(sink);
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
    one.content.push_back(part);
    replay(one, renumber);
  }

  void finished(Value data, EventSink& sink) {
    start(sink);
    while (!open_.empty()) end(&open_.front(), sink);
    const Value response = data["response"];
    if (next_part_ == 0) send_output(response["output"], sink);
    const Usage usage = read_usage(response["usage"]);
    const std::string_view why =
        response["incomplete_details"]["reason"].string();
    StreamEvent event;
    event.kind = EventKind::finished;
    event.stop_reason = stop_reason(response);
    event.stop_reason_text = why.empty() ? response["status"].string() : why;
    event.service_tier = response["service_tier"].string();
    event.usage = &usage;
    close();
    sink.on_event(event);
  }

  /// Some servers say everything in the last event.
  void send_output(Value output, EventSink& sink) {
    std::vector<ContentPart> parts;
    for (const Value item : output.children()) read_output_item(item, parts);
    for (const ContentPart& part : parts) send_whole(part, sink);
  }

  void failed(Value data, EventSink& sink) {
    fail(read_error(data["response"]["error"], 0), sink);
  }

  void flat_error(Value data, EventSink& sink) {
    fail(read_error(data, 0), sink);
  }

  void ping(Value, EventSink& sink) {
    StreamEvent event;
    event.kind = EventKind::ping;
    sink.on_event(event);
  }

  std::vector<Open> open_;
  std::uint32_t next_part_ = 0;
  std::int64_t content_of_ = -1;  // last message with content events
  bool started_ = false;
};

}  // namespace

std::unique_ptr<StreamDecoder> new_stream_decoder(const RequestContext&) {
  return std::make_unique<Decoder>();
}

}  // namespace llmproxy::openai_responses
