// Anthropic Messages: canonical events to a client's stream. One block open
// at a time, numbered from 0 without gaps, every event with its event line.
#include <fmt/format.h>

#include <memory>
#include <utility>

#include "base/bounded.h"
#include "chat/sealed_reasoning.h"
#include "chat/sequencer.h"
#include "chat/tool_arguments.h"
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

constexpr StreamFraming kEvents = {append_event, append_error, append_ping};

class Encoder final : public StreamEncoder, private EventSink {
 public:
  Encoder(const RequestContext& context, const StreamFraming& framing)
      : framing_(framing),
        estimate_(context.estimated_input_tokens),
        w_(data_, json::Spacing::none),
        sequencer_(*this) {}

  void on_event(const StreamEvent& event, std::string& out) override {
    out_ = &out;
    sequencer_.on_event(event);
    out_ = nullptr;
  }

  void keep_alive(bool, std::string& out) override { framing_.keep_alive(out); }

  const Losses& losses() const override { return losses_; }

 private:
  /// Events with at most one part open.
  void on_event(const StreamEvent& event) override {
    if (event.usage != nullptr) usage_ = *event.usage;
    if (!event.service_tier.empty()) service_tier_ = event.service_tier;
    switch (event.kind) {
      case EventKind::started:
        return start(event);
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
        return fail(*event.error);
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

  void open(std::string_view type) {
    data_.clear();
    w_.reset(data_);
    w_.begin_object();
    w_.member("type", type);
    type_ = type;
  }

  void send() {
    w_.end_object();
    framing_.event(*out_, type_, data_, scratch_);
  }

  void start(const StreamEvent& event) {
    Usage known = usage_;
    // Clients show the input at once; an estimate until the truth is known.
    if (!known.input_tokens) known.input_tokens = estimate_;
    open("message_start");
    w_.key("message");
    w_.begin_object();
    w_.member("id", message_id(event.id));
    w_.member("type", "message");
    w_.member("role", "assistant");
    w_.member("model", event.model);
    w_.key("content");
    w_.begin_array();
    w_.end_array();
    w_.member_null("stop_reason");
    w_.member_null("stop_sequence");
    w_.key("usage");
    write_usage(known, service_tier_, w_);
    told_tier_ = service_tier_;
    w_.end_object();
    send();
  }

  void block_start(const StreamEvent& event) {
    skipped_ = event.part_kind == PartKind::image ||
               (event.part_kind == PartKind::opaque && event.id != kName);
    if (skipped_) {
      return lose("/content",
                  fmt::format("Anthropic has no {} parts",
                              event.part_kind == PartKind::image ? "image"
                                                                 : event.name));
    }
    input_ = {};
    if (event.part_kind == PartKind::thinking) thinking_id_ = event.id;
    open("content_block_start");
    w_.member("index", index_);
    w_.key("content_block");
    write_shell(event);
    send();
  }

  void write_shell(const StreamEvent& event) {
    if (event.part_kind == PartKind::opaque) return w_.raw(event.text);
    w_.begin_object();
    switch (event.part_kind) {
      case PartKind::thinking:
        w_.member("type", "thinking");
        w_.member("thinking", "");
        w_.member("signature", "");
        break;
      case PartKind::redacted_thinking:
        w_.member("type", "redacted_thinking");
        w_.member("data", is_foreign(event.issuer)
                              ? seal(event.issuer, event.id, event.text, true)
                              : std::string(event.text));
        break;
      case PartKind::tool_call:
      case PartKind::custom_tool_call:
        w_.member("type", "tool_use");
        w_.member("id", event.id);
        w_.member("name", event.name);
        w_.key("input");
        w_.begin_object();
        w_.end_object();
        break;
      default:  // text, and refusals, which are text here
        w_.member("type", "text");
        w_.member("text", "");
    }
    w_.end_object();
  }

  void block_delta(const StreamEvent& event) {
    if (skipped_) return;
    if (!event.citation.empty()) citation(event.citation);
    struct Row {
      PartKind kind;
      std::string_view type;
      std::string_view member;
    };
    static constexpr std::array kDeltas = {
        Row{PartKind::text, "text_delta", "text"},
        Row{PartKind::refusal, "text_delta", "text"},
        Row{PartKind::thinking, "thinking_delta", "thinking"},
    };
    if (event.part_kind == PartKind::tool_call) {
      send_input(input_.take(event.text));
    }
    if (event.part_kind == PartKind::custom_tool_call) {
      custom_text_ += event.text;  // free text is no JSON: wrapped at its end
    }
    for (const Row& row : kDeltas) {
      if (row.kind == event.part_kind && !event.text.empty()) {
        send_delta(row.type, row.member, event.text);
      }
    }
    if (!event.signature.empty()) {
      send_delta("signature_delta", "signature",
                 is_foreign(event.issuer)
                     ? seal(event.issuer, thinking_id_, event.signature, false)
                     : std::string(event.signature));
    }
  }

  void citation(std::string_view citation) {
    if (!is_own_citation(citation)) {
      return lose("/content/annotations", "Anthropic has no such annotations");
    }
    open("content_block_delta");
    w_.member("index", index_);
    w_.key("delta");
    w_.begin_object();
    w_.member("type", "citations_delta");
    w_.member_raw("citation", citation);
    w_.end_object();
    send();
  }

  void send_input(std::string_view fragment) {
    if (fragment.empty()) return;
    send_delta("input_json_delta", "partial_json", fragment);
  }

  void send_delta(std::string_view type, std::string_view member,
                  std::string_view text) {
    open("content_block_delta");
    w_.member("index", index_);
    w_.key("delta");
    w_.begin_object();
    w_.member("type", type);
    w_.member(member, text);
    w_.end_object();
    send();
  }

  void block_stop(const StreamEvent& event) {
    if (skipped_) return;
    if (event.part_kind == PartKind::custom_tool_call) {
      lose("/content", "a call with free text became one with an object");
      send_input(input_object(std::exchange(custom_text_, {})));
    }
    // Clients take a call's input from its deltas alone.
    if (event.part_kind == PartKind::tool_call) {
      bool wrapped = false;
      send_input(input_.rest(wrapped));
      if (wrapped) {
        lose("/content", std::string(kWrappedArguments),
             LossKind::approximated);
      }
    }
    open("content_block_stop");
    w_.member("index", index_++);
    send();
  }

  void finish(const StreamEvent& event) {
    open("message_delta");
    w_.key("delta");
    w_.begin_object();
    w_.member("stop_reason", to_wire(kStopReasons, event.stop_reason));
    if (event.stop_sequence.empty()) {
      w_.member_null("stop_sequence");
    } else {
      w_.member("stop_sequence", event.stop_sequence);
    }
    if (!event.refusal_explanation.empty()) {
      w_.key("stop_details");
      w_.begin_object();
      w_.member("type", "refusal");
      w_.member_null("category");
      w_.member("explanation", event.refusal_explanation);
      w_.end_object();
    }
    w_.end_object();
    w_.key("usage");
    // Some upstreams tell the tier at the end only.
    write_final_usage(usage_, told_tier_.empty() ? service_tier_ : "", w_);
    send();
    open("message_stop");
    send();
  }

  /// No message_stop, and open blocks stay open: the answer did not finish.
  void fail(const Error& error) { framing_.error(*out_, error); }

  const StreamFraming& framing_;
  const std::int64_t estimate_;
  std::string data_;
  std::string scratch_;
  json::Writer w_;
  Sequencer sequencer_;
  std::string* out_ = nullptr;
  std::string_view type_;
  Losses losses_;
  Usage usage_;
  std::string service_tier_;
  std::string told_tier_;  // in message_start
  std::int64_t index_ = 0;
  std::string thinking_id_;
  std::string custom_text_;
  StreamedInput input_;
  bool skipped_ = false;
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
