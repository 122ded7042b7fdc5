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
      : StreamWriter("Gemini", PartOrder::in_turn),
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
  }

  void open_image(const StreamEvent& event) override {
    begin_part();
    w_.begin_object("inlineData");
    w_.member("mimeType", event.name);
    w_.member("data", event.text);
    w_.end_object();
    put_signature();
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
    seal_.said_something();
    begin_part();
    w_.member("text", event.text);
    put_signature();
    send_part();
  }

  void on_thinking(const StreamEvent& event) override {
    // What is too large to seal is not kept either.
    if (thinking_.text.size() <= StepSeal::kMaxBytes) {
      thinking_.text += event.text;
    }
    begin_part();
    w_.member("text", event.text);
    w_.member("thought", true);
    send_part();
  }

  void on_refusal(const StreamEvent& event) override { on_text(event); }

  /// Calls are sent whole.
  void on_tool_call(const StreamEvent& event) override {
    call_.arguments += event.text;
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
    if (seal_.has_signed()) take_seal();
    begin_part();
    w_.member("text", event.refusal_explanation);
    put_signature();
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
    w_.begin_array("candidates");
    w_.begin_object();
    w_.begin_object("content");
    w_.member("role", "model");
    w_.begin_array("parts");
    w_.begin_object();
  }

  void send_part(std::string_view finish_reason = {}) {
    w_.end_object();
    w_.end_array();
    w_.end_object();
    w_.member_if("finishReason", finish_reason);
    w_.member("index", std::int64_t{0});
    w_.end_object();
    w_.end_array();
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
    begin_part();
    bool wrapped = false;
    write_call(call_, input_object(call_.arguments, &wrapped), w_);
    call_ = {};
    if (wrapped) {
      lose(
          {"/content", std::string(kWrappedArguments), LossKind::approximated});
    }
    take_seal();
    put_signature();
    send_part();
  }

  /// Google's signature of a part that follows goes onto it, that of a thought
  /// stands behind its words. All other thinking is sealed at the step's end.
  void end_thinking() {
    if (!is_own(thinking_)) return seal_.add(std::exchange(thinking_, {}));
    if (thinking_.text.empty()) {
      signature_ = thinking_.signature;
      return;
    }
    begin_part();
    w_.member("text", "");
    w_.member("thought", true);
    w_.member("thoughtSignature", thinking_.signature);
    send_part();
  }

  void put_signature() {
    w_.member_if("thoughtSignature", signature_);
    signature_.clear();
  }

  /// A part has one signature, and Google takes no other for its own.
  void take_seal() {
    std::string sealed = seal_.take();
    if (signature_.empty()) signature_ = std::move(sealed);
    if (seal_.overflowed()) {
      lose({"/content", std::string(kOverflowedSeal), LossKind::dropped});
    }
  }

  void lose_tier() {
    if (service_tier_.empty()) return;
    lose("/service_tier", "the tier of an answer");
  }

  const bool array_;
  std::string id_;
  std::string model_;
  std::string signature_;  // of the next part
  StepSeal seal_;
  ThinkingPart thinking_;
  ToolCallPart call_;
  bool in_array_ = false;
};

}  // namespace

std::unique_ptr<StreamEncoder> new_stream_encoder(
    const RequestContext& context) {
  return std::make_unique<Encoder>(context);
}

}  // namespace llmproxy::gemini
