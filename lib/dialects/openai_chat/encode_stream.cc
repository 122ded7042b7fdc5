// OpenAI Chat Completions: canonical events to a client's stream.
//
// What satisfies every SDK at once (docs/dialects.md): the role once, ids,
// types and names of calls once and absent afterwards, `index` and `choices`
// always, finish_reason once, usage last, no `event:` lines.
#include <fmt/format.h>

#include <map>
#include <memory>

#include "base/bounded.h"
#include "dialects/openai_chat/call_signatures.h"
#include "dialects/openai_chat/tables.h"
#include "wire/sse.h"

namespace llmproxy::openai_chat {
namespace {

class Encoder final : public StreamEncoder {
 public:
  explicit Encoder(const RequestContext& context)
      : context_(context), w_(chunk_, json::Spacing::none) {}

  void on_event(const StreamEvent& event, std::string& out) override {
    if (event.usage != nullptr) usage_ = *event.usage;
    switch (event.kind) {
      case EventKind::started:
        return start(event, out);
      case EventKind::part_started:
        return start_part(event, out);
      case EventKind::part_delta:
        return part_delta(event, out);
      case EventKind::part_ended:
        return end_part(event, out);
      case EventKind::ping:
        return keep_alive(true, out);
      case EventKind::finished:
        return finish(event, out);
      case EventKind::failed:
        return fail(*event.error, out);
      case EventKind::usage:
        return;
    }
  }

  void keep_alive(bool, std::string& out) override {
    wire::append_comment(out, "keep-alive");
  }

  const Losses& losses() const override { return losses_; }

 private:
  void lose(std::string path, std::string what) {
    for (const Loss& loss : losses_) {
      if (loss.path == path && loss.what == what) return;
    }
    add_loss(losses_, {std::move(path), std::move(what), LossKind::dropped});
  }

  void start(const StreamEvent& event, std::string& out) {
    id_ = completion_id(event.id);
    model_ = event.model;
    created_ = event.created != 0 ? event.created : context_.created;
    service_tier_ = event.service_tier;
    open_chunk();
    w_.member("role", "assistant");
    w_.member("content", "");
    close_chunk({}, out);
  }

  /// The head every chunk shares, up to the inside of `delta`.
  void open_chunk() {
    chunk_.clear();
    w_.reset(chunk_);
    w_.begin_object();
    w_.member("id", id_);
    w_.member("object", "chat.completion.chunk");
    w_.member("created", created_);
    w_.member("model", model_);
    w_.member_if("service_tier", service_tier_);
    w_.key("choices");
    w_.begin_array();
    w_.begin_object();
    w_.member("index", std::int64_t{0});
    w_.key("delta");
    w_.begin_object();
  }

  void close_chunk(std::string_view finish_reason, std::string& out) {
    w_.end_object();
    w_.member_null("logprobs");
    if (finish_reason.empty()) {
      w_.member_null("finish_reason");
    } else {
      w_.member("finish_reason", finish_reason);
    }
    w_.end_object();
    w_.end_array();
    w_.end_object();
    wire::append_event(out, {}, chunk_);
  }

  void text_chunk(std::string_view member, std::string_view text,
                  std::string& out) {
    open_chunk();
    w_.member(member, text);
    close_chunk({}, out);
  }

  void start_part(const StreamEvent& event, std::string& out) {
    const bool call = event.part_kind == PartKind::tool_call ||
                      event.part_kind == PartKind::custom_tool_call;
    if (!call) lose_signature();
    thinking_ = false;
    switch (event.part_kind) {
      case PartKind::tool_call:
      case PartKind::custom_tool_call:
        return start_call(event, out);
      case PartKind::redacted_thinking:
        return lose("/content", "OpenAI Chat has no encrypted thinking");
      case PartKind::image:
        return lose("/content", "OpenAI Chat has no image answers");
      case PartKind::opaque:
        return lose("/content",
                    fmt::format("OpenAI Chat has no {} parts", event.name));
      default:
        return;
    }
  }

  struct OpenCall {
    std::int64_t index;
    bool has_arguments;
  };

  void start_call(const StreamEvent& event, std::string& out) {
    const bool custom = event.part_kind == PartKind::custom_tool_call;
    const auto index = static_cast<std::int64_t>(calls_.size());
    calls_.insert_or_assign(event.part, OpenCall{index, false});
    open_chunk();
    if (context_.legacy_functions) {
      w_.key("function_call");
      w_.begin_object();
      w_.member("name", event.name);
      w_.member("arguments", "");
      w_.end_object();
      return close_chunk({}, out);
    }
    const std::string_view type = custom ? "custom" : "function";
    w_.key("tool_calls");
    w_.begin_array();
    w_.begin_object();
    w_.member("index", index);
    w_.member("id", event.id);
    w_.member("type", type);
    w_.key(type);
    w_.begin_object();
    w_.member("name", event.name);
    w_.member(custom ? "input" : "arguments", "");
    w_.end_object();
    write_call_signature(signature_, w_);
    signature_.clear();
    w_.end_object();
    w_.end_array();
    close_chunk({}, out);
  }

  void part_delta(const StreamEvent& event, std::string& out) {
    if (!event.citation.empty()) {
      lose("/content/citations", "OpenAI Chat has no such citations");
    }
    if (!event.signature.empty()) {
      // Of Google, without a thought: of the call that comes next.
      lose_signature();
      signature_ = event.signature;
      const bool of_call = event.issuer == ReasoningIssuer::google &&
                           !thinking_ && !context_.legacy_functions;
      if (!of_call) lose_signature();
    }
    if (event.text.empty()) return;
    switch (event.part_kind) {
      case PartKind::text:
        return text_chunk("content", event.text, out);
      case PartKind::thinking:
        thinking_ = true;
        return text_chunk("reasoning_content", event.text, out);
      case PartKind::refusal:
        refused_ = true;
        return text_chunk("refusal", event.text, out);
      case PartKind::tool_call:
      case PartKind::custom_tool_call:
        return call_delta(event, event.text, out);
      default:
        return;
    }
  }

  void call_delta(const StreamEvent& event, std::string_view text,
                  std::string& out) {
    std::int64_t index = 0;
    if (const auto call = calls_.find(event.part); call != calls_.end()) {
      index = call->second.index;
      call->second.has_arguments = true;
    }
    const bool custom = event.part_kind == PartKind::custom_tool_call;
    open_chunk();
    if (context_.legacy_functions) {
      w_.key("function_call");
      w_.begin_object();
      w_.member("arguments", text);
      w_.end_object();
      return close_chunk({}, out);
    }
    w_.key("tool_calls");
    w_.begin_array();
    w_.begin_object();
    w_.member("index", index);
    w_.key(custom ? "custom" : "function");
    w_.begin_object();
    w_.member(custom ? "input" : "arguments", text);
    w_.end_object();
    w_.end_object();
    w_.end_array();
    close_chunk({}, out);
  }

  /// A call without arguments must add up to "{}": "" is no JSON.
  void end_part(const StreamEvent& event, std::string& out) {
    if (event.part_kind != PartKind::tool_call) return;
    const auto call = calls_.find(event.part);
    if (call != calls_.end() && !call->second.has_arguments) {
      call_delta(event, "{}", out);
    }
  }

  void lose_signature() {
    if (signature_.empty()) return;
    signature_.clear();
    lose("/content/signature", "OpenAI Chat has no field for a signature");
  }

  void finish(const StreamEvent& event, std::string& out) {
    lose_signature();
    // Some upstreams tell it at the end only.
    if (!event.service_tier.empty()) service_tier_ = event.service_tier;
    lose_stop_details(event.stop_reason, event.stop_sequence, losses_);
    if (event.stop_reason == StopReason::refusal && !refused_ &&
        !event.refusal_explanation.empty()) {
      text_chunk("refusal", event.refusal_explanation, out);
    }
    open_chunk();
    close_chunk(
        finish_reason(event.stop_reason, refused_, context_.legacy_functions),
        out);
    if (context_.include_usage) usage_chunk(out);
    wire::append_event(out, {}, "[DONE]");
  }

  void usage_chunk(std::string& out) {
    chunk_.clear();
    w_.reset(chunk_);
    w_.begin_object();
    w_.member("id", id_);
    w_.member("object", "chat.completion.chunk");
    w_.member("created", created_);
    w_.member("model", model_);
    w_.member_if("service_tier", service_tier_);
    w_.key("choices");
    w_.begin_array();
    w_.end_array();
    w_.key("usage");
    write_usage(usage_, w_);
    w_.end_object();
    wire::append_event(out, {}, chunk_);
  }

  /// No finish chunk and no [DONE]: the answer did not finish.
  void fail(const Error& error, std::string& out) {
    chunk_.clear();
    encode_error(error, chunk_);
    wire::append_event(out, {}, chunk_);
  }

  const RequestContext context_;
  std::string chunk_;
  json::Writer w_;
  Losses losses_;
  Usage usage_;
  std::string id_;
  std::string model_;
  std::string service_tier_;
  std::int64_t created_ = 0;
  std::map<std::uint32_t, OpenCall> calls_;  // by their part
  std::string signature_;                    // of the call that comes next
  bool thinking_ = false;                    // the open part holds a thought
  bool refused_ = false;
};

}  // namespace

std::unique_ptr<StreamEncoder> new_stream_encoder(
    const RequestContext& context) {
  return std::make_unique<Encoder>(context);
}

}  // namespace llmproxy::openai_chat
