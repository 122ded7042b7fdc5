// Bedrock ConverseStream: canonical events to a client's stream. One block
// open at a time, numbered from 0; counts behind the stop.
#include <fmt/format.h>

#include <memory>
#include <utility>

#include "chat/aws_errors.h"
#include "chat/media.h"
#include "chat/sealed_reasoning.h"
#include "chat/sequencer.h"
#include "chat/tool_arguments.h"
#include "dialects/bedrock_converse/tables.h"
#include "wire/event_stream.h"

namespace llmproxy::bedrock_converse {
namespace {

class Encoder final : public StreamEncoder, private EventSink {
 public:
  Encoder() : w_(data_), sequencer_(*this) {}

  void on_event(const StreamEvent& event, std::string& out) override {
    out_ = &out;
    sequencer_.on_event(event);
    out_ = nullptr;
  }

  void keep_alive(std::string& out) override {
    wire::append_keep_alive_frame(out);
  }

  const Losses& losses() const override { return losses_; }

 private:
  /// Events with at most one part open.
  void on_event(const StreamEvent& event) override {
    if (event.usage != nullptr) usage_ = *event.usage;
    if (!event.service_tier.empty()) tier_ = event.service_tier;
    switch (event.kind) {
      case EventKind::started:
        open();
        w_.member("role", "assistant");
        return send("messageStart");
      case EventKind::part_started:
        return block_start(event);
      case EventKind::part_delta:
        return block_delta(event);
      case EventKind::part_ended:
        return block_stop(event);
      case EventKind::ping:
        return keep_alive(*out_);
      case EventKind::finished:
        return finish(event);
      case EventKind::failed:
        return append_aws_exception(*out_, *event.error);
      case EventKind::usage:
        return;
    }
  }

  void lose(std::string path, std::string what,
            LossKind kind = LossKind::dropped) {
    for (const Loss& loss : losses_) {
      if (loss.path == path && loss.what == what) return;
    }
    losses_.push_back({std::move(path), std::move(what), kind});
  }

  void open() {
    data_.clear();
    w_.reset(data_);
    w_.begin_object();
  }
  void open_block() {
    open();
    w_.member("contentBlockIndex", index_);
  }
  void send(std::string_view type) {
    w_.end_object();
    wire::append_event_frame(*out_, type, data_);
  }

  void block_start(const StreamEvent& event) {
    has_block_ = false;
    has_text_ = false;
    thinking_id_.clear();
    switch (event.part_kind) {
      case PartKind::tool_call:
      case PartKind::custom_tool_call:
        has_block_ = true;
        open_block();
        w_.key("start");
        w_.begin_object();
        w_.key("toolUse");
        w_.begin_object();
        w_.member("toolUseId", event.id);
        w_.member("name", event.name);
        w_.end_object();
        w_.end_object();
        return send("contentBlockStart");
      case PartKind::thinking:
        thinking_id_ = event.id;
        return;
      case PartKind::redacted_thinking:
        return send_redacted(event);
      case PartKind::refusal:
        return lose("/content", "Bedrock has no refusal parts; it became text",
                    LossKind::approximated);
      case PartKind::opaque:
      case PartKind::image:
        return lose("/content", fmt::format("Bedrock streams have no {} parts",
                                            event.part_kind == PartKind::image
                                                ? std::string_view("image")
                                                : event.name));
      case PartKind::text:
        return;
    }
  }

  static bool is_foreign(ReasoningIssuer issuer) {
    return issuer != ReasoningIssuer::anthropic &&
           issuer != ReasoningIssuer::unknown;
  }

  void send_redacted(const StreamEvent& event) {
    send_reasoning("redactedContent",
                   is_foreign(event.issuer)
                       ? seal(event.issuer, event.id, event.text, true)
                       : encode_base64(event.text));
  }

  void send_reasoning(std::string_view member, std::string_view value) {
    has_block_ = true;
    open_block();
    w_.key("delta");
    w_.begin_object();
    w_.key("reasoningContent");
    w_.begin_object();
    w_.member(member, value);
    w_.end_object();
    w_.end_object();
    send("contentBlockDelta");
  }

  void block_delta(const StreamEvent& event) {
    if (!event.citation.empty()) {
      lose("/content/citations", "Bedrock Converse has no such citations");
    }
    if (!event.signature.empty()) {
      send_reasoning("signature", is_foreign(event.issuer)
                                      ? seal(event.issuer, thinking_id_,
                                             event.signature, false)
                                      : std::string(event.signature));
    }
    if (event.text.empty()) return;
    has_text_ = true;
    if (event.part_kind == PartKind::thinking) {
      return send_reasoning("text", event.text);
    }
    if (event.part_kind == PartKind::custom_tool_call) {
      custom_text_ += event.text;  // free text is no JSON: wrapped at its end
      return;
    }
    send_delta(event.part_kind == PartKind::tool_call, event.text);
  }

  void send_delta(bool of_call, std::string_view text) {
    has_block_ = true;
    open_block();
    w_.key("delta");
    w_.begin_object();
    if (of_call) {
      w_.key("toolUse");
      w_.begin_object();
      w_.member("input", text);
      w_.end_object();
    } else {
      w_.member("text", text);
    }
    w_.end_object();
    send("contentBlockDelta");
  }

  void block_stop(const StreamEvent& event) {
    if (!has_block_) return;
    if (event.part_kind == PartKind::custom_tool_call) {
      lose("/content", "a call with free text became one with an object",
           LossKind::approximated);
      send_delta(true, input_object(std::exchange(custom_text_, {})));
    }
    // Clients take a call's input from its deltas alone.
    if (event.part_kind == PartKind::tool_call && !has_text_) {
      send_delta(true, "{}");
    }
    open_block();
    send("contentBlockStop");
    ++index_;
    has_block_ = false;
  }

  void finish(const StreamEvent& event) {
    if (!event.refusal_explanation.empty()) {
      send_delta(false, event.refusal_explanation);
      StreamEvent end;
      block_stop(end);
    }
    lose_answer_details(event.stop_reason, event.stop_sequence, losses_);
    if (usage_.reasoning_tokens) {
      lose("/usage/reasoning_tokens",
           "Bedrock Converse does not count reasoning by itself");
    }
    open();
    w_.member("stopReason", to_wire(kStopReasons, event.stop_reason));
    send("messageStop");
    open();
    w_.key("usage");
    write_usage(usage_, w_);
    w_.key("metrics");
    w_.begin_object();
    w_.member("latencyMs", std::int64_t{0});
    w_.end_object();
    if (!tier_.empty()) {
      w_.key("serviceTier");
      w_.begin_object();
      w_.member("type", tier_);
      w_.end_object();
    }
    send("metadata");
  }

  std::string data_;
  json::Writer w_;
  Sequencer sequencer_;
  std::string* out_ = nullptr;
  Losses losses_;
  Usage usage_;
  std::string tier_;
  std::string thinking_id_;
  std::string custom_text_;
  std::int64_t index_ = 0;
  bool has_block_ = false;
  bool has_text_ = false;
};

}  // namespace

std::unique_ptr<StreamEncoder> new_stream_encoder(const RequestContext&) {
  return std::make_unique<Encoder>();
}

}  // namespace llmproxy::bedrock_converse
