// Anthropic Messages: canonical events to a client's stream. One block open
// at a time, numbered from 0 without gaps, every event with its event line.
#include <array>
#include <memory>

#include "chat/stream_writer.h"
#include "dialects/anthropic_family/body.h"
#include "dialects/claude/body.h"
#include "wire/sse.h"

namespace llmproxy::claude {
namespace {

void append_event(std::string& out, std::string_view type,
                  std::string_view json, std::string&) {
  wire::append_event(out, type, json);
}

void append_error(std::string& out, const Error& error) {
  std::string json;
  encode_error(error, json);
  wire::append_event(out, "error", json);
}

void append_ping(std::string& out) {
  wire::append_event(out, "ping", R"({"type":"ping"})");
}

/// What a message says at its end only.
constexpr std::array<std::string_view, 4> kAtEnd = {
    "stop_reason", "stop_sequence", "stop_details", kContainer};

constexpr StreamFraming kEvents = {append_event, append_error, append_ping};

class Encoder final : public StreamWriter {
 public:
  Encoder(const RequestContext& context, const StreamFraming& framing)
      : StreamWriter(kAnthropic.title, PartOrder::in_turn),
        framing_(framing),
        estimate_(context.estimated_input_tokens) {}

  void keep_alive(bool, std::string& out) override { framing_.keep_alive(out); }

 private:
  void on_started(const StreamEvent& event) override {
    Usage known = usage_;
    // Clients show the input at once; an estimate until the truth is known.
    if (!known.input_tokens) known.input_tokens = estimate_;
    begin("message_start");
    w_.begin_object("message");
    w_.member("id", message_id(event.id));
    w_.member("type", "message");
    w_.member("role", "assistant");
    w_.member("model", event.model);
    w_.begin_array("content");
    w_.end_array();
    for (const std::string_view name : kAtEnd) w_.member_null(name);
    w_.key("usage");
    write_usage(known, service_tier_, w_);
    told_tier_ = service_tier_;
    w_.end_object();
    send();
  }

  void open_text(const StreamEvent&) override {
    begin_block("text");
    w_.member("text", "");
    w_.member_null("citations");
    send_inner();
  }

  void open_thinking(const StreamEvent& event) override {
    thinking_id_ = event.id;
    begin_block("thinking");
    w_.member("thinking", "");
    w_.member("signature", "");
    send_inner();
  }

  void open_redacted_thinking(const StreamEvent& event) override {
    begin_block("redacted_thinking");
    w_.member("data", anthropic_family::sealed(event.issuer, event.id,
                                               event.text, true));
    send_inner();
  }

  /// Refusals are text here.
  void open_refusal(const StreamEvent& event) override { open_text(event); }

  void open_tool_call(const StreamEvent& event) override {
    input_.begin(event.part_kind == PartKind::custom_tool_call);
    begin_block("tool_use");
    w_.member("id", event.id);
    w_.member("name", event.name);
    w_.begin_object("input");
    w_.end_object();
    write_caller(w_);
    send_inner();
  }

  void open_image(const StreamEvent& event) override { lose_part(event); }

  void open_opaque(const StreamEvent& event) override {
    if (event.id != kName) return lose_part(event);
    part_open_ = true;
    begin_of_block("content_block_start");
    w_.member_raw("content_block", event.text);
    send();
  }

  void on_text(const StreamEvent& event) override {
    send_delta("text_delta", "text", event.text);
  }

  void on_thinking(const StreamEvent& event) override {
    send_delta("thinking_delta", "thinking", event.text);
  }

  void on_refusal(const StreamEvent& event) override { on_text(event); }

  void on_tool_call(const StreamEvent& event) override {
    send_input(input_.take(event.text));
  }

  void on_signature(const StreamEvent& event) override {
    send_delta("signature_delta", "signature",
               anthropic_family::sealed(event.issuer, thinking_id_,
                                        event.signature, false));
  }

  void on_citation(const StreamEvent& event) override {
    if (!is_own_citation(event.citation)) {
      return lose("/content/annotations", "citations of other APIs");
    }
    begin_delta("citations_delta");
    w_.member_raw("citation", event.citation);
    send_inner();
  }

  /// Clients take a call's input from its deltas alone.
  void close_part(const StreamEvent& event) override {
    if (!part_open_) return;
    send_input(rest_of(input_, event.part_kind));
    begin_of_block("content_block_stop");
    ++index_;
    send();
  }

  void on_finished(const StreamEvent& event) override {
    begin("message_delta");
    w_.begin_object("delta");
    write_stop(event.stop_reason, event.stop_sequence,
               event.refusal_explanation, w_);
    w_.member_null(kContainer);
    w_.end_object();
    w_.key("usage");
    // Some upstreams tell the tier at the end only.
    write_final_usage(usage_, told_tier_.empty() ? service_tier_ : "", w_);
    send();
    begin("message_stop");
    send();
  }

  /// No message_stop, and open blocks stay open: the answer did not finish.
  void on_failed(const Error& error) override { framing_.error(out(), error); }

  // --- events ---------------------------------------------------------------

  void begin(std::string_view type) {
    begin_object();
    w_.member("type", type);
    type_ = type;
  }

  /// An event about the block that is open, or is being opened.
  void begin_of_block(std::string_view type) {
    begin(type);
    w_.member("index", index_);
  }

  /// Up to the inside of a block that begins.
  void begin_block(std::string_view type) {
    part_open_ = true;
    begin_of_block("content_block_start");
    w_.begin_typed("content_block", type);
  }

  /// Up to the inside of what is added to the block.
  void begin_delta(std::string_view type) {
    begin_of_block("content_block_delta");
    w_.begin_typed("delta", type);
  }

  void send_inner() {
    w_.end_object();
    send();
  }

  void send() {
    w_.end_object();
    framing_.event(out(), type_, data_, scratch_);
  }

  void send_delta(std::string_view type, std::string_view member,
                  std::string_view text) {
    begin_delta(type);
    w_.member(member, text);
    send_inner();
  }

  void send_input(std::string_view fragment) {
    if (fragment.empty()) return;
    send_delta("input_json_delta", "partial_json", fragment);
  }

  const StreamFraming& framing_;
  const std::int64_t estimate_;
  std::string scratch_;
  std::string_view type_;  // of the event that is written
  std::string told_tier_;  // in message_start
  std::int64_t index_ = 0;
  std::string thinking_id_;
  StreamedInput input_;
};

}  // namespace

std::unique_ptr<StreamEncoder> new_stream_encoder(
    const RequestContext& context, const StreamFraming& framing) {
  return std::make_unique<Encoder>(context, framing);
}

std::unique_ptr<StreamEncoder> new_stream_encoder(
    const RequestContext& context) {
  return new_stream_encoder(context, kEvents);
}

}  // namespace llmproxy::claude
