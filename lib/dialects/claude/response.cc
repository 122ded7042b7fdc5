// Anthropic Messages: finished answers, both ways, and the pieces that the
// stream shares with them.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/bounded.h"
#include "chat/answer_end.h"
#include "chat/parse_answer.h"
#include "chat/sealed_reasoning.h"
#include "chat/tool_arguments.h"
#include "chat/turns.h"
#include "dialects/claude/body.h"
#include "json/count.h"
#include "json/zero.h"

namespace llmproxy::claude {
namespace {

using json::Value;
using json::Writer;

/// Fields of an answer that describe the call, not the answer: no loss.
constexpr std::array<std::string_view, 3> kBookkeeping = {"type", "role",
                                                          "diagnostics"};

ContentPart read_block(Value block) {
  const std::string_view type = block["type"].string();
  ContentPart part;
  if (type == "text") {
    TextPart text{std::string(block["text"].string()), {}};
    for (const Value citation : block["citations"].children()) {
      text.citations.push_back(citation.raw_json());
    }
    part.value = std::move(text);
  } else if (type == "thinking") {
    part.value = ThinkingPart{std::string(block["thinking"].string()),
                              std::string(block["signature"].string()),
                              {},
                              block["signature"].string().empty()
                                  ? ReasoningIssuer::unknown
                                  : ReasoningIssuer::anthropic,
                              {}};
  } else if (type == "redacted_thinking") {
    part.value = ThinkingPart{{},
                              {},
                              std::string(block["data"].string()),
                              ReasoningIssuer::anthropic,
                              {}};
  } else if (type == "tool_use") {
    part.value = ToolCallPart{std::string(block["id"].string()),
                              std::string(block["name"].string()),
                              std::string(block["input"].raw()), false};
  } else {
    part.value =
        OpaquePart{std::string(kName), std::string(type), block.raw_json()};
  }
  // Sealed by a proxy like this one between us and the model.
  if (auto* thinking = part.as<ThinkingPart>()) {
    const std::string& opaque = thinking->signature.empty()
                                    ? thinking->redacted_data
                                    : thinking->signature;
    if (auto foreign = unseal(opaque)) {
      foreign->text = std::move(thinking->text);
      *thinking = *std::move(foreign);
    }
  }
  return part;
}

void write_citations(const TextPart& text, const std::string& path,
                     const Host& host, Writer& w, Losses& losses) {
  std::vector<std::string_view> own;
  for (const RawJson& citation : text.citations) {
    if (is_own_citation(citation.text())) own.push_back(citation.text());
  }
  if (own.size() < text.citations.size()) {
    add_loss(losses, {path + "/annotations",
                      fmt::format("{} has no such annotations", host.title),
                      LossKind::dropped});
  }
  if (own.empty()) return;
  w.key("citations");
  w.begin_array();
  for (const std::string_view citation : own) w.raw(citation);
  w.end_array();
}

void write_part(const ContentPart& part, const std::string& path,
                const Host& host, Writer& w, Losses& losses) {
  if (const auto* text = part.as<TextPart>()) {
    if (text->text.empty() && text->citations.empty()) return;
    w.begin_object();
    w.member("type", "text");
    w.member("text", text->text);
    write_citations(*text, path, host, w, losses);
    w.end_object();
  } else if (const auto* thinking = part.as<ThinkingPart>()) {
    w.begin_object();
    if (thinking->redacted_data.empty()) {
      w.member("type", "thinking");
      w.member("thinking", thinking->text);
      // Unsigned where the model gave none: never made up.
      w.member("signature",
               is_foreign(thinking->issuer) && !thinking->signature.empty()
                   ? seal(*thinking)
                   : thinking->signature);
    } else {
      w.member("type", "redacted_thinking");
      w.member("data", is_foreign(thinking->issuer) ? seal(*thinking)
                                                    : thinking->redacted_data);
    }
    w.end_object();
  } else if (const auto* call = part.as<ToolCallPart>()) {
    bool wrapped = false;
    const std::string input = input_object(call->arguments, &wrapped);
    if (wrapped) {
      add_loss(losses,
               {path, std::string(kWrappedArguments), LossKind::approximated});
    }
    w.begin_object();
    w.member("type", "tool_use");
    w.member("id", call->id);
    w.member("name", call->name);
    w.member_raw("input", input);
    w.end_object();
  } else if (const auto* refusal = part.as<RefusalPart>()) {
    w.begin_object();
    w.member("type", "text");
    w.member("text", refusal->text);
    w.end_object();
  } else if (const auto* opaque = part.as<OpaquePart>()) {
    if (opaque->dialect == kName) return w.raw(opaque->json.text());
    add_loss(losses,
             {path, fmt::format("{} has no {} parts", host.title, opaque->type),
              LossKind::dropped});
  } else if (part.as<ImagePart>()) {
    add_loss(losses,
             {path, fmt::format("{} has no image parts in answers", host.title),
              LossKind::dropped});
  }
}

}  // namespace

void UsageCounts::update(const Value& usage) {
  const auto take = [](Value value, std::optional<std::int64_t>& member) {
    if (const auto count = json::count_of(value)) {
      member = *count;
    }
  };
  take(usage["input_tokens"], input);
  take(usage["cache_read_input_tokens"], cache_read);
  take(usage["cache_creation_input_tokens"], cache_write);
  take(usage["output_tokens"], output);
  take(usage["output_tokens_details"]["thinking_tokens"], thinking);
}

Usage UsageCounts::usage() const {
  Usage out;
  if (input || cache_read || cache_write) {
    out.input_tokens =
        input.value_or(0) + cache_read.value_or(0) + cache_write.value_or(0);
  }
  out.cached_input_tokens = cache_read;
  out.cache_write_tokens = cache_write;
  out.output_tokens = output;
  out.reasoning_tokens = thinking;
  return out;
}

namespace {

std::int64_t uncached_input(const Usage& usage) {
  return std::max<std::int64_t>(0, usage.input_tokens.value_or(0) -
                                       usage.cached_input_tokens.value_or(0) -
                                       usage.cache_write_tokens.value_or(0));
}

void write_thinking_tokens(const Usage& usage, Writer& w) {
  if (!usage.reasoning_tokens) return;
  w.key("output_tokens_details");
  w.begin_object();
  w.member("thinking_tokens", *usage.reasoning_tokens);
  w.end_object();
}

void write_tier(std::string_view canonical, Writer& w) {
  for (const ServiceTier& row : kUsedTiers) {
    if (row.canonical == canonical) w.member("service_tier", row.wire);
  }
}

}  // namespace

void write_usage(const Usage& usage, std::string_view service_tier, Writer& w) {
  w.begin_object();
  w.member("input_tokens", uncached_input(usage));
  w.member("cache_creation_input_tokens", usage.cache_write_tokens.value_or(0));
  w.member("cache_read_input_tokens", usage.cached_input_tokens.value_or(0));
  w.member("output_tokens", usage.output_tokens.value_or(0));
  write_thinking_tokens(usage, w);
  write_tier(service_tier, w);
  w.end_object();
}

void write_final_usage(const Usage& usage, std::string_view service_tier,
                       Writer& w) {
  w.begin_object();
  if (usage.input_tokens) w.member("input_tokens", uncached_input(usage));
  w.member("cache_creation_input_tokens", usage.cache_write_tokens);
  w.member("cache_read_input_tokens", usage.cached_input_tokens);
  w.member("output_tokens", usage.output_tokens.value_or(0));
  write_thinking_tokens(usage, w);
  write_tier(service_tier, w);
  w.end_object();
}

/// "char_location", "web_search_result_location" ...; OpenAI's are
/// "url_citation".
bool is_own_citation(std::string_view citation) {
  json::Document document;
  const auto root = document.parse(citation);
  return root && (*root)["type"].string().ends_with("_location");
}

void lose_category(const Value& stop_details, Losses& losses) {
  if (stop_details["category"].absent()) return;
  add_loss(losses,
           {"/stop_details/category",
            "the category of a refusal has no counterpart", LossKind::dropped});
}

std::string canonical_tier(std::string_view wire) {
  for (const ServiceTier& row : kUsedTiers) {
    if (row.wire == wire) return std::string(row.canonical);
  }
  return std::string(wire);
}

std::string message_id(std::string_view id) {
  constexpr std::string_view kPrefix = "msg_";
  constexpr std::string_view kOther = "chatcmpl-";
  if (id.substr(0, kPrefix.size()) == kPrefix) return std::string(id);
  if (id.substr(0, kOther.size()) == kOther) id.remove_prefix(kOther.size());
  return fmt::format("{}{}", kPrefix, id);
}

Result<ChatResponse> decode_response(const Value& body, Losses& losses) {
  if (!json::says_nothing(body["error"])) return read_error(body["error"], 0);
  if (!body["content"].is_array()) {
    return upstream_malformed("the upstream's answer has no content array");
  }
  json::ObjectReader reader(body, "");
  ChatResponse response;
  response.dialect = std::string(kName);
  response.id = std::string(reader.take("id").string());
  response.model = std::string(reader.take("model").string());
  for (const Value block : reader.take("content").children()) {
    response.content.push_back(read_block(block));
  }
  complete_calls(response);
  response.stop_reason_text = std::string(reader.take("stop_reason").string());
  response.stop_reason = from_wire(kStopReasons, response.stop_reason_text)
                             .value_or(StopReason::other);
  response.stop_sequence = std::string(reader.take("stop_sequence").string());
  const Value details = reader.take("stop_details");
  response.refusal_explanation = std::string(details["explanation"].string());
  lose_category(details, losses);
  const Value usage = reader.take("usage");
  UsageCounts counts;
  counts.update(usage);
  response.usage = counts.usage();
  response.service_tier = canonical_tier(usage["service_tier"].string());
  for (Extension& extension : reader.rest()) {
    if (std::find(kBookkeeping.begin(), kBookkeeping.end(), extension.name) ==
        kBookkeeping.end()) {
      response.extensions.push_back(std::move(extension));
    }
  }
  settle_answer(response, losses);
  return response;
}

void write_answer(const ChatResponse& response, const Host& host,
                  std::string& out, Losses& losses) {
  Writer w(out);
  w.begin_object();
  w.member("id", message_id(response.id));
  w.member("type", "message");
  w.member("role", "assistant");
  w.member("model", response.model);
  w.key("content");
  w.begin_array();
  for (std::size_t i = 0; i < response.content.size(); ++i) {
    write_part(response.content[i], json::pointer("/content", i), host, w,
               losses);
  }
  w.end_array();
  w.member("stop_reason", to_wire(kStopReasons, response.stop_reason));
  if (response.stop_sequence.empty()) {
    w.member_null("stop_sequence");
  } else {
    w.member("stop_sequence", response.stop_sequence);
  }
  if (!response.refusal_explanation.empty()) {
    w.key("stop_details");
    w.begin_object();
    w.member("type", "refusal");
    w.member_null("category");
    w.member("explanation", response.refusal_explanation);
    w.end_object();
  }
  w.key("usage");
  write_usage(response.usage, response.service_tier, w);
  write_fields_of(response.extensions, "", kinship(response.dialect, host),
                  host, w, losses);
  w.end_object();
}

void encode_response(const ChatResponse& response, const RequestContext&,
                     std::string& out, Losses& losses) {
  write_answer(response, kAnthropic, out, losses);
}

}  // namespace llmproxy::claude
