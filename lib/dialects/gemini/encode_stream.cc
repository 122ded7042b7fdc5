// Gemini streamGenerateContent: canonical events to a client's stream. Google's
// SDKs read strictly: nothing but `data:` lines with a blank line behind each,
// no comments, no [DONE]; every event a whole answer with a part in it.
#include <fmt/format.h>

#include <memory>
#include <utility>

#include "base/bounded.h"
#include "chat/sequencer.h"
#include "dialects/gemini/tables.h"

namespace llmproxy::gemini {
namespace {

class Encoder final : public StreamEncoder, private EventSink {
 public:
  explicit Encoder(const RequestContext& context)
      : array_(context.json_array),
        w_(data_, json::Spacing::none),
        sequencer_(*this) {}

  void on_event(const StreamEvent& event, std::string& out) override {
    out_ = &out;
    sequencer_.on_event(event);
    out_ = nullptr;
  }

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

  const Losses& losses() const override { return losses_; }

 private:
  /// Events with at most one part open.
  void on_event(const StreamEvent& event) override {
    if (event.usage != nullptr) usage_ = *event.usage;
    if (!event.service_tier.empty()) {
      lose("/service_tier", "Gemini does not say which tier it was");
    }
    switch (event.kind) {
      case EventKind::started:
        id_ = event.id;
        model_ = event.model;
        return;
      case EventKind::part_started:
        return part_start(event);
      case EventKind::part_delta:
        return part_delta(event);
      case EventKind::part_ended:
        return part_end(event);
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

  // --- events -------------------------------------------------------------

  /// Begins an answer with one part, whose members follow.
  void open() {
    data_.clear();
    w_.reset(data_);
    w_.begin_object();
    w_.key("candidates");
    w_.begin_array();
    w_.begin_object();
    w_.key("content");
    w_.begin_object();
    w_.member("role", "model");
    w_.key("parts");
    w_.begin_array();
    w_.begin_object();
  }

  void send(std::string_view finish_reason) {
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
    frame();
  }

  void frame() {
    if (!array_) {
      out_->append("data: ").append(data_).append("\n\n");
      return;
    }
    out_->append(begun_ ? ",\n" : "[").append(data_);
    begun_ = true;
  }

  void put_signature() {
    w_.member_if("thoughtSignature", signature_);
    signature_.clear();
  }

  // --- parts --------------------------------------------------------------

  void part_start(const StreamEvent& event) {
    thinking_ = ThinkingPart{};
    call_ = ToolCallPart{};
    switch (event.part_kind) {
      case PartKind::thinking:
        thinking_.id = event.id;
        return;
      case PartKind::redacted_thinking:
        thinking_ = ThinkingPart{{},
                                 {},
                                 std::string(event.text),
                                 event.issuer,
                                 std::string(event.id)};
        return;
      case PartKind::tool_call:
      case PartKind::custom_tool_call:
        call_.id = event.id;
        call_.name = event.name;
        return;
      case PartKind::image:
        open();
        w_.key("inlineData");
        w_.begin_object();
        w_.member("mimeType", event.name);
        w_.member("data", event.text);
        w_.end_object();
        put_signature();
        return send({});
      case PartKind::opaque:
        return part_opaque(event);
      case PartKind::refusal:
        return lose("/content", "Gemini has no refusal parts; it became text",
                    LossKind::approximated);
      case PartKind::text:
        return;
    }
  }

  void part_opaque(const StreamEvent& event) {
    if (event.id != kName) {
      return lose("/content",
                  fmt::format("Gemini has no {} parts", event.name));
    }
    json::Document document;
    const auto root = document.parse(event.text);
    if (!root) return;
    open();
    for (const json::Value member : root->children()) {
      w_.member_raw(member.key(), member.raw());
    }
    send({});
  }

  void part_delta(const StreamEvent& event) {
    if (!event.citation.empty()) {
      lose("/content/citations", "Gemini cites beside the text, not in it");
    }
    if (!event.signature.empty()) {
      thinking_.signature = event.signature;
      thinking_.issuer = event.issuer;
    }
    if (event.text.empty()) return;
    switch (event.part_kind) {
      case PartKind::thinking:
        // What is too large to seal is not kept either.
        if (thinking_.text.size() <= StepSeal::kMaxBytes) {
          thinking_.text += event.text;
        }
        open();
        w_.member("text", event.text);
        w_.member("thought", true);
        return send({});
      case PartKind::tool_call:
      case PartKind::custom_tool_call:
        call_.arguments += event.text;
        return;
      default:
        seal_.said_something();
        open();
        w_.member("text", event.text);
        put_signature();
        return send({});
    }
  }

  void part_end(const StreamEvent& event) {
    if (event.part_kind == PartKind::thinking ||
        event.part_kind == PartKind::redacted_thinking) {
      return end_thinking();
    }
    if (event.part_kind != PartKind::tool_call &&
        event.part_kind != PartKind::custom_tool_call) {
      return;
    }
    open();
    if (write_call(call_, w_)) {
      lose("/content", "the arguments of a call are no JSON object; wrapped",
           LossKind::approximated);
    }
    seal();
    put_signature();
    send({});
  }

  /// Google's signature of a part that follows goes onto it, that of a thought
  /// stands behind its words. All other thinking is sealed at the step's end.
  void end_thinking() {
    if (!is_own(thinking_)) return seal_.add(std::exchange(thinking_, {}));
    if (thinking_.text.empty()) {
      signature_ = thinking_.signature;
      return;
    }
    open();
    w_.member("text", "");
    w_.member("thought", true);
    w_.member("thoughtSignature", thinking_.signature);
    send({});
  }

  /// A part has one signature, and Google takes no other for its own.
  void seal() {
    std::string sealed = seal_.take();
    if (signature_.empty()) signature_ = std::move(sealed);
    if (seal_.overflowed()) lose("/content", std::string(kOverflowedSeal));
  }

  // --- the end ------------------------------------------------------------

  void finish(const StreamEvent& event) {
    lose_stop_details(event.stop_reason, event.stop_sequence, losses_);
    lose_usage_details(usage_, losses_);
    // The text that ends the answer.
    if (seal_.has_signed()) seal();
    open();
    w_.member("text", event.refusal_explanation);
    put_signature();
    send(to_wire(kStopReasons, event.stop_reason));
    if (array_) out_->append("]");
  }

  /// No finishReason: the answer is not whole.
  void fail(const Error& error) {
    data_.clear();
    encode_error(error, data_);
    frame();
    if (array_) out_->append("]");
  }

  const bool array_;
  std::string data_;
  json::Writer w_;
  Sequencer sequencer_;
  std::string* out_ = nullptr;
  Losses losses_;
  Usage usage_;
  std::string id_;
  std::string model_;
  std::string signature_;  // of the next part
  StepSeal seal_;
  ThinkingPart thinking_;
  ToolCallPart call_;
  bool begun_ = false;
};

}  // namespace

std::unique_ptr<StreamEncoder> new_stream_encoder(
    const RequestContext& context) {
  return std::make_unique<Encoder>(context);
}

}  // namespace llmproxy::gemini
