// Amazon Bedrock ConverseStream: canonical events to a client's stream. One
// block open at a time, numbered from 0 without gaps.
#include <fmt/format.h>

#include <memory>
#include <utility>

#include "base/bounded.h"
#include "chat/sealed_reasoning.h"
#include "chat/sequencer.h"
#include "chat/tool_arguments.h"
#include "dialects/aws_family/errors.h"
#include "dialects/bedrock_converse/tables.h"
#include "wire/event_stream.h"

namespace llmproxy::bedrock_converse {
namespace {

class Encoder final : public StreamEncoder, private EventSink {
 public:
  Encoder() : w_(data_, json::Spacing::none), sequencer_(*this) {}

  void on_event(const StreamEvent& event, std::string& out) override {
    out_ = &out;
    sequencer_.on_event(event);
    out_ = nullptr;
  }

  void keep_alive(bool, std::string& out) override {
    wire::append_keep_alive_frame(out);
  }

  const Losses& losses() const override { return losses_; }

 private:
  /// Events with at most one part open.
  void on_event(const StreamEvent& event) override {
    if (event.usage != nullptr) usage_ = *event.usage;
    if (!event.service_tier.empty()) service_tier_ = event.service_tier;
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
        return keep_alive(true, *out_);
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
    add_loss(losses_, {std::move(path), std::move(what), kind});
  }

  void open() {
    data_.clear();
    w_.reset(data_);
    w_.begin_object();
  }

  void send(std::string_view type) {
    w_.end_object();
    wire::append_event_frame(*out_, type, data_);
  }

  void block_start(const StreamEvent& event) {
    has_delta_ = false;
    input_ = {};
    thinking_id_ = event.id;
    switch (event.part_kind) {
      case PartKind::tool_call:
      case PartKind::custom_tool_call:
        return call_start(event);
      case PartKind::redacted_thinking:
        if (event.text.empty()) return;
        return reasoning("redactedContent",
                         redacted_blob(event.issuer, event.id, event.text));
      case PartKind::image:
        return image(event);
      case PartKind::opaque:
        if (opaque(event)) return;
        return lose("/content", fmt::format("{} has no {} parts in streams",
                                            kTitle, event.name));
      default:
        return;  // the first delta opens it
    }
  }

  void call_start(const StreamEvent& event) {
    open();
    w_.member("contentBlockIndex", index_);
    w_.key("start");
    w_.begin_object();
    w_.key("toolUse");
    w_.begin_object();
    w_.member("toolUseId", event.id);
    w_.member("name", event.name);
    w_.end_object();
    w_.end_object();
    send("contentBlockStart");
  }

  void image(const StreamEvent& event) {
    const std::string_view format = format_of(kImageFormats, event.name);
    if (format.empty()) {
      return lose("/content", fmt::format("{} has no such images", kTitle));
    }
    open();
    w_.member("contentBlockIndex", index_);
    w_.key("start");
    w_.begin_object();
    w_.key("image");
    w_.begin_object();
    w_.member("format", format);
    w_.end_object();
    w_.end_object();
    send("contentBlockStart");
    open_delta("image");
    w_.begin_object();
    w_.key("source");
    w_.begin_object();
    w_.member("bytes", event.text);
    w_.end_object();
    w_.end_object();
    send_delta();
  }

  /// Tools of the provider, taken apart again; false for all other blocks.
  bool opaque(const StreamEvent& event) {
    json::Document document;
    const auto root = document.parse(event.text);
    if (event.id != kName || !root) return false;
    const json::Value block = (*root)[event.name];
    const bool call = event.name == "toolUse";
    if (!call && event.name != "toolResult") return false;
    const std::string_view body = call ? "input" : "content";
    open();
    w_.member("contentBlockIndex", index_);
    w_.key("start");
    w_.begin_object();
    w_.key(event.name);
    w_.begin_object();
    for (const json::Value member : block.children()) {
      if (member.key() != body) w_.member_raw(member.key(), member.raw());
    }
    w_.end_object();
    w_.end_object();
    send("contentBlockStart");
    if (call) {
      input(block[body].raw());
    } else {
      open_delta(event.name);
      w_.raw(block[body].raw());
      send_delta();
    }
    return true;
  }

  void open_delta(std::string_view member) {
    has_delta_ = true;
    open();
    w_.member("contentBlockIndex", index_);
    w_.key("delta");
    w_.begin_object();
    w_.key(member);
  }

  void send_delta() {
    w_.end_object();
    send("contentBlockDelta");
  }

  void text(std::string_view text) {
    if (text.empty()) return;
    open_delta("text");
    w_.string(text);
    send_delta();
  }

  void input(std::string_view fragment) {
    if (fragment.empty()) return;
    open_delta("toolUse");
    w_.begin_object();
    w_.member("input", fragment);
    w_.end_object();
    send_delta();
  }

  void reasoning(std::string_view member, std::string_view value) {
    open_delta("reasoningContent");
    w_.begin_object();
    w_.member(member, value);
    w_.end_object();
    send_delta();
  }

  void block_delta(const StreamEvent& event) {
    if (!event.citation.empty()) {
      lose("/content/annotations",
           fmt::format("{} has no such annotations", kTitle));
    }
    switch (event.part_kind) {
      case PartKind::tool_call:
        return input(input_.take(event.text));
      case PartKind::custom_tool_call:
        custom_text_ += event.text;  // no JSON: wrapped at its end
        return;
      case PartKind::thinking:
        // Programs want a text beside every signature, be it an empty one.
        if (!event.text.empty() || (!has_delta_ && !event.signature.empty())) {
          reasoning("text", event.text);
        }
        if (event.signature.empty()) return;
        return reasoning("signature", is_foreign(event.issuer)
                                          ? seal(event.issuer, thinking_id_,
                                                 event.signature, false)
                                          : std::string(event.signature));
      case PartKind::text:
        return text(event.text);
      case PartKind::refusal:
        refused_ = refused_ || !event.text.empty();
        return text(event.text);
      default:
        return;
    }
  }

  void block_stop(const StreamEvent& event) {
    if (event.part_kind == PartKind::custom_tool_call) {
      lose("/content", "a call with free text became one with an object",
           LossKind::approximated);
      input(input_object(std::exchange(custom_text_, {})));
    }
    // Programs parse what the deltas of a call add up to.
    if (event.part_kind == PartKind::tool_call) {
      bool wrapped = false;
      input(input_.rest(wrapped));
      if (wrapped) {
        lose("/content", std::string(kWrappedArguments),
             LossKind::approximated);
      }
    }
    if (!has_delta_) return;  // it never was opened
    has_delta_ = false;
    open();
    w_.member("contentBlockIndex", index_++);
    send("contentBlockStop");
  }

  /// There is no other place for the words of a refusal.
  void explain(const StreamEvent& event) {
    if (event.refusal_explanation.empty()) return;
    if (event.stop_reason != StopReason::refusal) {
      return lose("/stop_details/explanation",
                  fmt::format("{} has no such field", kTitle));
    }
    StreamEvent part;
    part.part_kind = PartKind::text;
    text(event.refusal_explanation);
    block_stop(part);
  }

  void finish(const StreamEvent& event) {
    explain(event);
    if (refused_ && event.stop_reason != StopReason::refusal) {
      lose("/content", "a refusal became text", LossKind::approximated);
    }
    if (event.stop_reason == StopReason::pause) {
      lose("/stop_reason",
           fmt::format("the turn was only paused; {} says end_turn", kTitle),
           LossKind::approximated);
    }
    open();
    w_.member("stopReason", to_wire(kStopReasons, event.stop_reason));
    write_stop_sequence(event.stop_sequence, w_);
    send("messageStop");
    open();
    w_.key("usage");
    write_usage(usage_, w_);
    if (usage_.reasoning_tokens.value_or(0) > 0) {
      lose("/usage/reasoning_tokens", std::string(kReasoningLoss));
    }
    write_answer_facts(service_tier_, w_);
    send("metadata");
  }

  std::string data_;
  json::Writer w_;
  Sequencer sequencer_;
  std::string* out_ = nullptr;
  Losses losses_;
  Usage usage_;
  std::string service_tier_;
  std::int64_t index_ = 0;
  std::string thinking_id_;
  std::string custom_text_;
  StreamedInput input_;
  bool has_delta_ = false;
  bool refused_ = false;
};

}  // namespace

std::unique_ptr<StreamEncoder> new_stream_encoder(const RequestContext&) {
  return std::make_unique<Encoder>();
}

}  // namespace llmproxy::bedrock_converse
