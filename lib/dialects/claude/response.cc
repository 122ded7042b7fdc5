// Anthropic Messages: finished answers, both ways, and the pieces that the
// stream shares with them.
#include <algorithm>
#include <array>

#include "chat/answer_reader.h"
#include "chat/answer_writer.h"
#include "chat/extensions.h"
#include "chat/losses.h"
#include "chat/parse_answer.h"
#include "chat/read_parts.h"
#include "chat/sealed_reasoning.h"
#include "chat/tier_words.h"
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
/// Members of blocks that are read.
constexpr std::string_view kBlock[] = {"type",     "text",      "citations",
                                       "thinking", "signature", "data",
                                       "id",       "name",      "input"};

constexpr std::string_view kOutputDetails = "output_tokens_details";
using Count = json::CountField<UsageCounts>;
constexpr std::array kCounts = {
    Count{"", "input_tokens", &UsageCounts::input},
    Count{"", "cache_read_input_tokens", &UsageCounts::cache_read},
    Count{"", "cache_creation_input_tokens", &UsageCounts::cache_write},
    Count{"", "output_tokens", &UsageCounts::output},
    Count{kOutputDetails, "thinking_tokens", &UsageCounts::thinking},
};

class Decoder final : public AnswerReader {
 public:
  Decoder(const Value& body, Losses& losses)
      : AnswerReader(kName, body, losses) {}

  ChatResponse read() {
    read_id();
    read_content();
    read_stop_reason();
    read_usage();
    read_extensions();
    return settled();
  }

 private:
  void read_id() {
    response_.id = reader_.take("id").string();
    response_.model = reader_.take("model").string();
  }

  void read_content() {
    for (const Value block : reader_.take("content").children()) {
      add(read_part(block));
    }
    complete_calls(response_);
  }

  static ContentPart read_part(Value block) {
    const std::string_view type = block["type"].string();
    ContentPart part;
    if (type == "text") {
      part.value = read_text(block);
    } else if (type == "thinking" || type == "redacted_thinking") {
      part.value = read_thinking(block);
    } else if (type == "tool_use") {
      part.value = read_tool_call(block);
    } else {
      part.value = opaque_part(kName, type, block);
      return part;
    }
    part.extensions = others_of(block);
    return part;
  }

  static TextPart read_text(Value block) {
    TextPart text{std::string(block["text"].string()), {}};
    keep_citations(block["citations"], text);
    return text;
  }

  static ToolCallPart read_tool_call(Value block) {
    return {std::string(block["id"].string()),
            std::string(block["name"].string()),
            std::string(block["input"].raw()), false};
  }

  static ThinkingPart read_thinking(Value block) {
    ThinkingPart thinking;
    if (block["type"].string() == "thinking") {
      thinking.text = block["thinking"].string();
      thinking.signature = block["signature"].string();
      thinking.issuer = thinking.signature.empty() ? ReasoningIssuer::unknown
                                                   : ReasoningIssuer::anthropic;
    } else {
      thinking.redacted_data = block["data"].string();
      thinking.issuer = ReasoningIssuer::anthropic;
    }
    // Sealed by a proxy like this one between us and the model.
    const std::string& opaque = thinking.signature.empty()
                                    ? thinking.redacted_data
                                    : thinking.signature;
    if (auto foreign = unseal(opaque)) {
      foreign->text = std::move(thinking.text);
      return *std::move(foreign);
    }
    return thinking;
  }

  void read_stop_reason() {
    const Value reason = reader_.take("stop_reason");
    response_.stop_reason_text = reason.string();
    response_.stop_reason =
        stop_reason_of(kStopReasons, response_.stop_reason_text);
    response_.stop_sequence = reader_.take("stop_sequence").string();
    const Value details = reader_.take("stop_details");
    response_.refusal_explanation = details["explanation"].string();
    if (details["category"].absent()) return;
    lose(losses_, "/stop_details/category", kCanonicalForm, kCategory);
  }

  void read_usage() {
    response_.usage = read_answer_usage(reader_.object());
    response_.service_tier = canonical_tier(
        kUsedTiers, reader_.take("usage")["service_tier"].string());
  }

  void read_extensions() { keep_rest(reader_, kBookkeeping, response_); }
};

class Encoder final : public AnswerWriter {
 public:
  Encoder(const ChatResponse& response, const Host& host, std::string& out,
          Losses& losses)
      : AnswerWriter(response, host.title, losses), host_(host), w_(out) {}

  void write() {
    w_.begin_object();
    w_.member("id", message_id(response_.id));
    w_.member("type", "message");
    w_.member("role", "assistant");
    w_.member("model", response_.model);
    write_content();
    write_stop_reason();
    w_.key("usage");
    write_usage(response_.usage, response_.service_tier, w_);
    write_extensions();
    w_.end_object();
  }

 private:
  void write_content() {
    w_.begin_array("content");
    write_parts();
    w_.end_array();
  }

  void write_text(const TextPart& text, const std::string& path) override {
    if (text.text.empty() && text.citations.empty()) return;
    w_.begin_typed("text");
    w_.member("text", text.text);
    write_citations(text, path);
    w_.end_object();
  }

  void write_citations(const TextPart& text, const std::string& path) {
    std::vector<std::string_view> own;
    for (const RawJson& citation : text.citations) {
      if (is_own_citation(citation.text())) own.push_back(citation.text());
    }
    if (own.size() < text.citations.size()) {
      lose(path + "/annotations", "citations of other APIs");
    }
    if (own.empty()) return w_.member_null("citations");
    w_.begin_array("citations");
    for (const std::string_view citation : own) w_.raw(citation);
    w_.end_array();
  }

  void write_tool_call(const ToolCallPart& call,
                       const std::string& path) override {
    w_.begin_typed("tool_use");
    w_.member("id", call.id);
    w_.member("name", call.name);
    w_.member_raw("input", input_of(call, path));
    write_caller(w_);
    w_.end_object();
  }

  void write_thinking(const ThinkingPart& thinking,
                      const std::string&) override {
    const bool foreign = is_foreign(thinking.issuer);
    if (thinking.redacted_data.empty()) {
      w_.begin_typed("thinking");
      w_.member("thinking", thinking.text);
      // Unsigned where the model gave none: never made up.
      w_.member("signature", foreign && !thinking.signature.empty()
                                 ? seal(thinking)
                                 : thinking.signature);
    } else {
      w_.begin_typed("redacted_thinking");
      w_.member("data", foreign ? seal(thinking) : thinking.redacted_data);
    }
    w_.end_object();
  }

  void write_refusal(const RefusalPart& refusal, const std::string&) override {
    w_.begin_typed("text");
    w_.member("text", refusal.text);
    w_.member_null("citations");
    w_.end_object();
  }

  void write_opaque(const OpaquePart& opaque,
                    const std::string& path) override {
    if (opaque.dialect == kName) return w_.raw(opaque.json.text());
    AnswerWriter::write_opaque(opaque, path);
  }

  void write_stop_reason() {
    write_stop(response_.stop_reason, response_.stop_sequence,
               response_.refusal_explanation, w_);
  }

  void write_extensions() {
    const bool own = is_of(host_.dialect);
    if (!own || find_field(response_.extensions, kContainer) == nullptr) {
      w_.member_null(kContainer);
    }
    if (!own) return lose_all_extensions();
    w_.extensions(response_.extensions);
  }

  const Host& host_;
  Writer w_;
};

}  // namespace

Extensions others_of(const Value& block) {
  Extensions out;
  keep_others(block, kBlock, out);
  if (calls_directly(block)) {
    std::erase_if(out, [](const Extension& e) { return e.name == "caller"; });
  }
  return out;
}

void UsageCounts::update(const Value& usage) {
  json::read_counts<UsageCounts>(kCounts, usage, *this);
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

/// From output_tokens on, what all reports have.
void write_output(const Usage& usage, Writer& w) {
  w.member("output_tokens", usage.output_tokens.value_or(0));
  if (usage.reasoning_tokens) {
    w.object(kOutputDetails, "thinking_tokens", *usage.reasoning_tokens);
  } else {
    w.member_null(kOutputDetails);
  }
  w.member_null("server_tool_use");
}

/// Empty = it has no word here.
std::string_view used_tier(std::string_view canonical) {
  for (const TierWord& row : kUsedTiers) {
    if (row.canonical == canonical) return row.own;
  }
  return {};
}

constexpr std::string_view kTier = "service_tier";

}  // namespace

void write_stop(StopReason reason, std::string_view stop_sequence,
                std::string_view refusal_explanation, Writer& w) {
  w.member("stop_reason", to_wire(kStopReasons, reason));
  w.member_or_null("stop_sequence", stop_sequence);
  if (refusal_explanation.empty()) return w.member_null("stop_details");
  w.begin_typed("stop_details", "refusal");
  w.member_null("category");
  w.member("explanation", refusal_explanation);
  w.end_object();
}

void write_usage(const Usage& usage, std::string_view service_tier, Writer& w) {
  w.begin_object();
  w.member("input_tokens", uncached_input(usage));
  w.member("cache_creation_input_tokens", usage.cache_write_tokens.value_or(0));
  w.member("cache_read_input_tokens", usage.cached_input_tokens.value_or(0));
  w.member_null("cache_creation");
  write_output(usage, w);
  w.member_or_null(kTier, used_tier(service_tier));
  w.member_null("inference_geo");
  w.end_object();
}

void write_final_usage(const Usage& usage, std::string_view service_tier,
                       Writer& w) {
  w.begin_object();
  const bool known = usage.input_tokens.has_value();
  w.member_or_null("input_tokens",
                   known ? std::optional(uncached_input(usage)) : std::nullopt);
  w.member_or_null("cache_creation_input_tokens", usage.cache_write_tokens);
  w.member_or_null("cache_read_input_tokens", usage.cached_input_tokens);
  write_output(usage, w);
  w.member_if(kTier, used_tier(service_tier));
  w.end_object();
}

void write_caller(Writer& w) { w.object("caller", "type", "direct"); }

/// "char_location", "web_search_result_location" ...; OpenAI's are
/// "url_citation".
bool is_own_citation(std::string_view citation) {
  json::Document document;
  const auto root = document.parse(citation);
  return root && (*root)["type"].string().ends_with("_location");
}

std::string message_id(std::string_view id) {
  return id_with("msg_", {"chatcmpl-"}, id);
}

Result<ChatResponse> decode_response(const Value& body, Losses& losses) {
  if (!json::says_nothing(body["error"])) return read_error(body["error"], 0);
  if (!body["content"].is_array()) {
    return upstream_malformed("the upstream's answer has no content array");
  }
  return Decoder(body, losses).read();
}

Usage read_answer_usage(const Value& body) {
  UsageCounts counts;
  counts.update(body["usage"]);
  return counts.usage();
}

void write_answer(const ChatResponse& response, const Host& host,
                  std::string& out, Losses& losses) {
  Encoder(response, host, out, losses).write();
}

void encode_response(const ChatResponse& response, const RequestContext&,
                     std::string& out, Losses& losses) {
  write_answer(response, kAnthropic, out, losses);
}

}  // namespace llmproxy::claude
