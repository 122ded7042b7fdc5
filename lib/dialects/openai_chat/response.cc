// OpenAI Chat Completions: finished answers, both ways, and the pieces that
// the stream shares with them.
#include <array>

#include "base/bounded.h"
#include "chat/answer_reader.h"
#include "chat/answer_writer.h"
#include "chat/extensions.h"
#include "chat/field_path.h"
#include "chat/losses.h"
#include "chat/parse_answer.h"
#include "chat/read_parts.h"
#include "dialects/openai_chat/tables.h"
#include "dialects/openai_family/body.h"
#include "json/count.h"
#include "json/zero.h"

namespace llmproxy::openai_chat {
namespace {

using json::Value;
using json::Writer;

using UsageField = json::CountField<Usage>;
constexpr std::string_view kInputDetails = "prompt_tokens_details";
constexpr std::string_view kOutputDetails = "completion_tokens_details";
constexpr std::array kUsageFields = {
    UsageField{"", "prompt_tokens", &Usage::input_tokens},
    UsageField{"", "completion_tokens", &Usage::output_tokens},
    // DeepSeek's own spelling of the cached part.
    UsageField{"", "prompt_cache_hit_tokens", &Usage::cached_input_tokens},
    UsageField{kInputDetails, "cached_tokens", &Usage::cached_input_tokens},
    UsageField{kInputDetails, "cache_write_tokens", &Usage::cache_write_tokens},
    UsageField{kInputDetails, "audio_tokens", &Usage::input_audio_tokens},
    UsageField{kOutputDetails, "reasoning_tokens", &Usage::reasoning_tokens},
    UsageField{kOutputDetails, "audio_tokens", &Usage::output_audio_tokens},
};

/// Fields of an answer that describe the call, not the answer: no loss.
constexpr std::array<std::string_view, 5> kBookkeeping = {
    "object", "system_fingerprint", "metadata", "obfuscation", "error"};

constexpr std::string_view kLogprobs = "logprobs";

class Decoder final : public AnswerReader {
 public:
  Decoder(const Value& body, Losses& losses)
      : AnswerReader(kName, body, losses),
        choice_(reader_.take("choices").first()),
        message_(choice_["message"]) {}

  ChatResponse read() {
    read_id();
    read_thinking();
    read_content();
    read_refusal(message_);
    read_tool_calls();
    read_audio();
    read_stop_reason();
    response_.usage = read_usage(reader_.take("usage"));
    read_extensions();
    ChatResponse response = settled();
    if (reader_.object()["choices"].size() > 1) {
      lose(losses_, "/choices/1", kCanonicalForm, kOtherChoice);
    }
    return response;
  }

 private:
  void read_id() {
    response_.id = reader_.take("id").string();
    response_.model = reader_.take("model").string();
    response_.created = reader_.take("created").integer().value_or(0);
    response_.service_tier = tier_of(reader_.take("service_tier"));
  }

  /// `content`: text, or (Mistral, Databricks) an array of typed parts.
  void read_content() {
    read_text(message_["content"].string());
    for (const Value part : message_["content"].children()) {
      if (part["type"].string() == "text") {
        read_text(part["text"].string());
      } else {
        read_refusal(part);
      }
    }
    if (response_.content.empty()) return;
    if (auto* text = response_.content.back().as<TextPart>()) {
      keep_citations(message_["annotations"], *text);
    }
  }

  void read_text(std::string_view text) {
    if (!text.empty()) add(TextPart{std::string(text), {}});
  }

  void read_audio() {
    const Value audio = message_["audio"];
    if (json::says_nothing(audio)) return;
    // What was said is the text of a spoken answer.
    if (message_["content"].string().empty()) {
      read_text(audio["transcript"].string());
    }
    add(OpaquePart{std::string(kName), "audio", audio.raw_json()});
  }

  void read_tool_calls() {
    std::size_t index = 0;
    for (const Value call : message_["tool_calls"].children()) {
      read_tool_call(call, index++);
    }
    const Value legacy = message_["function_call"];
    if (legacy["name"].string().empty()) return;
    add(ToolCallPart{"call_function_0", std::string(legacy["name"].string()),
                     std::string(legacy["arguments"].string()), false});
  }

  /// Calls without an id get one of this answer alone, so that ids of later
  /// turns differ.
  void read_tool_call(Value value, std::size_t index) {
    ToolCallPart call;
    call.custom = value["type"].string() == "custom";
    const Value body = value[call.custom ? "custom" : "function"];
    call.name = body["name"].string();
    if (call.name.empty()) {
      return add_loss(losses_,
                      {json::pointer("/choices/0/message/tool_calls", index),
                       std::string(kNamelessCall), LossKind::dropped});
    }
    call.id = value["id"].string();
    if (call.id.empty()) call.id = made_call_id(response_.id, index);
    const Value arguments = body[call.custom ? "input" : "arguments"];
    // Some servers send the arguments as the object itself.
    call.arguments =
        arguments.is_object() ? arguments.raw() : arguments.string();
    if (auto signature = read_call_signature(value)) add(*signature);
    add(std::move(call));
  }

  void read_thinking() {
    const std::string_view reasoning = reasoning_text(message_);
    if (!reasoning.empty()) add(ThinkingPart{std::string(reasoning), {}, {}});
  }

  /// Of the message, or of a part of its content.
  void read_refusal(Value value) {
    const std::string_view refusal = value["refusal"].string();
    if (!refusal.empty()) add(RefusalPart{std::string(refusal)});
  }

  void read_stop_reason() {
    response_.stop_reason_text = choice_["finish_reason"].string();
    response_.stop_reason =
        stop_reason_of(kStopReasons, response_.stop_reason_text);
  }

  void read_extensions() {
    keep_rest(reader_, kBookkeeping, response_);
    lose_others("/choices/0", choice_, kChoice);
    lose_others("/choices/0/message", message_, kMessage);
    const Value logprobs = choice_[kLogprobs];
    if (json::says_nothing(logprobs)) return;
    response_.extensions.push_back(
        {std::string(kLogprobs), logprobs.raw_json()});
  }

  void lose_others(std::string_view path, Value object,
                   std::span<const std::string_view> known) {
    Extensions others;
    keep_others(object, known, others);
    for (const Extension& other : others) {
      lose(losses_, field_path(path, other.name), kCanonicalForm,
           "a field that only one API has");
    }
  }

  const Value choice_;
  const Value message_;
};

/// A message has one member a kind of part: what the parts say is gathered
/// first, then written.
class Encoder final : public AnswerWriter {
 public:
  Encoder(const ChatResponse& response, const RequestContext& context,
          std::string& out, Losses& losses)
      : AnswerWriter(response, kTarget, losses), context_(context), w_(out) {}

  void write() {
    write_parts();
    if (refusal_.empty() && response_.stop_reason == StopReason::refusal) {
      refusal_ = response_.refusal_explanation;
    }
    w_.begin_object();
    w_.member("id", completion_id(response_.id));
    w_.member("object", "chat.completion");
    w_.member("created",
              response_.created != 0 ? response_.created : context_.created);
    w_.member("model", response_.model);
    write_choice();
    w_.key("usage");
    write_usage(response_.usage, w_);
    w_.member_if("service_tier", response_.service_tier);
    write_extensions();
    w_.end_object();
  }

 private:
  void write_choice() {
    w_.begin_array("choices");
    w_.begin_object();
    w_.member("index", std::int64_t{0});
    write_content();
    write_logprobs();
    write_stop_reason();
    w_.end_object();
    w_.end_array();
  }

  void write_content() {
    w_.begin_object("message");
    w_.member("role", "assistant");
    const bool is_mute = calls_.empty() && refusal_.empty();
    text_.empty() && !is_mute ? w_.member_null("content")
                              : w_.member("content", text_);
    w_.member_if("reasoning_content", thinking_);
    w_.member_or_null("refusal", refusal_);
    w_.begin_array("annotations");
    w_.end_array();
    write_tool_calls();
    w_.end_object();
  }

  void write_text(const TextPart& text, const std::string& path) override {
    text_ += text.text;
    if (!text.citations.empty())
      lose(path + "/citations", "citations in texts");
  }

  void write_tool_call(const ToolCallPart&, const std::string&) override {
    calls_.push_back(index());
  }

  void write_thinking(const ThinkingPart& thinking,
                      const std::string& path) override {
    // Written with the call behind it.
    const bool signs = signs_a_call(response_.content, index());
    if (signs && !context_.legacy_functions) return;
    thinking_ += thinking.text;
    if (!thinking.redacted_data.empty()) {
      lose(path, "encrypted thinking");
    } else if (!thinking.signature.empty()) {
      lose(path + "/signature", "signatures of thinking");
    }
  }

  void write_refusal(const RefusalPart& refusal, const std::string&) override {
    refusal_ += refusal.text;
  }

  void write_tool_calls() {
    if (calls_.empty()) return;
    const auto& content = response_.content;
    if (context_.legacy_functions) {
      return write_function(*content[calls_[0]].as<ToolCallPart>());
    }
    w_.begin_array("tool_calls");
    for (const std::size_t place : calls_) {
      begin_tool_call(content, place, w_);
      w_.end_object();
    }
    w_.end_array();
  }

  void write_function(const ToolCallPart& call) {
    const std::string_view arguments = call.arguments;
    w_.begin_object("function_call");
    w_.member("name", call.name);
    w_.member("arguments", arguments.empty() ? "{}" : arguments);
    w_.end_object();
  }

  /// An extension of the whole, but a member of the choice.
  void write_logprobs() {
    const Extension* logprobs =
        response_.dialect == kName ? find_field(response_.extensions, kLogprobs)
                                   : nullptr;
    w_.member_raw(kLogprobs, logprobs == nullptr ? std::string_view()
                                                 : logprobs->value.text());
  }

  void write_stop_reason() {
    lose_stop(kStopWords, response_.stop_reason, response_.stop_sequence,
              losses_);
    const bool said_in_words =
        response_.refusal_explanation.empty() && !refusal_.empty();
    w_.member("finish_reason",
              finish_reason(response_.stop_reason, said_in_words,
                            context_.legacy_functions));
  }

  void write_extensions() {
    if (response_.dialect != kName) return lose_all_extensions();
    for (const Extension& extension : response_.extensions) {
      if (extension.name == kLogprobs) continue;
      w_.member(extension.name, extension.value);
    }
  }

  const RequestContext& context_;
  Writer w_;
  std::string text_;
  std::string thinking_;
  std::string refusal_;
  std::vector<std::size_t> calls_;
};

/// xAI counts reasoning beside the completion, not in it; its total tells.
bool counts_reasoning_apart(const Usage& usage,
                            std::optional<std::int64_t> total) {
  const std::int64_t reasoning = usage.reasoning_tokens.value_or(0);
  return total && usage.input_tokens && usage.output_tokens && reasoning > 0 &&
         *total == *usage.input_tokens + *usage.output_tokens + reasoning;
}

// The members in which Google has its signature of a call.
constexpr std::string_view kExtra = "extra_content";
constexpr std::string_view kGoogle = "google";
constexpr std::string_view kSignature = "thought_signature";

/// The signature of the call at `index`; empty = none.
std::string_view call_signature(const std::vector<ContentPart>& content,
                                std::size_t index) {
  if (index == 0 || content[index].as<ToolCallPart>() == nullptr) return {};
  const auto* thinking = content[index - 1].as<ThinkingPart>();
  // A signature without thinking that Google can read again.
  const bool signs = thinking != nullptr && thinking->text.empty() &&
                     thinking->issuer == ReasoningIssuer::google;
  return signs ? std::string_view(thinking->signature) : std::string_view();
}

}  // namespace

std::optional<ThinkingPart> read_call_signature(const Value& call) {
  const Value extra = call[kExtra];
  const Value google = extra[kGoogle];
  const std::string_view signature = google[kSignature].string();
  if (signature.empty() || extra.size() != 1 || google.size() != 1) {
    return std::nullopt;
  }
  return ThinkingPart{.signature = std::string(signature),
                      .issuer = ReasoningIssuer::google};
}

void write_call_signature(std::string_view signature, Writer& w) {
  if (signature.empty()) return;
  w.begin_object(kExtra);
  w.object(kGoogle, kSignature, signature);
  w.end_object();
}

bool signs_a_call(const std::vector<ContentPart>& content, std::size_t index) {
  return index + 1 < content.size() &&
         !call_signature(content, index + 1).empty();
}

std::string_view reasoning_text(const Value& message) {
  const std::string_view text = message["reasoning_content"].string();
  return text.empty() ? message["reasoning"].string() : text;
}

Usage read_usage(const Value& usage) {
  Usage out;
  json::read_counts<Usage>(kUsageFields, usage, out);
  if (counts_reasoning_apart(out, json::count_of(usage["total_tokens"]))) {
    *out.output_tokens += *out.reasoning_tokens;
  }
  return out;
}

void write_usage(const Usage& usage, Writer& writer) {
  const std::int64_t input = usage.input_tokens.value_or(0);
  const std::int64_t output = usage.output_tokens.value_or(0);
  writer.begin_object();
  writer.member("prompt_tokens", input);
  writer.member("completion_tokens", output);
  writer.member("total_tokens", input + output);
  std::string_view inside;
  for (const UsageField& field : kUsageFields) {
    if (field.object.empty() || !(usage.*field.member)) continue;
    if (field.object != inside) {
      if (!inside.empty()) writer.end_object();
      inside = field.object;
      writer.begin_object(inside);
    }
    writer.member(field.name, usage.*field.member);
  }
  if (!inside.empty()) writer.end_object();
  writer.end_object();
}

void begin_tool_call(const std::vector<ContentPart>& content, std::size_t place,
                     Writer& w) {
  const auto& call = *content[place].as<ToolCallPart>();
  const std::string_view type = openai_family::type_of(call.custom);
  w.begin_object();
  w.member("id", call.id);
  w.member("type", type);
  w.begin_object(type);
  w.member("name", call.name);
  openai_family::write_arguments(call, w);
  w.end_object();
  write_call_signature(call_signature(content, place), w);
}

std::string_view finish_reason(StopReason reason, bool refusal_text,
                               bool legacy_functions) {
  // A refusal in words is told in `refusal`; the API then finishes with stop.
  if (reason == StopReason::refusal && refusal_text) return "stop";
  if (reason == StopReason::tool_use && legacy_functions) {
    return "function_call";
  }
  return to_wire(kStopReasons, reason);
}

std::string_view tier_of(const Value& tier) {
  return tier.string() == "auto" ? std::string_view() : tier.string();
}

std::string completion_id(std::string_view id) {
  return id_with("chatcmpl-", {"msg_"}, id);
}

Result<ChatResponse> decode_response(const Value& body, Losses& losses) {
  if (!json::says_nothing(body["error"])) return read_error(body["error"], 0);
  if (!body["choices"].first()["message"].is_object()) {
    return upstream_malformed(
        "the upstream's answer has no choices[0].message");
  }
  return Decoder(body, losses).read();
}

Usage read_answer_usage(const Value& body) { return read_usage(body["usage"]); }

void encode_response(const ChatResponse& response,
                     const RequestContext& context, std::string& out,
                     Losses& losses) {
  Encoder(response, context, out, losses).write();
}

}  // namespace llmproxy::openai_chat
