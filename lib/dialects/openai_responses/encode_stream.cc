// OpenAI Responses: canonical events to a client's stream. Every part is an
// output item; every event is numbered; the last one repeats the answer.
#include <fmt/format.h>

#include <functional>
#include <iterator>
#include <memory>
#include <utility>

#include "chat/long_events.h"
#include "chat/stream_parts.h"
#include "chat/stream_writer.h"
#include "dialects/openai_responses/tables.h"
#include "wire/sse.h"

namespace llmproxy::openai_responses {
namespace {

/// For JSON of a long text, in one step: doubled in many, the old memory and
/// the new would be there at once. What is not written to costs nothing.
void make_room(std::string& out, std::size_t text) {
  constexpr std::size_t kLong = std::size_t{1} << 20;
  if (text >= kLong) out.reserve(out.size() + 2 * text);
}

class Encoder final : public StreamWriter, public LongEvents {
 public:
  explicit Encoder(const RequestContext& context)
      : StreamWriter("OpenAI Responses", PartOrder::in_turn),
        context_(context) {}

  /// Codex does not count comments as a sign of life; the SDKs want
  /// response.created to come first, whatever else there is.
  void keep_alive(bool begun, std::string& out) override {
    if (!begun) return wire::append_comment(out, "keep-alive");
    // Passed on, the numbers are the upstream's own.
    out += "event: keepalive\ndata: {\"type\":\"keepalive\"";
    if (sequence_ > 0) {
      fmt::format_to(std::back_inserter(out), ",\"sequence_number\":{}",
                     sequence_++);
    }
    out += "}\n\n";
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

  /// Empty texts are no items; whether this one is shows with its first piece.
  void open_text(const StreamEvent&) override { part_.value = TextPart{}; }

  void open_thinking(const StreamEvent& event) override {
    ThinkingPart thinking;
    thinking.issuer = event.issuer;
    thinking.id = event.id;
    const bool own_id = event.id.starts_with("rs_");
    part_.value = std::move(thinking);
    begin_item(own_id ? std::string(event.id) : made_id(event));
  }

  void open_redacted_thinking(const StreamEvent& event) override {
    ThinkingPart thinking;
    thinking.redacted_data = event.text;
    thinking.issuer = event.issuer;
    thinking.id = event.id;
    part_.value = std::move(thinking);
    begin_item(made_id(event));
  }

  void open_refusal(const StreamEvent& event) override {
    refused_ = true;
    part_.value = RefusalPart{};
    begin_item(made_id(event));
    begin_content();
  }

  void open_tool_call(const StreamEvent& event) override {
    part_.value = ToolCallPart{std::string(event.id),
                               std::string(event.name),
                               {},
                               event.part_kind == PartKind::custom_tool_call};
    begin_item(made_id(event));
  }

  void open_image(const StreamEvent& event) override {
    part_.value = ImagePart{
        {MediaKind::base64, std::string(event.text), std::string(event.name)},
        {}};
    begin_item(made_id(event));
  }

  void open_opaque(const StreamEvent& event) override {
    if (event.id != kName) return lose_part(event);
    send_item("response.output_item.added", event.text);
    send_item("response.output_item.done", event.text);
    begin_kept_item();
    answer_.output += event.text;
    ++index_;
  }

  void on_text(const StreamEvent& event) override {
    auto* text = part_.as<TextPart>();
    if (text == nullptr) return;
    if (!part_open_) {
      begin_item(made_id(event));
      begin_content();
    }
    text->text += event.text;
    begin_of_content("response.output_text.delta");
    w_.member("delta", event.text);
    w_.member_raw("logprobs", "[]");
    send();
  }

  void on_thinking(const StreamEvent& event) override {
    auto* thinking = part_.as<ThinkingPart>();
    if (thinking == nullptr) return;
    if (thinking->text.empty()) {
      send_summary_part("response.reasoning_summary_part.added", "");
    }
    thinking->text += event.text;
    begin_of_summary("response.reasoning_summary_text.delta");
    w_.member("delta", event.text);
    send();
  }

  void on_refusal(const StreamEvent& event) override {
    auto* refusal = part_.as<RefusalPart>();
    if (refusal == nullptr) return;
    refusal->text += event.text;
    begin_of_content("response.refusal.delta");
    w_.member("delta", event.text);
    send();
  }

  void on_tool_call(const StreamEvent& event) override {
    auto* call = part_.as<ToolCallPart>();
    if (call == nullptr) return;
    call->arguments += event.text;
    begin_of_item(call->custom ? "response.custom_tool_call_input.delta"
                               : "response.function_call_arguments.delta");
    w_.member("delta", event.text);
    send();
  }

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
    if (const auto* text = part_.as<TextPart>()) {
      end_text(*text);
    } else if (const auto* refusal = part_.as<RefusalPart>()) {
      end_refusal(*refusal);
    } else if (const auto* thinking = part_.as<ThinkingPart>()) {
      end_summary(*thinking);
    } else if (const auto* call = part_.as<ToolCallPart>()) {
      end_call(*call);
    }
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
    answer_.stop_reason = event.stop_reason;
    answer_.status = stop_status(event.stop_reason, refused_);
    answer_.usage = &usage_;
    lose_stop_details(event.stop_reason, event.stop_sequence, losses_);
    send_answer(answer_.status == "completed" ? "response.completed"
                                              : "response.incomplete");
  }

  /// As `response.failed`, which every client of this API knows; before the
  /// answer has begun there is no response to fail, so an `error` event.
  void on_failed(const Error& error) override {
    if (answer_.id.empty()) return send_error(error);
    answer_.status = "failed";
    answer_.error = &error;
    send_answer("response.failed");
    answer_.error = nullptr;
  }

  // --- events ---------------------------------------------------------------

  void begin(std::string_view type) {
    wire::begin_event(out(), type);
    w_.reset(out());
    w_.begin_object();
    w_.member("type", type);
    w_.member("sequence_number", sequence_++);
  }

  /// An event about the item that is open.
  void begin_of_item(std::string_view type) {
    begin(type);
    w_.member("item_id", id_);
    w_.member("output_index", index_);
  }

  /// The same about its content, and about its summary: each has one only.
  void begin_of_content(std::string_view type) {
    begin_of_item(type);
    w_.member("content_index", std::int64_t{0});
  }
  void begin_of_summary(std::string_view type) {
    begin_of_item(type);
    w_.member("summary_index", std::int64_t{0});
  }

  void long_member(std::string_view name, std::string_view text) {
    make_room(out(), text.size());
    w_.member(name, text);
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

  void send_error(const Error& error) {
    data_.clear();
    encode_error(error, data_);
    json::Document document;
    const auto root = document.parse(data_);
    const std::string_view code = response_error_code(error);
    begin("error");
    w_.begin_object("error");
    for (const json::Value member : (*root)["error"].children()) {
      // Our words for what failed on the way mean nothing to clients.
      if (member.key() == "code" && code == "server_error") {
        w_.member("code", code);
      } else {
        w_.member_raw(member.key(), member.raw());
      }
    }
    w_.end_object();
    send();
  }

  // --- items ----------------------------------------------------------------

  std::string made_id(const StreamEvent& event) const {
    return item_id(item_kind(part_), answer_.id, event.part);
  }

  void begin_item(std::string id) {
    part_open_ = true;
    id_ = std::move(id);
    begin("response.output_item.added");
    w_.member("output_index", index_);
    w_.key("item");
    write_item({part_, id_, "in_progress"}, context_, w_);
    send();
  }

  void end_item() {
    const std::size_t begin = begin_kept_item();
    make_room(answer_.output, text_size());
    w_.reset(answer_.output);
    write_item({part_, id_, "completed"}, context_, w_);
    // It may be long, and is in the item from now on.
    part_ = ContentPart{};
    part_open_ = false;
    send_item("response.output_item.done",
              std::string_view(answer_.output).substr(begin));
    ++index_;
  }

  /// Of the open item; others are short.
  std::size_t text_size() const {
    const auto* text = part_.as<TextPart>();
    const auto* call = part_.as<ToolCallPart>();
    return text   ? text->text.size()
           : call ? call->arguments.size()
                  : std::size_t{0};
  }

  /// Where the next item of the whole answer begins.
  std::size_t begin_kept_item() {
    if (!answer_.output.empty()) answer_.output += ',';
    return answer_.output.size();
  }

  // --- what is in them ------------------------------------------------------

  void begin_content() { send_content("response.content_part.added", ""); }

  void send_content(std::string_view event, std::string_view text) {
    const bool refusal = part_.as<RefusalPart>() != nullptr;
    begin_of_content(event);
    w_.begin_object("part");
    w_.member("type", refusal ? "refusal" : "output_text");
    long_member(refusal ? "refusal" : "text", text);
    if (!refusal) {
      w_.member_raw("annotations", "[]");
      w_.member_raw("logprobs", "[]");
    }
    w_.end_object();
    send();
  }

  void send_summary_part(std::string_view event, std::string_view text) {
    begin_of_summary(event);
    w_.begin_object("part");
    w_.member("type", "summary_text");
    long_member("text", text);
    w_.end_object();
    send();
  }

  void end_text(const TextPart& part) {
    begin_of_content("response.output_text.done");
    long_member("text", part.text);
    w_.member_raw("logprobs", "[]");
    send();
    send_content("response.content_part.done", part.text);
  }

  void end_refusal(const RefusalPart& part) {
    begin_of_content("response.refusal.done");
    long_member("refusal", part.text);
    send();
    send_content("response.content_part.done", part.text);
  }

  void end_summary(const ThinkingPart& thinking) {
    if (thinking.text.empty()) return;
    begin_of_summary("response.reasoning_summary_text.done");
    long_member("text", thinking.text);
    send();
    send_summary_part("response.reasoning_summary_part.done", thinking.text);
  }

  void end_call(const ToolCallPart& call) {
    begin_of_item(call.custom ? "response.custom_tool_call_input.done"
                              : "response.function_call_arguments.done");
    if (!call.custom) w_.member("name", call.name);
    long_member(call.custom ? "input" : "arguments", call.arguments);
    send();
  }

  const RequestContext context_;
  Answer answer_;
  std::function<void(std::string& out)> taken_;
  ContentPart part_;  // the open item
  std::string id_;    // its id
  std::int64_t sequence_ = 0;
  std::int64_t index_ = 0;  // output_index of the open or next item
  bool refused_ = false;
};

}  // namespace

std::unique_ptr<StreamEncoder> new_stream_encoder(
    const RequestContext& context) {
  return std::make_unique<Encoder>(context);
}

}  // namespace llmproxy::openai_responses
