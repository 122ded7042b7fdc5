// Gemini generateContent: finished answers, both ways, and the pieces that
// the stream shares with them.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/bounded.h"
#include "chat/answer_end.h"
#include "chat/sealed_reasoning.h"
#include "chat/turns.h"
#include "dialects/gemini/tables.h"
#include "json/count.h"
#include "json/zero.h"

namespace llmproxy::gemini {
namespace {

using json::Value;
using json::Writer;

/// Members that describe the call, not the answer: no loss.
constexpr std::array<std::string_view, 4> kBookkeeping = {
    "createTime", "modelStatus", "promptFeedback", "sdkHttpResponse"};
constexpr std::array<std::string_view, 9> kCandidateBookkeeping = {
    "index",       "finishMessage", "safetyRatings",
    "avgLogprobs", "tokenCount",    "finishReason",
    "content",     "role",          "urlContextMetadata"};

/// Why there is a call nobody can read.
constexpr std::array<std::string_view, 3> kBrokenCalls = {
    "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS"};

template <std::size_t N>
bool has(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void read_parts(const Value& candidate, const std::string& id,
                ChatResponse& response, Losses& losses) {
  std::size_t index = 0;
  std::size_t step_begin = 0;
  for (const Value value : candidate["content"]["parts"].children()) {
    const std::string path =
        json::pointer("/candidates/0/content/parts", index++);
    auto parts = read_part(value, path);
    if (!parts) {
      add_loss(losses,
               {path, "a part of a kind that nobody knows", LossKind::dropped});
      continue;
    }
    // Sealed by a proxy like this one between us and the model.
    std::vector<StepThought> step = read_step(value);
    bool ends_step = !step.empty();
    place_step(std::move(step), {}, step_begin, response.content);
    for (ContentPart& part : *parts) {
      if (auto* call = part.as<ToolCallPart>()) {
        ends_step = true;
        if (call->id.empty()) {
          call->id = fmt::format("call_{}_{}", id, response.content.size());
        }
      }
      part.source = {};
      part.extensions.clear();
      response.content.push_back(std::move(part));
    }
    if (ends_step) step_begin = response.content.size();
  }
}

std::optional<std::int64_t> count(const Value& usage, std::string_view name) {
  return json::count_of(usage[name]);
}

/// Writes parts; signatures stand on the parts that Google's servers sign: its
/// own on the part behind them, a step's sealed thinking on the first call or,
/// where nothing is called, on the last text.
class PartsWriter {
 public:
  PartsWriter(Writer& writer, Losses& losses) : w_(writer), losses_(losses) {}

  void write(const std::vector<ContentPart>& content) {
    last_text_ = find_last_text(content);
    for (std::size_t i = 0; i < content.size(); ++i) {
      write(content[i], i, json::pointer("/content", i));
    }
    if (signature_.empty() && seal_.has_signed()) signature_ = seal_.take();
    if (seal_.overflowed()) lose("/content", std::string(kOverflowedSeal));
    if (signature_.empty()) return;
    w_.begin_object();
    w_.member("text", "");
    put_signature();
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

  void write(const ContentPart& part, std::size_t index,
             const std::string& path) {
    if (const auto* thinking = part.as<ThinkingPart>()) return write(*thinking);
    if (const auto* opaque = part.as<OpaquePart>()) {
      if (opaque->dialect == kName) return w_.raw(opaque->json.text());
      return lose(path, fmt::format("Gemini has no {} parts", opaque->type));
    }
    const auto* text = part.as<TextPart>();
    if (text != nullptr && text->text.empty()) return;
    w_.begin_object();
    if (text != nullptr) {
      write_text(*text, path);
      seal_.said_something();
      if (index == last_text_ && seal_.has_signed()) seal();
    } else if (const auto* call = part.as<ToolCallPart>()) {
      if (write_call(*call, w_)) {
        lose(path, "the arguments of the call are no JSON object; wrapped",
             LossKind::approximated);
      }
      seal();
    } else if (const auto* image = part.as<ImagePart>()) {
      w_.key("inlineData");
      w_.begin_object();
      w_.member("mimeType", image->source.media_type);
      w_.member("data", image->source.data);
      w_.end_object();
    } else if (const auto* refusal = part.as<RefusalPart>()) {
      w_.member("text", refusal->text);
      lose(path, "Gemini has no refusal parts; it became text",
           LossKind::approximated);
    } else {
      w_.member("text", "");
      lose(path, "Gemini has no such part in answers");
    }
    put_signature();
    w_.end_object();
  }

  void write(const ThinkingPart& thinking) {
    const bool own = is_own(thinking);
    if (!own) seal_.add(thinking);
    if (thinking.text.empty()) {
      if (own) signature_ = thinking.signature;
      return;
    }
    w_.begin_object();
    w_.member("text", thinking.text);
    w_.member("thought", true);
    if (own) w_.member("thoughtSignature", thinking.signature);
    w_.end_object();
  }

  void lose(std::string path, std::string what,
            LossKind kind = LossKind::dropped) {
    add_loss(losses_, {std::move(path), std::move(what), kind});
  }

  void write_text(const TextPart& text, const std::string& path) {
    w_.member("text", text.text);
    if (!text.citations.empty()) {
      lose(path + "/citations", "Gemini cites beside the text, not in it");
    }
  }

  /// A part has one signature, and Google takes no other for its own.
  void seal() {
    std::string sealed = seal_.take();
    if (signature_.empty()) signature_ = std::move(sealed);
  }

  void put_signature() {
    w_.member_if("thoughtSignature", signature_);
    signature_.clear();
  }

  Writer& w_;
  Losses& losses_;
  StepSeal seal_;
  std::string signature_;  // of the next part
  std::size_t last_text_ = kNone;
};

}  // namespace

bool is_own(const ThinkingPart& thinking) {
  return thinking.issuer == ReasoningIssuer::google &&
         !thinking.signature.empty() && thinking.redacted_data.empty();
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

std::optional<Error> broken_call(const Value& candidate, bool called) {
  const std::string_view reason = candidate["finishReason"].string();
  if (called || !has(kBrokenCalls, reason)) return std::nullopt;
  const std::string_view said = candidate["finishMessage"].string();
  Error error = upstream_malformed(
      said.empty()
          ? fmt::format("the model's tool call is not readable: {}", reason)
          : std::string(said));
  error.code = reason;
  return error;
}

void lose_stop_details(StopReason reason, std::string_view stop_sequence,
                       Losses& losses) {
  if (reason == StopReason::pause) {
    add_loss(losses,
             {"/stop_reason", "the turn was only paused; Gemini says STOP",
              LossKind::approximated});
  } else if (reason == StopReason::context_window) {
    add_loss(losses, {"/stop_reason",
                      "the context window is full; Gemini says MAX_TOKENS",
                      LossKind::approximated});
  }
  if (!stop_sequence.empty()) {
    add_loss(losses, {"/stop_sequence",
                      "Gemini does not say which stop sequence matched",
                      LossKind::dropped});
  }
}

void lose_usage_details(const Usage& usage, Losses& losses) {
  if (usage.cache_write_tokens.value_or(0) == 0) return;
  add_loss(losses, {"/usage/cache_write_tokens",
                    "Gemini does not count what is written to a cache",
                    LossKind::dropped});
}

Result<ChatResponse> decode_response(const Value& body, Losses& losses) {
  if (!json::says_nothing(body["error"])) return read_error(body["error"], 0);
  const Value candidates = body["candidates"];
  const Value feedback = body["promptFeedback"];
  if (!candidates.is_array() && !feedback.is_object()) {
    return upstream_malformed("the upstream's answer has no candidates");
  }
  json::ObjectReader reader(body, "");
  ChatResponse response;
  response.dialect = std::string(kName);
  response.id = std::string(reader.take("responseId").string());
  response.model = std::string(reader.take("modelVersion").string());
  response.usage = read_usage(reader.take("usageMetadata"));
  reader.take("candidates");
  std::size_t index = 0;
  Value candidate;
  for (const Value one : candidates.children()) {
    if (index++ == 0) candidate = one;
  }
  if (index > 1) {
    add_loss(losses,
             {"/candidates/1", "only the first of several candidates crosses",
              LossKind::dropped});
  }
  read_parts(candidate, response.id, response, losses);
  const bool called = std::any_of(
      response.content.begin(), response.content.end(),
      [](const ContentPart& part) { return part.as<ToolCallPart>(); });
  if (auto error = broken_call(candidate, called)) return *std::move(error);
  response.stop_reason_text = std::string(candidate["finishReason"].string());
  response.stop_reason = stop_reason(response.stop_reason_text);
  if (!candidate) {
    response.stop_reason = StopReason::refusal;
    response.stop_reason_text = std::string(feedback["blockReason"].string());
    response.refusal_explanation = block_explanation(feedback);
  }
  for (const Value member : candidate.children()) {
    if (has(kCandidateBookkeeping, member.key()) || member.is_null()) continue;
    response.extensions.push_back(
        {fmt::format("candidates/0/{}", member.key()), member.raw_json()});
  }
  for (Extension& extension : reader.rest()) {
    if (!has(kBookkeeping, extension.name)) {
      response.extensions.push_back(std::move(extension));
    }
  }
  settle_answer(response, losses);
  return response;
}

void encode_response(const ChatResponse& response, const RequestContext&,
                     std::string& out, Losses& losses) {
  const bool same_dialect =
      response.dialect.empty() || response.dialect == kName;
  Writer w(out);
  w.begin_object();
  w.key("candidates");
  w.begin_array();
  w.begin_object();
  w.key("content");
  w.begin_object();
  w.member("role", "model");
  std::string parts;
  Writer list(parts);
  list.begin_array();
  PartsWriter(list, losses).write(response.content);
  if (!response.refusal_explanation.empty()) {
    list.begin_object();
    list.member("text", response.refusal_explanation);
    list.end_object();
  }
  list.end_array();
  w.member_raw("parts", parts == "[]" ? R"([{"text":""}])" : parts);
  w.end_object();
  w.member("finishReason", to_wire(kStopReasons, response.stop_reason));
  w.member("index", std::int64_t{0});
  if (same_dialect) {
    constexpr std::string_view kPrefix = "candidates/0/";
    for (const Extension& extension : response.extensions) {
      if (!extension.name.starts_with(kPrefix)) continue;
      w.member(extension.name.substr(kPrefix.size()), extension.value);
    }
  }
  w.end_object();
  w.end_array();
  lose_stop_details(response.stop_reason, response.stop_sequence, losses);
  lose_usage_details(response.usage, losses);
  w.key("usageMetadata");
  write_usage(response.usage, w);
  w.member("modelVersion", response.model);
  w.member("responseId", response.id);
  if (!response.service_tier.empty()) {
    add_loss(losses, {"/service_tier", "Gemini does not say which tier it was",
                      LossKind::dropped});
  }
  if (same_dialect) {
    for (const Extension& extension : response.extensions) {
      if (extension.name.find('/') == std::string::npos) {
        w.member(extension.name, extension.value);
      }
    }
  } else {
    lose_extensions(response.extensions, "", "Gemini", losses);
  }
  w.end_object();
}

}  // namespace llmproxy::gemini
