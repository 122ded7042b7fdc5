// Amazon Bedrock ConverseStream: canonical events to a client's stream. One
// block open at a time, numbered from 0 without gaps.
#include <memory>

#include "chat/stream_parts.h"
#include "chat/stream_writer.h"
#include "dialects/anthropic_family/body.h"
#include "dialects/aws_family/errors.h"
#include "dialects/bedrock_converse/tables.h"
#include "wire/event_stream.h"

namespace llmproxy::bedrock_converse {
namespace {

class Encoder final : public StreamWriter {
 public:
  Encoder() : StreamWriter(kTitle, PartOrder::in_turn) {}

  void keep_alive(bool, std::string& out) override {
    wire::append_keep_alive_frame(out);
  }

 private:
  void on_started(const StreamEvent&) override {
    begin_object();
    w_.member("role", "assistant");
    send("messageStart");
  }

  // Texts and reasoning have no start: the first delta opens them.

  void open_text(const StreamEvent&) override {}

  void open_thinking(const StreamEvent& event) override {
    thinking_id_ = event.id;
  }

  void open_redacted_thinking(const StreamEvent& event) override {
    if (event.text.empty()) return;
    send_reasoning("redactedContent",
                   redacted_blob(event.issuer, event.id, event.text));
  }

  void open_refusal(const StreamEvent&) override {}

  void open_tool_call(const StreamEvent& event) override {
    input_.begin(event.part_kind == PartKind::custom_tool_call);
    begin_start("toolUse");
    w_.member("toolUseId", event.id);
    w_.member("name", event.name);
    send_start();
  }

  void open_image(const StreamEvent& event) override {
    const std::string_view format = format_of(kImageFormats, event.name);
    if (format.empty()) {
      return lose("/content", "images of this type in answers");
    }
    begin_start("image");
    w_.member("format", format);
    send_start();
    begin_delta("image");
    w_.begin_object();
    w_.object("source", "bytes", event.text);
    w_.end_object();
    send_delta();
  }

  /// Tools of the provider, taken apart again.
  void open_opaque(const StreamEvent& event) override {
    json::Document document;
    const auto root = document.parse(event.text);
    const bool call = event.name == "toolUse";
    const bool known = call || event.name == "toolResult";
    if (event.id != kName || !root || !known) return lose_part(event);
    const json::Value block = (*root)[event.name];
    const std::string_view body = call ? "input" : "content";
    begin_start(event.name);
    for (const json::Value member : block.children()) {
      if (member.key() != body) w_.member_raw(member.key(), member.raw());
    }
    send_start();
    if (call) return send_input(block[body].raw());
    begin_delta(event.name);
    w_.raw(block[body].raw());
    send_delta();
  }

  void on_text(const StreamEvent& event) override { send_text(event.text); }

  void on_thinking(const StreamEvent& event) override {
    send_reasoning("text", event.text);
  }

  void on_refusal(const StreamEvent& event) override {
    refused_ = true;
    send_text(event.text);
  }

  void on_tool_call(const StreamEvent& event) override {
    send_input(input_.take(event.text));
  }

  void on_signature(const StreamEvent& event) override {
    // Programs want a text beside every signature, be it an empty one.
    if (!part_open_) send_reasoning("text", "");
    send_reasoning("signature",
                   anthropic_family::sealed(event.issuer, thinking_id_,
                                            event.signature, false));
  }

  void on_citation(const StreamEvent&) override {
    lose("/content/annotations", "citations of other APIs");
  }

  /// Programs parse what the deltas of a call add up to.
  void close_part(const StreamEvent& event) override {
    send_input(rest_of(input_, event.part_kind));
    if (!part_open_) return;  // it never was opened
    part_open_ = false;
    begin_of_block();
    ++index_;
    send("contentBlockStop");
  }

  void on_finished(const StreamEvent& event) override {
    explain(event);
    if (refused_ && event.stop_reason != StopReason::refusal) {
      lose("/content", "refusals in words", "it became text");
    }
    if (event.stop_reason == StopReason::pause) {
      lose("/stop_reason", "paused turns", "stopReason is end_turn");
    }
    begin_object();
    w_.member("stopReason", to_wire(kStopReasons, event.stop_reason));
    write_stop_sequence(event.stop_sequence, w_);
    send("messageStop");
    begin_object();
    w_.key("usage");
    write_usage(usage_, w_);
    if (usage_.reasoning_tokens.value_or(0) > 0) {
      lose("/usage/reasoning_tokens", "a count of reasoning tokens");
    }
    write_answer_facts(service_tier_, w_);
    send("metadata");
  }

  void on_failed(const Error& error) override {
    append_aws_exception(out(), error);
  }

  // --- events ---------------------------------------------------------------

  /// An event about the block that is open, or is being opened.
  void begin_of_block() {
    begin_object();
    w_.member("contentBlockIndex", index_);
  }

  /// Up to the inside of a block that begins.
  void begin_start(std::string_view member) {
    part_open_ = true;
    begin_of_block();
    w_.begin_object("start");
    w_.begin_object(member);
  }

  /// Up to the value of what is added to the block.
  void begin_delta(std::string_view member) {
    part_open_ = true;
    begin_of_block();
    w_.begin_object("delta");
    w_.key(member);
  }

  void send(std::string_view type) {
    w_.end_object();
    wire::append_event_frame(out(), type, data_);
  }

  void send_start() {
    w_.end_object();
    w_.end_object();
    send("contentBlockStart");
  }

  void send_delta() {
    w_.end_object();
    send("contentBlockDelta");
  }

  void send_text(std::string_view text) {
    begin_delta("text");
    w_.string(text);
    send_delta();
  }

  void send_reasoning(std::string_view member, std::string_view value) {
    begin_delta("reasoningContent");
    w_.object(member, value);
    send_delta();
  }

  void send_input(std::string_view fragment) {
    if (fragment.empty()) return;
    begin_delta("toolUse");
    w_.object("input", fragment);
    send_delta();
  }

  /// There is no other place for the words of a refusal.
  void explain(const StreamEvent& event) {
    if (event.refusal_explanation.empty()) return;
    if (event.stop_reason != StopReason::refusal) {
      return lose("/stop_details/explanation",
                  "an explanation beside the answer");
    }
    send_text(event.refusal_explanation);
    close_part(part_event(EventKind::part_ended, PartKind::text, 0));
  }

  std::int64_t index_ = 0;
  std::string thinking_id_;
  StreamedInput input_;
  bool refused_ = false;
};

}  // namespace

std::unique_ptr<StreamEncoder> new_stream_encoder(const RequestContext&) {
  return std::make_unique<Encoder>();
}

}  // namespace llmproxy::bedrock_converse
