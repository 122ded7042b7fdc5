// OpenAI Responses: canonical events to a client's stream. Every part is an
// output item; every event is numbered; the last one repeats the answer.
#include <fmt/format.h>

#include <functional>
#include <iterator>
#include <memory>
#include <utility>

#include "base/bounded.h"
#include "chat/long_events.h"
#include "chat/sealed_reasoning.h"
#include "chat/sequencer.h"
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

class Encoder final : public StreamEncoder,
                      public LongEvents,
                      private EventSink {
 public:
  explicit Encoder(const RequestContext& context)
      : context_(context),
        w_(answer_.output, json::Spacing::none),
        sequencer_(*this) {}

  void on_event(const StreamEvent& event, std::string& out) override {
    out_ = &out;
    sequencer_.on_event(event);
    out_ = nullptr;
  }

  void on_output(std::function<void(std::string& out)> taken) override {
    taken_ = std::move(taken);
  }

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

  const Losses& losses() const override { return losses_; }

 private:
  /// Events with at most one part open.
  void on_event(const StreamEvent& event) override {
    if (event.usage != nullptr) usage_ = *event.usage;
    if (!event.service_tier.empty()) answer_.service_tier = event.service_tier;
    switch (event.kind) {
      case EventKind::started:
        return start(event);
      case EventKind::part_started:
        return item_start(event);
      case EventKind::part_delta:
        return item_delta(event);
      case EventKind::part_ended:
        return item_end(event);
      case EventKind::ping:
        return keep_alive(sequence_ > 0, *out_);
      case EventKind::finished:
        return finish(event);
      case EventKind::failed:
        return fail(*event.error);
      case EventKind::usage:
        return;
    }
  }

  void lose(std::string path, std::string what) {
    for (const Loss& loss : losses_) {
      if (loss.path == path && loss.what == what) return;
    }
    add_loss(losses_, {std::move(path), std::move(what), LossKind::dropped});
  }

  // --- events ---------------------------------------------------------------

  void open(std::string_view type) {
    wire::begin_event(*out_, type);
    w_.reset(*out_);
    w_.begin_object();
    w_.member("type", type);
    w_.member("sequence_number", sequence_++);
  }

  /// An event about the item that is open.
  void open_in_item(std::string_view type) {
    open(type);
    w_.member("item_id", id_);
    w_.member("output_index", index_);
  }

  void long_member(std::string_view name, std::string_view text) {
    make_room(*out_, text.size());
    w_.member(name, text);
  }

  void send() {
    w_.end_object();
    *out_ += wire::kEventEnd;
    if (taken_) taken_(*out_);
  }

  void send_answer(std::string_view type) {
    open(type);
    make_room(*out_, answer_.output.size());
    w_.key("response");
    write_answer(answer_, context_, w_);
    send();
  }

  void start(const StreamEvent& event) {
    answer_.id = response_id(context_, event.id);
    answer_.model = event.model;
    answer_.created = event.created;
    answer_.status = "in_progress";
    send_answer("response.created");
    send_answer("response.in_progress");
  }

  // --- items ----------------------------------------------------------------

  void item_start(const StreamEvent& event) {
    has_item_ = false;
    if (event.part_kind == PartKind::opaque && event.id != kName) {
      return lose("/content",
                  fmt::format("OpenAI Responses has no {} parts", event.name));
    }
    // Empty texts are no items; whether this one is shows with its first
    // piece.
    part_ = ContentPart{};
    pending_ = event.part_kind == PartKind::text;
    switch (event.part_kind) {
      case PartKind::text:
        part_.value = TextPart{};
        return;
      case PartKind::refusal:
        refused_ = true;
        part_.value = RefusalPart{};
        break;
      case PartKind::thinking:
      case PartKind::redacted_thinking:
        part_.value = ThinkingPart{{},
                                   {},
                                   event.part_kind == PartKind::thinking
                                       ? std::string()
                                       : std::string(event.text),
                                   event.issuer,
                                   std::string(event.id)};
        break;
      case PartKind::tool_call:
      case PartKind::custom_tool_call:
        part_.value =
            ToolCallPart{std::string(event.id),
                         std::string(event.name),
                         {},
                         event.part_kind == PartKind::custom_tool_call};
        break;
      case PartKind::image:
        part_.value = ImagePart{{MediaKind::base64, std::string(event.text),
                                 std::string(event.name)},
                                {}};
        break;
      case PartKind::opaque:
        return send_opaque(event);
    }
    begin_item(event);
  }

  void send_opaque(const StreamEvent& event) {
    send_item("response.output_item.added", event.text);
    send_item("response.output_item.done", event.text);
    begin_kept_item();
    answer_.output += event.text;
    ++index_;
  }

  void begin_item(const StreamEvent& event) {
    pending_ = false;
    has_item_ = true;
    id_ = item_id(item_kind(part_), answer_.id, event.part);
    const auto* thinking = part_.as<ThinkingPart>();
    if (thinking != nullptr && event.part_kind == PartKind::thinking &&
        !thinking->id.empty() && thinking->id.starts_with("rs_")) {
      id_ = thinking->id;
    }
    open("response.output_item.added");
    w_.member("output_index", index_);
    w_.key("item");
    write_item({part_, id_, "in_progress"}, context_, w_);
    send();
    begin_content();
  }

  void send_item(std::string_view type, std::string_view item) {
    open(type);
    make_room(*out_, item.size());
    w_.member("output_index", index_);
    w_.member_raw("item", item);
    send();
  }

  std::string_view content_type() const {
    return part_.as<TextPart>() ? "output_text" : "refusal";
  }
  std::string_view content_member() const {
    return part_.as<TextPart>() ? "text" : "refusal";
  }
  bool has_content() const {
    return part_.as<TextPart>() || part_.as<RefusalPart>();
  }

  void begin_content() {
    if (!has_content()) return;
    open_in_item("response.content_part.added");
    w_.member("content_index", std::int64_t{0});
    write_content("");
    send();
  }

  void write_content(std::string_view text) {
    w_.key("part");
    w_.begin_object();
    w_.member("type", content_type());
    long_member(content_member(), text);
    if (part_.as<TextPart>()) {
      w_.member_raw("annotations", "[]");
      w_.member_raw("logprobs", "[]");
    }
    w_.end_object();
  }

  void item_delta(const StreamEvent& event) {
    if (!event.citation.empty()) {
      lose("/content/citations", "citations of other APIs have no form here");
    }
    if (pending_ && !event.text.empty()) begin_item(event);
    if (!has_item_) return;
    if (auto* thinking = part_.as<ThinkingPart>()) {
      return thinking_delta(event, *thinking);
    }
    if (event.text.empty()) return;
    if (auto* call = part_.as<ToolCallPart>()) {
      call->arguments += event.text;
      open_in_item(call->custom ? "response.custom_tool_call_input.delta"
                                : "response.function_call_arguments.delta");
    } else {
      text_of_part() += event.text;
      open_in_item(part_.as<TextPart>() ? "response.output_text.delta"
                                        : "response.refusal.delta");
      w_.member("content_index", std::int64_t{0});
    }
    w_.member("delta", event.text);
    if (part_.as<TextPart>()) w_.member_raw("logprobs", "[]");
    send();
  }

  std::string& text_of_part() {
    if (auto* text = part_.as<TextPart>()) return text->text;
    return part_.as<RefusalPart>()->text;
  }

  void thinking_delta(const StreamEvent& event, ThinkingPart& thinking) {
    if (!event.signature.empty()) {
      thinking.signature = event.signature;
      thinking.issuer = event.issuer;
    }
    if (event.text.empty()) return;
    if (thinking.text.empty()) send_summary_part("added", "");
    thinking.text += event.text;
    open_in_item("response.reasoning_summary_text.delta");
    w_.member("summary_index", std::int64_t{0});
    w_.member("delta", event.text);
    send();
  }

  void send_summary_part(std::string_view what, std::string_view text) {
    open_in_item(what == "added" ? "response.reasoning_summary_part.added"
                                 : "response.reasoning_summary_part.done");
    w_.member("summary_index", std::int64_t{0});
    w_.key("part");
    w_.begin_object();
    w_.member("type", "summary_text");
    long_member("text", text);
    w_.end_object();
    send();
  }

  void item_end(const StreamEvent&) {
    if (!has_item_) return;
    if (const auto* thinking = part_.as<ThinkingPart>()) {
      end_summary(*thinking);
    } else if (const auto* call = part_.as<ToolCallPart>()) {
      end_call(*call);
    } else if (has_content()) {
      end_content();
    }
    const std::size_t begin = begin_kept_item();
    make_room(answer_.output, text_size());
    w_.reset(answer_.output);
    write_item({part_, id_, "completed"}, context_, w_);
    // It may be long, and is in the item from now on.
    part_ = ContentPart{};
    send_item("response.output_item.done",
              std::string_view(answer_.output).substr(begin));
    ++index_;
    has_item_ = false;
  }

  void end_summary(const ThinkingPart& thinking) {
    if (thinking.text.empty()) return;
    open_in_item("response.reasoning_summary_text.done");
    w_.member("summary_index", std::int64_t{0});
    long_member("text", thinking.text);
    send();
    send_summary_part("done", thinking.text);
  }

  void end_call(const ToolCallPart& call) {
    open_in_item(call.custom ? "response.custom_tool_call_input.done"
                             : "response.function_call_arguments.done");
    if (!call.custom) w_.member("name", call.name);
    long_member(call.custom ? "input" : "arguments", call.arguments);
    send();
  }

  void end_content() {
    const std::string& text = text_of_part();
    open_in_item(part_.as<TextPart>() ? "response.output_text.done"
                                      : "response.refusal.done");
    w_.member("content_index", std::int64_t{0});
    long_member(content_member(), text);
    if (part_.as<TextPart>()) w_.member_raw("logprobs", "[]");
    send();
    open_in_item("response.content_part.done");
    w_.member("content_index", std::int64_t{0});
    write_content(text);
    send();
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

  // --- the end --------------------------------------------------------------

  void finish(const StreamEvent& event) {
    // What explains a refusal is the text of the refusal here.
    if (!refused_ && event.stop_reason == StopReason::refusal &&
        !event.refusal_explanation.empty()) {
      StreamEvent part;
      part.part_kind = PartKind::refusal;
      part.part = static_cast<std::uint32_t>(index_);
      item_start(part);
      part.text = event.refusal_explanation;
      item_delta(part);
      item_end(part);
    }
    answer_.stop_reason = event.stop_reason;
    answer_.status = stop_status(event.stop_reason, refused_);
    answer_.usage = &usage_;
    lose_stop_details(event.stop_reason, event.stop_sequence, losses_);
    send_answer(answer_.status == "completed" ? "response.completed"
                                              : "response.incomplete");
  }

  /// As `response.failed`, which every client of this API knows; before the
  /// answer has begun there is no response to fail, so an `error` event.
  void fail(const Error& error) {
    if (!answer_.id.empty()) {
      answer_.status = "failed";
      answer_.error = &error;
      send_answer("response.failed");
      answer_.error = nullptr;
      return;
    }
    std::string body;
    encode_error(error, body);
    json::Document document;
    const auto root = document.parse(body);
    const std::string_view code = response_error_code(error);
    open("error");
    w_.key("error");
    w_.begin_object();
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

  const RequestContext context_;
  Answer answer_;
  json::Writer w_;
  Sequencer sequencer_;
  std::string* out_ = nullptr;
  std::function<void(std::string& out)> taken_;
  Losses losses_;
  Usage usage_;
  ContentPart part_;  // the open item
  std::string id_;    // its id
  std::int64_t sequence_ = 0;
  std::int64_t index_ = 0;  // output_index of the open or next item
  bool has_item_ = false;
  bool pending_ = false;
  bool refused_ = false;
};

}  // namespace

std::unique_ptr<StreamEncoder> new_stream_encoder(
    const RequestContext& context) {
  return std::make_unique<Encoder>(context);
}

}  // namespace llmproxy::openai_responses
