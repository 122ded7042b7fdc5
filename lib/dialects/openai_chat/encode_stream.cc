// OpenAI Chat Completions: canonical events to a client's stream.
//
// What satisfies every SDK at once (docs/dialects.md): the role once, ids,
// types and names of calls once and absent afterwards, `index` and `choices`
// always, finish_reason once, usage last, no `event:` lines.
#include <map>
#include <memory>
#include <utility>

#include "chat/stream_writer.h"
#include "dialects/openai_chat/tables.h"
#include "dialects/openai_family/body.h"
#include "wire/sse.h"

namespace llmproxy::openai_chat {
namespace {

class Encoder final : public StreamWriter {
 public:
  explicit Encoder(const RequestContext& context)
      : StreamWriter(kTarget, PartOrder::interleaved), context_(context) {}

  void keep_alive(bool, std::string& out) override {
    wire::append_comment(out, "keep-alive");
  }

 private:
  void on_started(const StreamEvent& event) override {
    id_ = completion_id(event.id);
    model_ = event.model;
    created_ = event.created != 0 ? event.created : context_.created;
    begin_delta();
    w_.member("role", "assistant");
    w_.member("content", "");
    send_delta();
  }

  // A signature is written with the call that comes next, or not at all.

  void open_text(const StreamEvent&) override { lose_signature(); }

  void open_thinking(const StreamEvent&) override {
    lose_signature();
    thought_ = false;
  }

  void open_redacted_thinking(const StreamEvent& event) override {
    lose_whole(event);
  }

  void open_refusal(const StreamEvent&) override { lose_signature(); }

  void open_tool_call(const StreamEvent& event) override {
    const auto index = static_cast<std::int64_t>(calls_.size());
    calls_.insert_or_assign(event.part, Call{index, false});
    send_call(event, index, "");
  }

  void open_image(const StreamEvent& event) override { lose_whole(event); }

  void open_opaque(const StreamEvent& event) override { lose_whole(event); }

  void on_text(const StreamEvent& event) override {
    send_text("content", event.text);
  }

  void on_thinking(const StreamEvent& event) override {
    thought_ = true;
    send_text("reasoning_content", event.text);
  }

  void on_refusal(const StreamEvent& event) override {
    refused_ = true;
    send_text("refusal", event.text);
  }

  void on_tool_call(const StreamEvent& event) override {
    send_arguments(event, event.text);
  }

  /// Of Google, without a thought: of the call that comes next.
  void on_signature(const StreamEvent& event) override {
    lose_signature();
    signature_ = event.signature;
    const bool of_call = event.issuer == ReasoningIssuer::google && !thought_ &&
                         !context_.legacy_functions;
    if (!of_call) lose_signature();
  }

  void on_citation(const StreamEvent&) override {
    lose("/content/citations", "citations in texts");
  }

  /// A call without arguments must add up to "{}": "" is no JSON.
  void close_part(const StreamEvent& event) override {
    if (event.part_kind != PartKind::tool_call) return;
    const auto call = calls_.find(event.part);
    if (call != calls_.end() && !call->second.has_arguments) {
      send_arguments(event, "{}");
    }
  }

  void on_finished(const StreamEvent& event) override {
    lose_signature();
    lose_stop(kStopWords, event.stop_reason, event.stop_sequence, losses_);
    if (event.stop_reason == StopReason::refusal && !refused_ &&
        !event.refusal_explanation.empty()) {
      send_text("refusal", event.refusal_explanation);
    }
    begin_delta();
    send_delta(
        finish_reason(event.stop_reason, refused_, context_.legacy_functions));
    if (context_.include_usage) send_usage();
    wire::append_event(out(), {}, "[DONE]");
  }

  /// No finish chunk and no [DONE]: the answer did not finish.
  void on_failed(const Error& error) override {
    data_.clear();
    encode_error(error, data_);
    wire::append_event(out(), {}, data_);
  }

  // --- chunks ---------------------------------------------------------------

  /// The head every chunk shares, up to the inside of `choices`.
  void begin_chunk() {
    begin_object();
    w_.member("id", id_);
    w_.member("object", "chat.completion.chunk");
    w_.member("created", created_);
    w_.member("model", model_);
    w_.member_if("service_tier", service_tier_);
    w_.begin_array("choices");
  }

  void send_chunk() {
    w_.end_object();
    wire::append_event(out(), {}, data_);
  }

  /// Up to the inside of `delta`.
  void begin_delta() {
    begin_chunk();
    w_.begin_object();
    w_.member("index", std::int64_t{0});
    w_.begin_object("delta");
  }

  void send_delta(std::string_view finish_reason = {}) {
    w_.end_object();
    w_.member_null("logprobs");
    w_.member_or_null("finish_reason", finish_reason);
    w_.end_object();
    w_.end_array();
    send_chunk();
  }

  void send_text(std::string_view member, std::string_view text) {
    begin_delta();
    w_.member(member, text);
    send_delta();
  }

  void send_usage() {
    begin_chunk();
    w_.end_array();
    w_.key("usage");
    write_usage(usage_, w_);
    send_chunk();
  }

  // --- calls ----------------------------------------------------------------

  struct Call {
    std::int64_t index = 0;
    bool has_arguments = false;
  };

  /// A call that begins, or more arguments of one.
  void send_call(const StreamEvent& event, std::int64_t index,
                 std::string_view arguments) {
    const bool begins = event.kind == EventKind::part_started;
    // Calls of old clients have no free text.
    const bool legacy = context_.legacy_functions;
    const bool custom =
        event.part_kind == PartKind::custom_tool_call && !legacy;
    const std::string_view type = openai_family::type_of(custom);
    begin_delta();
    if (!legacy) {
      w_.begin_array("tool_calls");
      w_.begin_object();
      w_.member("index", index);
      if (begins) w_.member("id", event.id);
      if (begins) w_.member("type", type);
    }
    w_.begin_object(legacy ? "function_call" : type);
    if (begins) w_.member("name", event.name);
    w_.member(custom ? "input" : "arguments", arguments);
    w_.end_object();
    if (begins) write_call_signature(std::exchange(signature_, {}), w_);
    if (!legacy) {
      w_.end_object();
      w_.end_array();
    }
    send_delta();
  }

  void send_arguments(const StreamEvent& event, std::string_view text) {
    Call& call = calls_[event.part];
    call.has_arguments = true;
    send_call(event, call.index, text);
  }

  void lose_whole(const StreamEvent& event) {
    lose_signature();
    lose_part(event);
  }

  void lose_signature() {
    if (signature_.empty()) return;
    signature_.clear();
    lose("/content/signature", "signatures of thinking");
  }

  const RequestContext context_;
  std::string id_;
  std::string model_;
  std::int64_t created_ = 0;
  std::map<std::uint32_t, Call> calls_;  // by their part
  std::string signature_;                // of the call that comes next
  bool thought_ = false;                 // the open part holds a thought
  bool refused_ = false;
};

}  // namespace

std::unique_ptr<StreamEncoder> new_stream_encoder(
    const RequestContext& context) {
  return std::make_unique<Encoder>(context);
}

}  // namespace llmproxy::openai_chat
