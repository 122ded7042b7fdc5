// OpenAI Responses: canonical events to a client's stream. Every part is an
// output item; every event is numbered; the last one repeats the answer.
#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <utility>

#include "chat/long_events.h"
#include "chat/stream_parts.h"
#include "chat/stream_writer.h"
#include "dialects/openai_responses/tables.h"
#include "wire/sse.h"

namespace llmproxy::openai_responses {
namespace {

/// The text of an item, which comes in pieces: its events, and where they say
/// it stands.
struct TextRow {
  PartKind kind;
  std::string_view delta;
  std::string_view done;
  std::string_view member;      ///< of `done`: the whole text
  std::string_view index = {};  ///< its number in the item: there is only one
  /// Some texts are parts of their items, which have events of their own.
  std::string_view type = {};
  std::string_view part_added = {};
  std::string_view part_done = {};
};
constexpr std::string_view kContentAdded = "response.content_part.added";
constexpr std::string_view kContentDone = "response.content_part.done";
constexpr std::array kTexts = {
    TextRow{PartKind::text, "response.output_text.delta",
            "response.output_text.done", "text", "content_index", "output_text",
            kContentAdded, kContentDone},
    TextRow{PartKind::refusal, "response.refusal.delta",
            "response.refusal.done", "refusal", "content_index", "refusal",
            kContentAdded, kContentDone},
    TextRow{PartKind::thinking, "response.reasoning_summary_text.delta",
            "response.reasoning_summary_text.done", "text", "summary_index",
            "summary_text", "response.reasoning_summary_part.added",
            "response.reasoning_summary_part.done"},
    TextRow{PartKind::tool_call, "response.function_call_arguments.delta",
            "response.function_call_arguments.done", "arguments"},
    TextRow{PartKind::custom_tool_call, "response.custom_tool_call_input.delta",
            "response.custom_tool_call_input.done", "input"},
};

/// nullptr = such parts come whole.
const TextRow* text_row(PartKind kind) {
  const auto* row =
      std::find_if(kTexts.begin(), kTexts.end(),
                   [&](const TextRow& text) { return text.kind == kind; });
  return row == kTexts.end() ? nullptr : row;
}

/// For JSON of a long text, in one step: doubled in many, the old memory and
/// the new would be there at once. What is not written to costs nothing.
void make_room(std::string& out, std::size_t text) {
  constexpr std::size_t kLong = std::size_t{1} << 20;
  if (text >= kLong) out.reserve(out.size() + 2 * text);
}

class Encoder final : public StreamWriter, public LongEvents {
 public:
  explicit Encoder(const RequestContext& context)
      : StreamWriter(kTarget, PartOrder::in_turn), context_(context) {}

  /// Codex does not count comments as a sign of life; the SDKs want
  /// response.created to come first, whatever else there is.
  void keep_alive(bool begun, std::string& out) override {
    if (!begun) return wire::append_comment(out, "keep-alive");
    begin("keepalive", out);
    // Passed on, the numbers are the upstream's own.
    if (sequence_ > 0) w_.member("sequence_number", sequence_++);
    w_.end_object();
    out += wire::kEventEnd;
  }

  void on_output(std::function<void(std::string& out)> taken) override {
    taken_ = std::move(taken);
  }

 private:
  void on_started(const StreamEvent& event) override {
    answer_.id = response_id(context_, event.id);
    answer_.model = event.model;
    answer_.created = event.created;
    answer_.service_tier = service_tier_;
    answer_.status = "in_progress";
    send_answer("response.created");
    send_answer("response.in_progress");
  }

  void open_text(const StreamEvent& event) override { open(event); }
  void open_thinking(const StreamEvent& event) override { open(event); }
  void open_redacted_thinking(const StreamEvent& event) override {
    open(event);
  }
  void open_refusal(const StreamEvent& event) override {
    refused_ = true;
    open(event);
  }
  void open_tool_call(const StreamEvent& event) override { open(event); }
  void open_image(const StreamEvent& event) override { open(event); }

  void open_opaque(const StreamEvent& event) override {
    if (event.id != kName) return lose_part(event);
    send_item("response.output_item.added", event.text);
    send_item("response.output_item.done", event.text);
    answer_.begin_item();
    answer_.output += event.text;
    ++index_;
  }

  void on_text(const StreamEvent& event) override { add(event); }
  void on_thinking(const StreamEvent& event) override { add(event); }
  void on_refusal(const StreamEvent& event) override { add(event); }
  void on_tool_call(const StreamEvent& event) override { add(event); }

  void on_signature(const StreamEvent& event) override {
    auto* thinking = part_.as<ThinkingPart>();
    if (thinking == nullptr) return;
    thinking->signature = event.signature;
    thinking->issuer = event.issuer;
  }

  void on_citation(const StreamEvent&) override {
    lose("/content/citations", "citations of other APIs");
  }

  void close_part(const StreamEvent&) override {
    if (!part_open_) return;
    if (text_open_) end_text();
    end_item();
  }

  void on_finished(const StreamEvent& event) override {
    // What explains a refusal is the text of the refusal here.
    if (!refused_ && event.stop_reason == StopReason::refusal &&
        !event.refusal_explanation.empty()) {
      StreamEvent part = part_event(EventKind::part_delta, PartKind::refusal,
                                    static_cast<std::uint32_t>(index_));
      part.text = event.refusal_explanation;
      open_refusal(part);
      on_refusal(part);
      close_part(part);
    }
    answer_.service_tier = service_tier_;
    answer_.usage = &usage_;
    answer_.finish(event.stop_reason, event.stop_sequence, refused_, losses_);
    send_answer(answer_.status == "completed" ? "response.completed"
                                              : "response.incomplete");
  }

  /// As `response.failed`, which every client of this API knows; before the
  /// answer has begun there is no response to fail, so an `error` event.
  void on_failed(const Error& error) override {
    if (answer_.id.empty()) {
      begin("error");
      write_stream_error(error, w_);
      return send();
    }
    answer_.status = "failed";
    answer_.error = &error;
    send_answer("response.failed");
    answer_.error = nullptr;
  }

  // --- events ---------------------------------------------------------------

  void begin(std::string_view type, std::string& out) {
    wire::begin_event(out, type);
    w_.reset(out);
    w_.begin_typed(type);
  }

  void begin(std::string_view type) {
    begin(type, out());
    w_.member("sequence_number", sequence_++);
  }

  /// An event about the text of the open item.
  void begin_of_text(std::string_view type) {
    begin(type);
    w_.member("item_id", id_);
    w_.member("output_index", index_);
    if (!row_->index.empty()) w_.member(row_->index, std::int64_t{0});
  }

  void send() {
    w_.end_object();
    out() += wire::kEventEnd;
    if (taken_) taken_(out());
  }

  void send_answer(std::string_view type) {
    begin(type);
    make_room(out(), answer_.output.size());
    w_.key("response");
    write_answer(answer_, context_, w_);
    send();
  }

  void send_item(std::string_view type, std::string_view item) {
    begin(type);
    make_room(out(), item.size());
    w_.member("output_index", index_);
    w_.member_raw("item", item);
    send();
  }

  // --- items ----------------------------------------------------------------

  void open(const StreamEvent& event) {
    part_ = empty_part(event);
    row_ = text_row(event.part_kind);
    text_open_ = false;
    // Empty texts are no items; whether this one is shows with its first piece.
    if (event.part_kind == PartKind::text) return;
    begin_item(event);
    // Thinking may have no text, but a signature alone.
    if (row_ != nullptr && event.part_kind != PartKind::thinking) begin_text();
  }

  void begin_item(const StreamEvent& event) {
    const bool own_id =
        event.part_kind == PartKind::thinking && event.id.starts_with("rs_");
    part_open_ = true;
    id_ =
        own_id ? std::string(event.id) : item_id(part_, answer_.id, event.part);
    begin("response.output_item.added");
    w_.member("output_index", index_);
    w_.key("item");
    write_item({part_, id_, "in_progress"}, context_, w_);
    send();
  }

  void end_item() {
    const std::size_t begin = answer_.begin_item();
    make_room(answer_.output, row_ == nullptr ? 0 : text_of(part_)->size());
    w_.reset(answer_.output);
    write_item({part_, id_, "completed"}, context_, w_);
    // It may be long, and is in the item from now on.
    part_ = ContentPart{};
    row_ = nullptr;
    part_open_ = false;
    send_item("response.output_item.done",
              std::string_view(answer_.output).substr(begin));
    ++index_;
  }

  // --- their texts ----------------------------------------------------------

  void begin_text() {
    text_open_ = true;
    send_part(row_->part_added, "");
  }

  void add(const StreamEvent& event) {
    if (row_ == nullptr || row_->kind != event.part_kind) return;
    if (!part_open_) begin_item(event);
    if (!text_open_) begin_text();
    *text_of(part_) += event.text;
    begin_of_text(row_->delta);
    w_.member("delta", event.text);
    send_text();
  }

  void end_text() {
    const std::string& text = *text_of(part_);
    begin_of_text(row_->done);
    if (row_->kind == PartKind::tool_call) {
      w_.member("name", part_.as<ToolCallPart>()->name);
    }
    make_room(out(), text.size());
    w_.member(row_->member, text);
    send_text();
    send_part(row_->part_done, text);
  }

  void send_text() {
    if (row_->kind == PartKind::text) w_.member_raw("logprobs", "[]");
    send();
  }

  void send_part(std::string_view event, std::string_view text) {
    if (event.empty()) return;
    begin_of_text(event);
    make_room(out(), text.size());
    w_.key("part");
    write_piece(row_->type, text, {}, w_);
    send();
  }

  const RequestContext context_;
  Answer answer_;
  std::function<void(std::string& out)> taken_;
  ContentPart part_;              // the open item
  const TextRow* row_ = nullptr;  // of its text
  std::string id_;
  std::int64_t sequence_ = 0;
  std::int64_t index_ = 0;  // output_index of the open or next item
  bool text_open_ = false;
  bool refused_ = false;
};

}  // namespace

std::unique_ptr<StreamEncoder> new_stream_encoder(
    const RequestContext& context) {
  return std::make_unique<Encoder>(context);
}

}  // namespace llmproxy::openai_responses
