// Amazon Bedrock Converse: finished answers, both ways, and the pieces that
// the stream shares with them.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "chat/answer_reader.h"
#include "chat/answer_writer.h"
#include "chat/parse_answer.h"
#include "chat/sealed_reasoning.h"
#include "dialects/bedrock_converse/messages.h"
#include "json/count.h"

namespace llmproxy::bedrock_converse {
namespace {

using json::Value;
using json::Writer;

/// Fields of an answer that describe the call, not the answer: no loss.
constexpr std::array<std::string_view, 1> kBookkeeping = {"metrics"};

class Decoder final : public AnswerReader {
 public:
  Decoder(const Value& body, Losses& losses)
      : AnswerReader(kName, body, losses) {}

  Result<ChatResponse> read() {
    LLMPROXY_TRY(read_content());
    read_stop_reason();
    response_.usage = read_usage(reader_.take("usage"));
    response_.service_tier = reader_.take("serviceTier")["type"].string();
    read_extensions();
    return settled();
  }

 private:
  Result<void> read_content() {
    const Value output = reader_.take("output");
    auto blocks = read_blocks(output["message"]["content"],
                              "/output/message/content", "content");
    if (!blocks) {
      return upstream_malformed(
          fmt::format("the upstream's answer is not readable: {}: {}",
                      blocks.error().path, blocks.error().message));
    }
    response_.content = *std::move(blocks);
    complete_calls(response_);
    return {};
  }

  void read_stop_reason() {
    const Value reason = reader_.take("stopReason");
    response_.stop_reason_text = reason.string();
    response_.stop_reason =
        stop_reason_of(kStopReasons, response_.stop_reason_text);
    const Value fields = reader_.object()["additionalModelResponseFields"];
    response_.stop_sequence = fields["stop_sequence"].string();
    if (!response_.stop_sequence.empty() && fields.size() == 1) {
      reader_.take("additionalModelResponseFields");
    }
  }

  void read_extensions() { keep_rest(reader_, kBookkeeping, response_); }
};

class Encoder final : public AnswerWriter {
 public:
  Encoder(const ChatResponse& response, std::string& out, Losses& losses)
      : AnswerWriter(response, kTitle, losses), w_(out) {}

  void write() {
    w_.begin_object();
    write_content();
    write_stop_reason();
    w_.key("usage");
    write_usage(response_.usage, w_);
    if (response_.usage.reasoning_tokens.value_or(0) > 0) {
      lose("/usage/reasoning_tokens", "a count of reasoning tokens");
    }
    write_answer_facts(response_.service_tier, w_);
    write_stop_sequence(response_.stop_sequence, w_);
    write_extensions();
    w_.end_object();
  }

 private:
  void write_content() {
    w_.begin_object("output");
    w_.begin_object("message");
    w_.member("role", "assistant");
    w_.begin_array("content");
    write_parts();
    write_explanation();
    w_.end_array();
    w_.end_object();
    w_.end_object();
  }

  /// There is no other place for the words of a refusal.
  void write_explanation() {
    if (response_.stop_reason == StopReason::refusal) {
      write_plain_text(response_.refusal_explanation);
    } else if (!response_.refusal_explanation.empty()) {
      lose("/stop_details/explanation", "an explanation beside the answer");
    }
  }

  void write_plain_text(std::string_view text) {
    if (text.empty()) return;
    w_.object("text", text);
  }

  void write_text(const TextPart& text, const std::string& path) override {
    if (text.citations.empty() || !is_of(kName)) {
      if (!text.citations.empty()) {
        lose(path + "/annotations", "citations of other APIs");
      }
      return write_plain_text(text.text);
    }
    w_.begin_object();
    w_.begin_object("citationsContent");
    w_.begin_array("content");
    write_plain_text(text.text);
    w_.end_array();
    w_.member_if("citations", text.citations);
    w_.end_object();
    w_.end_object();
  }

  void write_image(const ImagePart& image, const std::string& path) override {
    const std::string_view format =
        format_of(kImageFormats, image.source.media_type);
    if (format.empty() || image.source.kind != MediaKind::base64) {
      return lose(path, "images of this type in answers");
    }
    w_.begin_object();
    w_.begin_object("image");
    w_.member("format", format);
    w_.object("source", "bytes", image.source.data);
    w_.end_object();
    w_.end_object();
  }

  void write_tool_call(const ToolCallPart& call,
                       const std::string& path) override {
    w_.begin_object();
    w_.begin_object("toolUse");
    w_.member("toolUseId", call.id);
    w_.member("name", call.name);
    w_.member_raw("input", input_of(call, path));
    w_.end_object();
    w_.end_object();
  }

  void write_thinking(const ThinkingPart& thinking,
                      const std::string&) override {
    w_.begin_object();
    w_.begin_object("reasoningContent");
    if (!thinking.redacted_data.empty()) {
      w_.member("redactedContent", redacted_blob(thinking.issuer, thinking.id,
                                                 thinking.redacted_data));
    } else {
      w_.begin_object("reasoningText");
      w_.member("text", thinking.text);
      // Unsigned where the model gave none: never made up.
      w_.member_if("signature",
                   is_foreign(thinking.issuer) && !thinking.signature.empty()
                       ? seal(thinking)
                       : thinking.signature);
      w_.end_object();
    }
    w_.end_object();
    w_.end_object();
  }

  void write_refusal(const RefusalPart& refusal,
                     const std::string& path) override {
    write_plain_text(refusal.text);
    if (response_.stop_reason != StopReason::refusal) {
      lose(path, "refusals in words", "it became text");
    }
  }

  void write_opaque(const OpaquePart& opaque,
                    const std::string& path) override {
    if (opaque.dialect == kName) return w_.raw(opaque.json.text());
    AnswerWriter::write_opaque(opaque, path);
  }

  void write_stop_reason() {
    w_.member("stopReason", to_wire(kStopReasons, response_.stop_reason));
    if (response_.stop_reason == StopReason::pause) {
      lose("/stop_reason", "paused turns", "stopReason is end_turn");
    }
  }

  void write_extensions() {
    if (!is_of(kName)) return lose_all_extensions();
    for (const Extension& extension : response_.extensions) {
      // Written already, with the stop sequence.
      if (extension.name == "additionalModelResponseFields" &&
          !response_.stop_sequence.empty()) {
        continue;
      }
      w_.member(extension.name, extension.value);
    }
  }

  Writer w_;
};

}  // namespace

Usage read_usage(const Value& usage) {
  Usage out;
  const auto input = json::count_of(usage["inputTokens"]);
  out.cached_input_tokens = json::count_of(usage["cacheReadInputTokens"]);
  out.cache_write_tokens = json::count_of(usage["cacheWriteInputTokens"]);
  out.output_tokens = json::count_of(usage["outputTokens"]);
  if (input || out.cached_input_tokens || out.cache_write_tokens) {
    out.input_tokens = input.value_or(0) + out.cached_input_tokens.value_or(0) +
                       out.cache_write_tokens.value_or(0);
  }
  return out;
}

void write_usage(const Usage& usage, Writer& w) {
  const std::int64_t cached = usage.cached_input_tokens.value_or(0) +
                              usage.cache_write_tokens.value_or(0);
  const std::int64_t input =
      std::max<std::int64_t>(0, usage.input_tokens.value_or(0) - cached);
  const std::int64_t output = usage.output_tokens.value_or(0);
  w.begin_object();
  w.member("inputTokens", input);
  w.member("outputTokens", output);
  w.member("totalTokens", input + cached + output);
  w.member("cacheReadInputTokens", usage.cached_input_tokens);
  w.member("cacheWriteInputTokens", usage.cache_write_tokens);
  w.end_object();
}

void write_answer_facts(std::string_view service_tier, Writer& w) {
  // Not known here; programs read the member without asking.
  w.object("metrics", "latencyMs", std::int64_t{0});
  if (service_tier.empty()) return;
  w.object("serviceTier", "type", service_tier);
}

void write_stop_sequence(std::string_view stop_sequence, Writer& w) {
  if (stop_sequence.empty()) return;
  w.object("additionalModelResponseFields", "stop_sequence", stop_sequence);
}

std::string redacted_blob(ReasoningIssuer issuer, std::string_view id,
                          std::string_view data) {
  return is_foreign(issuer) ? seal(issuer, id, data, true)
                            : encode_base64(data);
}

Result<ChatResponse> decode_response(const Value& body, Losses& losses) {
  if (!body["output"]["message"]["content"].is_array()) {
    return upstream_malformed(
        "the upstream's answer has no output.message.content array");
  }
  return Decoder(body, losses).read();
}

Usage read_answer_usage(const Value& body) { return read_usage(body["usage"]); }

void encode_response(const ChatResponse& response, const RequestContext&,
                     std::string& out, Losses& losses) {
  Encoder(response, out, losses).write();
}

}  // namespace llmproxy::bedrock_converse
