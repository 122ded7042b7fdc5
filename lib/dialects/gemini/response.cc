// Gemini generateContent: finished answers, both ways, and the pieces that
// the stream shares with them.
#include <fmt/format.h>

#include <algorithm>

#include "base/bounded.h"
#include "base/text.h"
#include "chat/answer_reader.h"
#include "chat/answer_writer.h"
#include "chat/extensions.h"
#include "chat/losses.h"
#include "chat/read_parts.h"
#include "dialects/gemini/tables.h"
#include "json/count.h"
#include "json/zero.h"

namespace llmproxy::gemini {
namespace {

using json::Value;
using json::Writer;

/// Of the names of extensions that stood in the candidate.
constexpr std::string_view kInCandidate = "candidates/0/";

/// Why there is an answer, or a call, that nobody can read.
constexpr std::string_view kBroken[] = {
    "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS",
    "MALFORMED_RESPONSE", "MISSING_THOUGHT_SIGNATURE"};

std::optional<std::int64_t> count(const Value& usage, std::string_view name) {
  return json::count_of(usage[name]);
}

class Decoder final : public AnswerReader {
 public:
  Decoder(const Value& body, Losses& losses)
      : AnswerReader(kName, body, losses) {}

  Result<ChatResponse> read() {
    read_id();
    response_.usage = read_usage(reader_.take("usageMetadata"));
    read_content();
    if (auto error = broken_answer(candidate_, called_)) {
      return *std::move(error);
    }
    read_stop_reason();
    read_extensions();
    return settled();
  }

 private:
  void read_id() {
    response_.id = reader_.take("responseId").string();
    response_.model = reader_.take("modelVersion").string();
  }

  void read_content() {
    const Value candidates = reader_.take("candidates");
    if (candidates.size() > 0) candidate_ = *candidates.children().begin();
    if (candidates.size() > 1) {
      lose(losses_, "/candidates/1", kCanonicalForm, "a second candidate");
    }
    std::size_t index = 0;
    for (const Value part : candidate_["content"]["parts"].children()) {
      add_part(part, json::pointer("/candidates/0/content/parts", index++));
    }
  }

  void add_part(const Value& value, const std::string& path) {
    auto piece = read_part(value, path);
    if (!piece) {
      return lose(losses_, path, kCanonicalForm, "parts of an unknown kind");
    }
    // Sealed by a proxy like this one between us and the model.
    bool ends_step = !piece->step.empty();
    place_step(std::move(piece->step), {}, step_begin_, response_.content);
    for (ContentPart& part : piece->parts) {
      const bool call = part.as<ToolCallPart>() != nullptr;
      called_ = called_ || call;
      ends_step = ends_step || call;
      part.source = {};
      response_.content.push_back(std::move(part));
    }
    if (ends_step) step_begin_ = response_.content.size();
  }

  void read_stop_reason() {
    const Value feedback = reader_.object()["promptFeedback"];
    if (candidate_ && feedback["blockReason"].string().empty()) {
      const Value reason = candidate_["finishReason"];
      response_.stop_reason_text = reason.string();
      response_.stop_reason = stop_reason(response_.stop_reason_text);
      response_.refusal_explanation = explanation_of(candidate_);
      return;
    }
    response_.stop_reason = StopReason::refusal;
    response_.stop_reason_text = feedback["blockReason"].string();
    response_.refusal_explanation = block_explanation(feedback);
  }

  void read_extensions() {
    Extensions& others = response_.extensions;
    keep_others(candidate_, kCandidate, others);
    const Value message = candidate_["finishMessage"];
    if (response_.refusal_explanation.empty() && message.is_string()) {
      others.push_back({"finishMessage", message.raw_json()});
    }
    for (Extension& other : others) other.name.insert(0, kInCandidate);
    keep_others(reader_.object(), kAnswer, others);
    // With a reason it says how the answer ends.
    const Value feedback = reader_.object()["promptFeedback"];
    if (feedback["blockReasonMessage"] && !feedback["blockReason"]) {
      others.push_back({"promptFeedback", feedback.raw_json()});
    }
  }

  Value candidate_;
  std::size_t step_begin_ = 0;
  bool called_ = false;
};

class Encoder final : public AnswerWriter {
 public:
  Encoder(const ChatResponse& response, std::string& out, Losses& losses)
      : AnswerWriter(response, kTitle, losses), w_(out), parts_(w_) {}

  void write() {
    w_.begin_object();
    begin_candidate(w_);
    write_content();
    write_stop_reason();
    lose_stop(kStopWords, response_.stop_reason, response_.stop_sequence,
              losses_);
    lose_usage_details(response_.usage, losses_);
    w_.key("usageMetadata");
    write_usage(response_.usage, w_);
    w_.member("modelVersion", response_.model);
    w_.member("responseId", response_.id);
    if (!response_.service_tier.empty()) {
      lose("/service_tier", "the tier of an answer");
    }
    write_extensions();
    w_.end_object();
  }

 private:
  static constexpr std::size_t kNone = SIZE_MAX;

  /// The text that ends the answer, unless something else does.
  static std::size_t find_last_text(const std::vector<ContentPart>& content) {
    for (std::size_t i = content.size(); i > 0; --i) {
      const auto* text = content[i - 1].as<TextPart>();
      if (text == nullptr) return kNone;
      if (!text->text.empty()) return i - 1;
    }
    return kNone;
  }

  void write_content() {
    last_text_ = find_last_text(response_.content);
    write_parts();
    parts_.end_answer();
    if (parts_.seal.overflowed()) {
      add_loss(losses_,
               {"/content", std::string(kOverflowedSeal), LossKind::dropped});
    }
    if (parts_.is_signed()) write_plain_text("");
    if (!response_.refusal_explanation.empty()) {
      write_plain_text(response_.refusal_explanation);
    }
    // An answer has a part, and be it an empty one.
    if (!wrote_part_) write_plain_text("");
  }

  void write_plain_text(std::string_view text) {
    begin_part();
    parts_.write_text(text);
    w_.end_object();
  }

  void write_text(const TextPart& text, const std::string& path) override {
    if (!text.citations.empty())
      lose(path + "/citations", "citations in texts");
    if (text.text.empty()) return;
    parts_.seal.said_something();
    if (index() == last_text_) parts_.end_answer();
    write_plain_text(text.text);
  }

  void write_image(const ImagePart& image, const std::string&) override {
    begin_part();
    parts_.write_media(true, image.source.media_type, image.source.data);
    w_.end_object();
  }

  void write_tool_call(const ToolCallPart& call,
                       const std::string& path) override {
    parts_.end_step();
    begin_part();
    parts_.write_tool_call(call, input_of(call, path));
    w_.end_object();
  }

  void write_thinking(const ThinkingPart& thinking,
                      const std::string&) override {
    const bool signs = parts_.keep(thinking);
    if (thinking.text.empty()) return;
    begin_part();
    parts_.write_thinking(thinking.text, signs ? thinking.signature : "");
    w_.end_object();
  }

  void write_refusal(const RefusalPart& refusal,
                     const std::string& path) override {
    write_plain_text(refusal.text);
    lose(path, "refusals in words", "it became text");
  }

  void write_opaque(const OpaquePart& opaque,
                    const std::string& path) override {
    if (opaque.dialect != kName) {
      return AnswerWriter::write_opaque(opaque, path);
    }
    wrote_part_ = true;
    w_.raw(opaque.json.text());
  }

  void begin_part() {
    wrote_part_ = true;
    w_.begin_object();
  }

  void write_stop_reason() {
    end_candidate(to_wire(kStopReasons, response_.stop_reason),
                  is_of(kName) ? &response_.extensions : nullptr, w_);
  }

  void write_extensions() {
    if (!is_of(kName)) return lose_all_extensions();
    write_plain(response_.extensions, w_);
  }

  Writer w_;
  PartWriter parts_;
  std::size_t last_text_ = kNone;
  bool wrote_part_ = false;
};

}  // namespace

void begin_candidate(Writer& w) {
  w.begin_array("candidates");
  w.begin_object();
  w.begin_object("content");
  w.member("role", "model");
  w.begin_array("parts");
}

void end_candidate(std::string_view finish_reason, const Extensions* others,
                   Writer& w) {
  w.end_array();
  w.end_object();
  w.member_if("finishReason", finish_reason);
  w.member("index", std::int64_t{0});
  if (others != nullptr) write_nested(*others, kInCandidate, w);
  w.end_object();
  w.end_array();
}

Usage read_usage(const Value& usage) {
  Usage out;
  out.input_tokens = count(usage, "promptTokenCount");
  if (const auto tools = count(usage, "toolUsePromptTokenCount")) {
    out.input_tokens = out.input_tokens.value_or(0) + *tools;
  }
  out.cached_input_tokens = count(usage, "cachedContentTokenCount");
  const auto said = count(usage, "candidatesTokenCount");
  out.reasoning_tokens = count(usage, "thoughtsTokenCount");
  if (said || out.reasoning_tokens) {
    out.output_tokens = said.value_or(0) + out.reasoning_tokens.value_or(0);
  }
  return out;
}

void write_usage(const Usage& usage, Writer& w) {
  const std::int64_t input = usage.input_tokens.value_or(0);
  const std::int64_t output = usage.output_tokens.value_or(0);
  const std::int64_t thoughts =
      std::min(output, usage.reasoning_tokens.value_or(0));
  w.begin_object();
  if (usage.input_tokens) w.member("promptTokenCount", input);
  w.member("cachedContentTokenCount", usage.cached_input_tokens);
  if (usage.output_tokens) w.member("candidatesTokenCount", output - thoughts);
  if (usage.reasoning_tokens) w.member("thoughtsTokenCount", thoughts);
  w.member("totalTokenCount", input + output);
  w.end_object();
}

StopReason stop_reason(std::string_view finish_reason) {
  return from_wire(kStopReasons, finish_reason).value_or(StopReason::other);
}

std::string block_explanation(const Value& feedback) {
  const std::string_view said = feedback["blockReasonMessage"].string();
  if (!said.empty()) return std::string(said);
  return fmt::format("the provider blocked the prompt: {}",
                     feedback["blockReason"].string());
}

std::string_view explanation_of(const Value& candidate) {
  const StopReason reason = stop_reason(candidate["finishReason"].string());
  if (reason != StopReason::refusal) return {};
  return candidate["finishMessage"].string();
}

std::optional<Error> broken_answer(const Value& candidate, bool called) {
  const std::string_view reason = candidate["finishReason"].string();
  if (called || !listed(kBroken, reason)) return std::nullopt;
  const std::string_view said = candidate["finishMessage"].string();
  Error error = upstream_malformed(
      said.empty()
          ? fmt::format("the model's answer is not readable: {}", reason)
          : std::string(said));
  error.code = reason;
  return error;
}

void lose_usage_details(const Usage& usage, Losses& losses) {
  if (usage.cache_write_tokens.value_or(0) == 0) return;
  lose(losses, "/usage/cache_write_tokens", kTitle,
       "a count of tokens written to a cache");
}

Result<ChatResponse> decode_response(const Value& body, Losses& losses) {
  if (!json::says_nothing(body["error"])) return read_error(body["error"], 0);
  if (!body["candidates"].is_array() && !body["promptFeedback"].is_object()) {
    return upstream_malformed("the upstream's answer has no candidates");
  }
  return Decoder(body, losses).read();
}

Usage read_answer_usage(const Value& body) {
  return read_usage(body["usageMetadata"]);
}

void encode_response(const ChatResponse& response, const RequestContext&,
                     std::string& out, Losses& losses) {
  Encoder(response, out, losses).write();
}

}  // namespace llmproxy::gemini
