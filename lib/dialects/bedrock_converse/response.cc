// Bedrock Converse: finished answers, both ways, and the pieces that the
// stream shares with them.
#include <fmt/format.h>

#include <algorithm>

#include "chat/media.h"
#include "chat/sealed_reasoning.h"
#include "chat/turns.h"
#include "dialects/bedrock_converse/tables.h"

namespace llmproxy::bedrock_converse {
namespace {

using json::Value;
using json::Writer;

std::optional<std::int64_t> count(const Value& value) {
  const auto number = value.integer();
  return number && *number >= 0 ? number : std::nullopt;
}

void lose(Losses& losses, std::string path, std::string what,
          LossKind kind = LossKind::dropped) {
  losses.push_back({std::move(path), std::move(what), kind});
}

void write_part(const ContentPart& part, const std::string& path, Writer& w,
                Losses& losses) {
  const auto* text = part.as<TextPart>();
  if (text != nullptr && text->text.empty()) return;
  if (const auto* opaque = part.as<OpaquePart>()) {
    if (opaque->dialect == kName) return w.raw(opaque->json.text);
    return lose(losses, path,
                fmt::format("Bedrock Converse has no {} parts", opaque->type));
  }
  if (part.as<ImagePart>() || part.as<DocumentPart>() || part.as<AudioPart>()) {
    return lose(losses, path, "Bedrock Converse has no such part in answers");
  }
  w.begin_object();
  if (text != nullptr) {
    w.member("text", text->text);
    if (!text->citations.empty()) {
      lose(losses, path + "/citations",
           "Bedrock Converse has no such citations");
    }
  } else if (const auto* refusal = part.as<RefusalPart>()) {
    w.member("text", refusal->text);
    lose(losses, path, "Bedrock has no refusal parts; it became text",
         LossKind::approximated);
  } else if (const auto* call = part.as<ToolCallPart>()) {
    if (write_tool_use(*call, w)) {
      lose(losses, path,
           "the arguments of the call are no JSON object; wrapped",
           LossKind::approximated);
    }
  } else if (const auto* thinking = part.as<ThinkingPart>()) {
    write_reasoning(*thinking, w);
  }
  w.end_object();
}

}  // namespace

void write_reasoning(const ThinkingPart& thinking, Writer& w) {
  const bool foreign = thinking.issuer != ReasoningIssuer::anthropic &&
                       thinking.issuer != ReasoningIssuer::unknown;
  w.key("reasoningContent");
  w.begin_object();
  if (!thinking.redacted_data.empty()) {
    w.member("redactedContent",
             foreign ? seal(thinking) : encode_base64(thinking.redacted_data));
  } else {
    w.key("reasoningText");
    w.begin_object();
    w.member("text", thinking.text);
    if (!thinking.signature.empty()) {
      w.member("signature", foreign ? seal(thinking) : thinking.signature);
    }
    w.end_object();
  }
  w.end_object();
}

Usage read_usage(const Value& usage) {
  Usage out;
  out.cached_input_tokens = count(usage["cacheReadInputTokens"]);
  out.cache_write_tokens = count(usage["cacheWriteInputTokens"]);
  // Disjoint, as Anthropic counts.
  if (const auto input = count(usage["inputTokens"])) {
    out.input_tokens = *input + out.cached_input_tokens.value_or(0) +
                       out.cache_write_tokens.value_or(0);
  }
  out.output_tokens = count(usage["outputTokens"]);
  return out;
}

void write_usage(const Usage& usage, Writer& w) {
  const std::int64_t cached = usage.cached_input_tokens.value_or(0);
  const std::int64_t written = usage.cache_write_tokens.value_or(0);
  const std::int64_t all = usage.input_tokens.value_or(0);
  const std::int64_t output = usage.output_tokens.value_or(0);
  w.begin_object();
  w.member("inputTokens", std::max<std::int64_t>(0, all - cached - written));
  w.member("outputTokens", output);
  w.member("totalTokens", all + output);
  w.member("cacheReadInputTokens", usage.cached_input_tokens);
  w.member("cacheWriteInputTokens", usage.cache_write_tokens);
  w.end_object();
}

void lose_answer_details(StopReason reason, std::string_view stop_sequence,
                         Losses& losses) {
  if (reason == StopReason::pause) {
    lose(losses, "/stop_reason",
         "the turn was only paused; Bedrock says end_turn",
         LossKind::approximated);
  }
  if (!stop_sequence.empty()) {
    lose(losses, "/stop_sequence",
         "Bedrock Converse does not say which stop sequence matched");
  }
}

Result<ChatResponse> decode_response(const Value& body, Losses& losses) {
  const Value content = body["output"]["message"]["content"];
  if (!content.is_array()) {
    return upstream_malformed("the upstream's answer has no output message");
  }
  json::ObjectReader reader(body, "");
  ChatResponse response;
  response.dialect = std::string(kName);
  reader.take("output");
  std::size_t index = 0;
  for (const Value block : content.children()) {
    const std::string path = json::pointer("/output/message/content", index++);
    auto part = read_block(block, path);
    if (!part) {
      lose(losses, path, "a block of a kind that nobody knows");
    } else if (*part) {
      (*part)->extensions.clear();
      response.content.push_back(**std::move(part));
    }
  }
  response.stop_reason_text = std::string(reader.take("stopReason").string());
  response.stop_reason = from_wire(kStopReasons, response.stop_reason_text)
                             .value_or(StopReason::other);
  response.usage = read_usage(reader.take("usage"));
  reader.take("metrics");  // how long it took
  const std::string_view tier = reader.take("serviceTier")["type"].string();
  response.service_tier = tier;
  const Value fields = reader.take("additionalModelResponseFields");
  response.stop_sequence = fields["stop_sequence"].string();
  for (Extension& extension : reader.rest()) {
    response.extensions.push_back(std::move(extension));
  }
  return response;
}

void encode_response(const ChatResponse& response, const RequestContext&,
                     std::string& out, Losses& losses) {
  const bool same_dialect =
      response.dialect.empty() || response.dialect == kName;
  Writer w(out);
  w.begin_object();
  w.key("output");
  w.begin_object();
  w.key("message");
  w.begin_object();
  w.member("role", "assistant");
  w.key("content");
  w.begin_array();
  for (std::size_t i = 0; i < response.content.size(); ++i) {
    write_part(response.content[i], json::pointer("/content", i), w, losses);
  }
  if (!response.refusal_explanation.empty()) {
    w.begin_object();
    w.member("text", response.refusal_explanation);
    w.end_object();
  }
  w.end_array();
  w.end_object();
  w.end_object();
  w.member("stopReason", to_wire(kStopReasons, response.stop_reason));
  lose_answer_details(response.stop_reason, response.stop_sequence, losses);
  if (response.usage.reasoning_tokens) {
    lose(losses, "/usage/reasoning_tokens",
         "Bedrock Converse does not count reasoning by itself");
  }
  w.key("usage");
  write_usage(response.usage, w);
  w.key("metrics");
  w.begin_object();
  w.member("latencyMs", std::int64_t{0});
  w.end_object();
  if (!response.service_tier.empty()) {
    w.key("serviceTier");
    w.begin_object();
    w.member("type", response.service_tier);
    w.end_object();
  }
  if (same_dialect) {
    w.extensions(response.extensions);
  } else {
    lose_extensions(response.extensions, "", kTitle, losses);
  }
  w.end_object();
}

}  // namespace llmproxy::bedrock_converse
