// Gemini streamGenerateContent: canonical events to a client's stream. Google's
// SDKs read strictly: nothing but `data:` lines with a blank line behind each,
// no comments, no [DONE]; every event a whole answer with a part in it.
#include <memory>
#include <utility>

#include "chat/stream_parts.h"
#include "chat/stream_writer.h"
#include "dialects/gemini/tables.h"

namespace llmproxy::gemini {
namespace {

class Encoder final : public StreamWriter {
 public:
  explicit Encoder(const RequestContext& context)
      : StreamWriter(kTitle, PartOrder::in_turn),
        parts_(w_),
        array_(context.json_array) {}

  /// An answer that says nothing yet; in an array a blank line does.
  void keep_alive(bool, std::string& out) override {
    if (array_) {
      out += '\n';
      return;
    }
    // Without an id: nothing of the answer has come yet, perhaps.
    out += R"(data: {"candidates":[{"content":{"role":"model","parts":[)"
           R"({"text":""}]},"index":0}]})"
           "\n\n";
  }

 private:
  void on_started(const StreamEvent& event) override {
    id_ = event.id;
    model_ = event.model;
    lose_tier();
  }

  void open_text(const StreamEvent&) override {}

  void open_thinking(const StreamEvent& event) override {
    thinking_ = {.id = std::string(event.id)};
  }

  void open_redacted_thinking(const StreamEvent& event) override {
    open_thinking(event);
    thinking_.redacted_data = event.text;
    thinking_.issuer = event.issuer;
  }

  void open_refusal(const StreamEvent&) override {
    lose("/content", "refusals in words", "it became text");
  }

  void open_tool_call(const StreamEvent& event) override {
    call_.id = event.id;
    call_.name = event.name;
    input_.begin(true);
  }

  void open_image(const StreamEvent& event) override {
    begin_part();
    parts_.write_media(true, event.name, event.text);
    send_part();
  }

  void open_opaque(const StreamEvent& event) override {
    if (event.id != kName) return lose_part(event);
    json::Document document;
    const auto root = document.parse(event.text);
    if (!root) return;
    begin_part();
    for (const json::Value member : root->children()) {
      w_.member_raw(member.key(), member.raw());
    }
    send_part();
  }

  void on_text(const StreamEvent& event) override {
    parts_.seal.said_something();
    begin_part();
    parts_.write_text(event.text);
    send_part();
  }

  void on_thinking(const StreamEvent& event) override {
    // What is too large to seal is not kept either.
    if (thinking_.text.size() <= StepSeal::kMaxBytes) {
      thinking_.text += event.text;
    }
    begin_part();
    parts_.write_thinking(event.text, {});
    send_part();
  }

  void on_refusal(const StreamEvent& event) override { on_text(event); }

  /// Calls are sent whole.
  void on_tool_call(const StreamEvent& event) override {
    input_.take(event.text);
  }

  void on_signature(const StreamEvent& event) override {
    thinking_.signature = event.signature;
    thinking_.issuer = event.issuer;
  }

  /// Google cites beside the text, not in it.
  void on_citation(const StreamEvent&) override {
    lose("/content/citations", "citations in texts");
  }

  void close_part(const StreamEvent& event) override {
    if (is_call(event.part_kind)) return send_call();
    if (event.part_kind == PartKind::thinking ||
        event.part_kind == PartKind::redacted_thinking) {
      end_thinking();
    }
  }

  void on_finished(const StreamEvent& event) override {
    lose_tier();
    lose_stop(kStopWords, event.stop_reason, event.stop_sequence, losses_);
    lose_usage_details(usage_, losses_);
    // The text that ends the answer.
    if (parts_.end_answer()) lose_seal();
    begin_part();
    parts_.write_text(event.refusal_explanation);
    send_part(to_wire(kStopReasons, event.stop_reason));
    if (array_) out().append("]");
  }

  /// No finishReason: the answer is not whole.
  void on_failed(const Error& error) override {
    data_.clear();
    encode_error(error, data_);
    send();
    if (array_) out().append("]");
  }

  // --- events ---------------------------------------------------------------

  /// Begins an answer with one part, whose members follow.
  void begin_part() {
    begin_object();
    begin_candidate(w_);
    w_.begin_object();
  }

  void send_part(std::string_view finish_reason = {}) {
    w_.end_object();
    end_candidate(finish_reason, nullptr, w_);
    if (usage_.input_tokens || usage_.output_tokens) {
      w_.key("usageMetadata");
      write_usage(usage_, w_);
    }
    w_.member_if("modelVersion", model_);
    w_.member_if("responseId", id_);
    w_.end_object();
    send();
  }

  void send() {
    if (!array_) {
      out().append("data: ").append(data_).append("\n\n");
      return;
    }
    out().append(in_array_ ? ",\n" : "[").append(data_);
    in_array_ = true;
  }

  void send_call() {
    parts_.end_step();
    begin_part();
    parts_.write_tool_call(call_, rest_of(input_, PartKind::tool_call));
    lose_seal();
    send_part();
  }

  /// The signature of a thought stands behind its words.
  void end_thinking() {
    const std::string signature = thinking_.signature;
    if (!parts_.keep(std::exchange(thinking_, {}))) return;
    begin_part();
    parts_.write_thinking({}, signature);
    send_part();
  }

  void lose_seal() {
    if (!parts_.seal.overflowed()) return;
    lose({"/content", std::string(kOverflowedSeal), LossKind::dropped});
  }

  void lose_tier() {
    if (service_tier_.empty()) return;
    lose("/service_tier", "the tier of an answer");
  }

  PartWriter parts_;
  const bool array_;
  std::string id_;
  std::string model_;
  ThinkingPart thinking_;
  ToolCallPart call_;  // but for its arguments
  StreamedInput input_;
  bool in_array_ = false;
};

}  // namespace

std::unique_ptr<StreamEncoder> new_stream_encoder(
    const RequestContext& context) {
  return std::make_unique<Encoder>(context);
}

}  // namespace llmproxy::gemini
