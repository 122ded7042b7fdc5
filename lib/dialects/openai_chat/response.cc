// OpenAI Chat Completions: finished answers, both ways, and the pieces that
// the stream shares with them.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/bounded.h"
#include "chat/answer_end.h"
#include "chat/turns.h"
#include "dialects/openai_chat/call_signatures.h"
#include "dialects/openai_chat/tables.h"
#include "json/count.h"
#include "json/zero.h"

namespace llmproxy::openai_chat {
namespace {

using json::Value;
using json::Writer;

/// One count, its place in usage, and its member.
struct UsageField {
  std::string_view object;  ///< "" = directly in usage
  std::string_view name;
  std::optional<std::int64_t> Usage::*member;
};
constexpr std::string_view kInputDetails = "prompt_tokens_details";
constexpr std::string_view kOutputDetails = "completion_tokens_details";
constexpr std::array kUsageFields = {
    UsageField{"", "prompt_tokens", &Usage::input_tokens},
    UsageField{"", "completion_tokens", &Usage::output_tokens},
    UsageField{kInputDetails, "cached_tokens", &Usage::cached_input_tokens},
    UsageField{kInputDetails, "cache_write_tokens", &Usage::cache_write_tokens},
    UsageField{kInputDetails, "audio_tokens", &Usage::input_audio_tokens},
    UsageField{kOutputDetails, "reasoning_tokens", &Usage::reasoning_tokens},
    UsageField{kOutputDetails, "audio_tokens", &Usage::output_audio_tokens},
};

/// Fields of an answer that describe the call, not the answer: no loss.
constexpr std::array<std::string_view, 5> kBookkeeping = {
    "object", "system_fingerprint", "metadata", "obfuscation", "error"};

void write_details(const Usage& usage, std::string_view object,
                   Writer& writer) {
  bool any = false;
  for (const UsageField& field : kUsageFields) {
    if (field.object != object || !(usage.*field.member)) continue;
    if (!any) {
      writer.key(object);
      writer.begin_object();
      any = true;
    }
    writer.member(field.name, *(usage.*field.member));
  }
  if (any) writer.end_object();
}

void add_text(ChatResponse& response, std::string_view text) {
  if (text.empty()) return;
  response.content.push_back({TextPart{std::string(text), {}}, {}, {}});
}

/// `content`: text, or (Mistral, Databricks) an array of typed parts.
void read_content(Value content, ChatResponse& response) {
  add_text(response, content.string());
  for (const Value part : content.children()) {
    const std::string_view type = part["type"].string();
    if (type == "text") {
      add_text(response, part["text"].string());
    } else if (!part["refusal"].string().empty()) {
      response.content.push_back(
          {RefusalPart{std::string(part["refusal"].string())}, {}, {}});
    }
  }
}

/// Calls without an id get one of this answer alone, so that ids of later
/// turns differ.
void read_tool_calls(Value message, ChatResponse& response, Losses& losses) {
  const std::string& id = response.id;
  std::size_t index = 0;
  for (const Value value : message["tool_calls"].children()) {
    ToolCallPart call;
    call.custom = value["type"].string() == "custom";
    const Value body = value[call.custom ? "custom" : "function"];
    call.id = std::string(value["id"].string());
    if (call.id.empty()) call.id = fmt::format("call_{}_{}", id, index);
    call.name = std::string(body["name"].string());
    call.arguments =
        std::string(body[call.custom ? "input" : "arguments"].string());
    // Some servers send the arguments as the object itself.
    if (body["arguments"].is_object()) {
      call.arguments = std::string(body["arguments"].raw());
    }
    if (call.name.empty()) {
      add_loss(losses, {json::pointer("/choices/0/message/tool_calls", index++),
                        std::string(kNamelessCall), LossKind::dropped});
      continue;
    }
    ++index;
    if (auto signature = read_call_signature(value)) {
      response.content.push_back({*std::move(signature), {}, {}});
    }
    response.content.push_back({std::move(call), {}, {}});
  }
  const Value legacy = message["function_call"];
  if (!legacy["name"].string().empty()) {
    response.content.push_back(
        {ToolCallPart{"call_function_0", std::string(legacy["name"].string()),
                      std::string(legacy["arguments"].string()), false},
         {},
         {}});
  }
}

/// What stood in the answer and has no canonical member.
void keep_the_rest(const json::ObjectReader& body, Value choice,
                   ChatResponse& response) {
  for (Extension& extension : body.rest()) {
    const bool bookkeeping = std::find(kBookkeeping.begin(), kBookkeeping.end(),
                                       extension.name) != kBookkeeping.end();
    if (!bookkeeping) response.extensions.push_back(std::move(extension));
  }
  if (!json::says_nothing(choice["logprobs"])) {
    response.extensions.push_back({"logprobs", choice["logprobs"].raw_json()});
  }
}

struct Call {
  const ToolCallPart* part;
  std::string_view signature;
};

struct Parts {
  std::string text;
  std::string reasoning;
  std::string refusal;
  std::vector<Call> calls;
};

Parts sort_parts(const ChatResponse& response, bool legacy, Losses& losses) {
  Parts parts;
  for (std::size_t i = 0; i < response.content.size(); ++i) {
    const ContentPart& part = response.content[i];
    const std::string path = json::pointer("/content", i);
    if (const auto* text = part.as<TextPart>()) {
      parts.text += text->text;
      if (!text->citations.empty()) {
        add_loss(losses,
                 {path + "/citations", "OpenAI Chat has no such citations",
                  LossKind::dropped});
      }
    } else if (const auto* call = part.as<ToolCallPart>()) {
      parts.calls.push_back({call, call_signature(response.content, i)});
    } else if (const auto* refusal = part.as<RefusalPart>()) {
      parts.refusal += refusal->text;
    } else if (signs_a_call(response.content, i) && !legacy) {
      continue;
    } else if (const auto* thinking = part.as<ThinkingPart>()) {
      parts.reasoning += thinking->text;
      if (!thinking->redacted_data.empty()) {
        add_loss(losses, {path, "OpenAI Chat has no encrypted thinking",
                          LossKind::dropped});
      } else if (!thinking->signature.empty()) {
        add_loss(losses, {path + "/signature",
                          "OpenAI Chat has no field for a signature",
                          LossKind::dropped});
      }
    } else if (const auto* opaque = part.as<OpaquePart>()) {
      add_loss(losses,
               {path, fmt::format("OpenAI Chat has no {} parts", opaque->type),
                LossKind::dropped});
    } else if (part.as<ImagePart>()) {
      add_loss(losses,
               {path, "OpenAI Chat has no image answers", LossKind::dropped});
    }
  }
  return parts;
}

void write_tool_calls(const std::vector<Call>& calls, bool legacy, Writer& w) {
  if (calls.empty()) return;
  if (legacy) {
    const ToolCallPart& first = *calls[0].part;
    w.key("function_call");
    w.begin_object();
    w.member("name", first.name);
    w.member("arguments", first.arguments.empty()
                              ? "{}"
                              : std::string_view(first.arguments));
    w.end_object();
    return;
  }
  w.key("tool_calls");
  w.begin_array();
  for (const auto& [call, signature] : calls) {
    const std::string_view type = call->custom ? "custom" : "function";
    w.begin_object();
    w.member("id", call->id);
    w.member("type", type);
    w.key(type);
    w.begin_object();
    w.member("name", call->name);
    if (call->custom) {
      w.member("input", call->arguments);
    } else {
      w.member("arguments", call->arguments.empty()
                                ? "{}"
                                : std::string_view(call->arguments));
    }
    w.end_object();
    write_call_signature(signature, w);
    w.end_object();
  }
  w.end_array();
}

}  // namespace

std::string_view reasoning_text(const Value& message) {
  const std::string_view text = message["reasoning_content"].string();
  return text.empty() ? message["reasoning"].string() : text;
}

Usage read_usage(const Value& usage) {
  Usage out;
  for (const UsageField& field : kUsageFields) {
    const Value object = field.object.empty() ? usage : usage[field.object];
    if (const auto count = json::count_of(object[field.name])) {
      out.*field.member = *count;
    }
  }
  // DeepSeek's own spelling of the cached part.
  if (!out.cached_input_tokens) {
    out.cached_input_tokens = json::count_of(usage["prompt_cache_hit_tokens"]);
  }
  // xAI counts reasoning beside the completion, not in it; its total tells.
  const auto total = json::count_of(usage["total_tokens"]);
  if (total && out.input_tokens && out.output_tokens && out.reasoning_tokens &&
      *out.reasoning_tokens > 0 &&
      *total ==
          *out.input_tokens + *out.output_tokens + *out.reasoning_tokens) {
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
  write_details(usage, kInputDetails, writer);
  write_details(usage, kOutputDetails, writer);
  writer.end_object();
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

StopReason stop_reason(std::string_view finish_reason) {
  return from_wire(kStopReasons, finish_reason).value_or(StopReason::other);
}

void lose_stop_details(StopReason reason, std::string_view stop_sequence,
                       Losses& losses) {
  struct Row {
    StopReason reason;
    std::string_view what;
  };
  constexpr std::array kRows = {
      Row{StopReason::pause, "the turn was only paused; OpenAI Chat says stop"},
      Row{StopReason::context_window,
          "the context window is full; OpenAI Chat says length"},
  };
  for (const Row& row : kRows) {
    if (row.reason != reason) continue;
    add_loss(losses,
             {"/stop_reason", std::string(row.what), LossKind::approximated});
  }
  if (!stop_sequence.empty()) {
    add_loss(losses, {"/stop_sequence",
                      "OpenAI Chat does not say which stop sequence matched",
                      LossKind::dropped});
  }
}

std::string completion_id(std::string_view id) {
  constexpr std::string_view kPrefix = "chatcmpl-";
  constexpr std::string_view kOther = "msg_";
  if (id.substr(0, kPrefix.size()) == kPrefix) return std::string(id);
  if (id.substr(0, kOther.size()) == kOther) id.remove_prefix(kOther.size());
  return fmt::format("{}{}", kPrefix, id);
}

Result<ChatResponse> decode_response(const Value& body, Losses& losses) {
  if (!json::says_nothing(body["error"])) return read_error(body["error"], 0);
  const Value choice = *body["choices"].children().begin();
  if (body["choices"].size() == 0 || !choice["message"].is_object()) {
    return upstream_malformed(
        "the upstream's answer has no choices[0].message");
  }
  const Value message = choice["message"];
  json::ObjectReader reader(body, "");
  ChatResponse response;
  response.dialect = std::string(kName);
  response.id = std::string(reader.take("id").string());
  response.model = std::string(reader.take("model").string());
  response.created = reader.take("created").integer().value_or(0);
  response.service_tier = std::string(reader.take("service_tier").string());
  reader.take("choices");

  const std::string_view reasoning = reasoning_text(message);
  if (!reasoning.empty()) {
    response.content.push_back(
        {ThinkingPart{std::string(reasoning), {}, {}}, {}, {}});
  }
  read_content(message["content"], response);
  if (!response.content.empty()) {
    if (auto* text = response.content.back().as<TextPart>()) {
      for (const Value note : message["annotations"].children()) {
        text->citations.push_back(note.raw_json());
      }
    }
  }
  const std::string_view refusal = message["refusal"].string();
  if (!refusal.empty()) {
    response.content.push_back({RefusalPart{std::string(refusal)}, {}, {}});
  }
  read_tool_calls(message, response, losses);
  if (!json::says_nothing(message["audio"])) {
    // What was said is the text of a spoken answer.
    if (message["content"].string().empty()) {
      add_text(response, message["audio"]["transcript"].string());
    }
    response.content.push_back(
        {OpaquePart{std::string(kName), "audio", message["audio"].raw_json()},
         {},
         {}});
  }
  response.stop_reason_text = std::string(choice["finish_reason"].string());
  response.stop_reason = stop_reason(response.stop_reason_text);
  response.usage = read_usage(reader.take("usage"));
  keep_the_rest(reader, choice, response);
  settle_answer(response, losses);
  if (body["choices"].size() > 1) {
    add_loss(losses,
             {"/choices/1", std::string(kOneChoice), LossKind::dropped});
  }
  return response;
}

void encode_response(const ChatResponse& response,
                     const RequestContext& context, std::string& out,
                     Losses& losses) {
  Parts parts = sort_parts(response, context.legacy_functions, losses);
  if (parts.refusal.empty() && response.stop_reason == StopReason::refusal) {
    parts.refusal = response.refusal_explanation;
  }
  Writer w(out);
  w.begin_object();
  w.member("id", completion_id(response.id));
  w.member("object", "chat.completion");
  w.member("created",
           response.created != 0 ? response.created : context.created);
  w.member("model", response.model);
  w.key("choices");
  w.begin_array();
  w.begin_object();
  w.member("index", std::int64_t{0});
  w.key("message");
  w.begin_object();
  w.member("role", "assistant");
  if (parts.text.empty() && !(parts.calls.empty() && parts.refusal.empty())) {
    w.member_null("content");
  } else {
    w.member("content", parts.text);
  }
  w.member_if("reasoning_content", parts.reasoning);
  if (parts.refusal.empty()) {
    w.member_null("refusal");
  } else {
    w.member("refusal", parts.refusal);
  }
  write_tool_calls(parts.calls, context.legacy_functions, w);
  w.end_object();
  const bool same_dialect = response.dialect == kName;
  Extensions extensions = response.extensions;
  w.key("logprobs");
  const auto logprobs =
      std::find_if(extensions.begin(), extensions.end(),
                   [](const Extension& e) { return e.name == "logprobs"; });
  if (same_dialect && logprobs != extensions.end()) {
    w.raw(logprobs->value.text());
    extensions.erase(logprobs);
  } else {
    w.null();
  }
  lose_stop_details(response.stop_reason, response.stop_sequence, losses);
  const bool said_in_words = response.stop_reason == StopReason::refusal &&
                             response.refusal_explanation.empty() &&
                             !parts.refusal.empty();
  w.member("finish_reason", finish_reason(response.stop_reason, said_in_words,
                                          context.legacy_functions));
  w.end_object();
  w.end_array();
  w.key("usage");
  write_usage(response.usage, w);
  w.member_if("service_tier", response.service_tier);
  if (same_dialect) {
    w.extensions(extensions);
  } else {
    lose_extensions(extensions, "", "OpenAI Chat", losses);
  }
  w.end_object();
}

}  // namespace llmproxy::openai_chat
