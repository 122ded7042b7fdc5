// OpenAI Responses: finished answers, both ways, and the pieces that the
// stream shares with them.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/bounded.h"
#include "chat/answer_end.h"
#include "chat/media.h"
#include "chat/parse_answer.h"
#include "chat/sealed_reasoning.h"
#include "chat/turns.h"
#include "dialects/openai_responses/messages.h"
#include "json/count.h"
#include "json/zero.h"

namespace llmproxy::openai_responses {
namespace {

using json::Value;
using json::Writer;

/// Members of a request that answers repeat, and what stands there when the
/// client said nothing: SDKs take them for required.
struct EchoRow {
  std::string_view name;
  std::string_view fallback;
};
constexpr std::array kEcho = {
    EchoRow{"instructions", "null"},
    EchoRow{"max_output_tokens", "null"},
    EchoRow{"max_tool_calls", "null"},
    EchoRow{"metadata", "{}"},
    EchoRow{"parallel_tool_calls", "true"},
    EchoRow{"previous_response_id", "null"},
    EchoRow{"prompt_cache_key", ""},
    EchoRow{"reasoning", R"({"effort":null,"summary":null})"},
    EchoRow{"safety_identifier", ""},
    EchoRow{"store", "true"},
    EchoRow{"temperature", "1"},
    EchoRow{"text", R"({"format":{"type":"text"}})"},
    EchoRow{"tool_choice", R"("auto")"},
    EchoRow{"tools", "[]"},
    EchoRow{"top_logprobs", "0"},
    EchoRow{"top_p", "1"},
    EchoRow{"truncation", R"("disabled")"},
    EchoRow{"user", "null"},
};

/// What is longer is not repeated: a stream says it three times, and it is
/// kept until then. Bytes.
constexpr std::size_t kLongestEcho = std::size_t{256} << 10;

/// Members that describe the call, not the answer: no loss.
constexpr std::array<std::string_view, 9> kBookkeeping = {
    "object",       "error",        "background",
    "completed_at", "billing",      "tool_usage",
    "output_text",  "conversation", "prompt_cache_retention"};

/// Statuses of what is no answer yet, or never will be.
constexpr std::array<std::string_view, 4> kUnfinished = {
    "queued", "in_progress", "cancelled", "failed"};

template <class Rows>
bool listed(const Rows& rows, std::string_view name) {
  return std::any_of(rows.begin(), rows.end(), [&](const auto& row) {
    if constexpr (requires { row.name; }) {
      return row.name == name;
    } else {
      return row == name;
    }
  });
}

/// How a stop is told: the status, and why it is incomplete.
struct StopRow {
  StopReason reason;
  std::string_view status;
  std::string_view incomplete;
};
constexpr std::array kStops = {
    StopRow{StopReason::end_turn, "completed", ""},
    StopRow{StopReason::tool_use, "completed", ""},
    StopRow{StopReason::stop_sequence, "completed", ""},
    StopRow{StopReason::pause, "completed", ""},
    StopRow{StopReason::other, "completed", ""},
    StopRow{StopReason::max_tokens, "incomplete", "max_output_tokens"},
    StopRow{StopReason::context_window, "incomplete", "max_output_tokens"},
    StopRow{StopReason::refusal, "incomplete", "content_filter"},
};
static_assert(kStops.size() == static_cast<std::size_t>(kLastStopReason) + 1);

const StopRow& stop_row(StopReason reason) {
  return *std::find_if(kStops.begin(), kStops.end(), [&](const StopRow& row) {
    return row.reason == reason;
  });
}

void write_usage(const Usage& usage, Writer& w) {
  const std::int64_t input = usage.input_tokens.value_or(0);
  const std::int64_t output = usage.output_tokens.value_or(0);
  w.begin_object();
  w.member("input_tokens", input);
  w.key("input_tokens_details");
  w.begin_object();
  w.member("cached_tokens", usage.cached_input_tokens.value_or(0));
  w.member("cache_write_tokens", usage.cache_write_tokens.value_or(0));
  w.end_object();
  w.member("output_tokens", output);
  w.key("output_tokens_details");
  w.begin_object();
  w.member("reasoning_tokens", usage.reasoning_tokens.value_or(0));
  w.end_object();
  w.member("total_tokens", input + output);
  w.end_object();
}

void write_error_member(const Error* error, Writer& w) {
  if (error == nullptr) return w.member_null("error");
  std::string body;
  encode_error(*error, body);
  json::Document document;
  const auto root = document.parse(body);
  const Value inner = (*root)["error"];
  w.key("error");
  w.begin_object();
  w.member("code", response_error_code(*error));
  w.member("message", inner["message"].string());
  w.end_object();
}

void write_incomplete(const Answer& answer, Writer& w) {
  const std::string_view why = stop_row(answer.stop_reason).incomplete;
  if (answer.status != "incomplete") {
    return w.member_null("incomplete_details");
  }
  w.key("incomplete_details");
  w.begin_object();
  w.member("reason", why);
  w.end_object();
}

void write_echo(const RequestContext& context, Writer& w) {
  json::Document document;
  const std::string_view echo =
      context.echo.empty() ? std::string_view("{}") : context.echo.text();
  const auto root = document.parse_view(echo);
  for (const EchoRow& row : kEcho) {
    const Value given = root ? (*root)[row.name] : Value();
    const std::string_view text = given.absent() ? row.fallback : given.raw();
    if (!text.empty()) w.member_raw(row.name, text);
  }
}

void read_texts(const Value& item, std::vector<ContentPart>& out) {
  for (const Value piece : item["content"].children()) {
    ContentPart part;
    if (piece["type"].string() == "refusal") {
      part.value = RefusalPart{std::string(piece["refusal"].string())};
    } else {
      TextPart text{std::string(piece["text"].string()), {}};
      for (const Value annotation : piece["annotations"].children()) {
        text.citations.push_back(annotation.raw_json());
      }
      part.value = std::move(text);
    }
    out.push_back(std::move(part));
  }
}

std::string joined(const Value& texts) {
  std::string out;
  for (const Value piece : texts.children()) {
    if (!out.empty()) out += "\n\n";
    out += piece["text"].string();
  }
  return out;
}

ThinkingPart read_reasoning(const Value& item) {
  ThinkingPart thinking;
  thinking.signature = item["encrypted_content"].string();
  if (!thinking.signature.empty()) thinking.issuer = ReasoningIssuer::openai;
  thinking.id = item["id"].string();
  if (auto foreign = unseal(thinking.signature)) thinking = *std::move(foreign);
  const Value summary = item["summary"];
  thinking.text = joined(summary.size() > 0 ? summary : item["content"]);
  return thinking;
}

void write_text(std::string_view type, std::string_view member,
                std::string_view text, Writer& w) {
  w.begin_object();
  w.member("type", type);
  w.member(member, text);
}

void write_message(const ContentPart& part, Writer& w) {
  w.member("role", "assistant");
  w.key("content");
  w.begin_array();
  const auto* text = part.as<TextPart>();
  const auto* refusal = part.as<RefusalPart>();
  if (text != nullptr && !text->text.empty()) {
    write_text("output_text", "text", text->text, w);
    w.key("annotations");
    w.begin_array();
    for (const RawJson& citation : text->citations) w.raw(citation.text());
    w.end_array();
    w.key("logprobs");
    w.begin_array();
    w.end_array();
    w.end_object();
  } else if (refusal != nullptr && !refusal->text.empty()) {
    write_text("refusal", "refusal", refusal->text, w);
    w.end_object();
  }
  w.end_array();
}

void write_thinking(const ThinkingPart& thinking, Writer& w) {
  w.key("summary");
  w.begin_array();
  if (!thinking.text.empty()) {
    write_text("summary_text", "text", thinking.text, w);
    w.end_object();
  }
  w.end_array();
  const bool ours = thinking.issuer == ReasoningIssuer::openai &&
                    thinking.redacted_data.empty();
  if (ours) {
    w.member_if("encrypted_content", thinking.signature);
  } else if (!thinking.signature.empty() || !thinking.redacted_data.empty()) {
    w.member("encrypted_content", seal(thinking));
  }
}

void write_call(const ToolCallPart& call, const RequestContext& context,
                Writer& w) {
  w.member("call_id", call.id);
  std::string_view name = call.name;
  for (const RequestContext::NamespacedTool& tool : context.namespaced_tools) {
    if (tool.full != call.name) continue;
    w.member("namespace", tool.name_space);
    name = tool.name;
  }
  w.member("name", name);
  w.member(call.custom ? "input" : "arguments", call.arguments);
}

/// Kinds of parts, their items, and what the ids of those begin with.
struct ItemKind {
  std::string_view type;
  std::string_view prefix;
};
ItemKind kind_of(const ContentPart& part) {
  if (part.as<TextPart>() || part.as<RefusalPart>()) return {"message", "msg"};
  if (part.as<ThinkingPart>()) return {"reasoning", "rs"};
  if (part.as<ImagePart>()) return {"image_generation_call", "ig"};
  if (const auto* call = part.as<ToolCallPart>()) {
    return call->custom ? ItemKind{"custom_tool_call", "ctc"}
                        : ItemKind{"function_call", "fc"};
  }
  return {"", ""};
}

}  // namespace

RawJson echo(const Value& body) {
  std::string out;
  Writer w(out);
  w.begin_object();
  for (const EchoRow& row : kEcho) {
    const Value value = body[row.name];
    if (value.absent() || value.raw().size() > kLongestEcho) continue;
    w.member_raw(row.name, value.raw());
  }
  w.end_object();
  return json::Trusted::json(std::move(out));
}

Usage read_usage(const Value& usage) {
  Usage out;
  out.input_tokens = json::count_of(usage["input_tokens"]);
  out.output_tokens = json::count_of(usage["output_tokens"]);
  const Value input = usage["input_tokens_details"];
  out.cached_input_tokens = json::count_of(input["cached_tokens"]);
  out.cache_write_tokens = json::count_of(input["cache_write_tokens"]);
  out.reasoning_tokens =
      json::count_of(usage["output_tokens_details"]["reasoning_tokens"]);
  return out;
}

StopReason stop_reason(const Value& response) {
  if (response["status"].string() != "incomplete") return StopReason::end_turn;
  const std::string_view why =
      response["incomplete_details"]["reason"].string();
  if (why == "max_output_tokens") return StopReason::max_tokens;
  return why == "content_filter" ? StopReason::refusal : StopReason::other;
}

std::string response_id(const RequestContext& context, std::string_view id) {
  constexpr std::string_view kPrefix = "resp_";
  if (context.answer_id.starts_with(kPrefix)) return context.answer_id;
  if (id.starts_with(kPrefix)) return std::string(id);
  for (const std::string_view other : {"msg_", "chatcmpl-", "req_"}) {
    if (!id.starts_with(other)) continue;
    id.remove_prefix(other.size());
    break;
  }
  return fmt::format("{}{}", kPrefix, id);
}

std::string item_id(std::string_view kind, std::string_view answer_id,
                    std::size_t index) {
  constexpr std::string_view kPrefix = "resp_";
  if (answer_id.starts_with(kPrefix)) answer_id.remove_prefix(kPrefix.size());
  return fmt::format("{}_{}_{}", kind, answer_id, index);
}

std::string_view item_kind(const ContentPart& part) {
  return kind_of(part).prefix;
}

void write_item(const Item& item, const RequestContext& context, Writer& w) {
  w.begin_object();
  w.member("id", item.id);
  w.member("type", kind_of(item.part).type);
  const auto* thinking = item.part.as<ThinkingPart>();
  if (thinking == nullptr) w.member("status", item.status);
  if (thinking != nullptr) {
    write_thinking(*thinking, w);
  } else if (const auto* call = item.part.as<ToolCallPart>()) {
    write_call(*call, context, w);
  } else if (const auto* image = item.part.as<ImagePart>()) {
    w.member("result", image->source.data);
    const std::string_view type = image->source.media_type;
    w.member("output_format", type.substr(type.find('/') + 1));
  } else {
    write_message(item.part, w);
  }
  w.end_object();
}

void lose_part(const ContentPart& part, const std::string& path,
               Losses& losses) {
  if (const auto* opaque = part.as<OpaquePart>()) {
    add_loss(
        losses,
        {path, fmt::format("OpenAI Responses has no {} parts", opaque->type),
         LossKind::dropped});
  } else if (item_kind(part).empty()) {
    add_loss(losses, {path, "OpenAI Responses has no such part in answers",
                      LossKind::dropped});
  }
}

void write_answer(const Answer& answer, const RequestContext& context,
                  Writer& w) {
  const std::int64_t created =
      answer.created != 0 ? answer.created : context.created;
  w.begin_object();
  w.member("id", answer.id);
  w.member("object", "response");
  w.member("created_at", created);
  w.member("status", answer.status);
  if (answer.status == "completed") w.member("completed_at", created);
  w.member("background", false);
  write_error_member(answer.error, w);
  write_incomplete(answer, w);
  w.member("model", answer.model);
  w.key("output");
  w.begin_array();
  if (!answer.output.empty()) w.raw(answer.output);
  w.end_array();
  write_echo(context, w);
  w.member_if("service_tier", answer.service_tier);
  w.key("usage");
  if (answer.usage == nullptr) {
    w.null();
  } else {
    write_usage(*answer.usage, w);
  }
  if (answer.extensions != nullptr) w.extensions(*answer.extensions);
  w.end_object();
}

std::string call_id(const Value& item) {
  const std::string_view id = item["call_id"].string();
  return std::string(id.empty() ? item["id"].string() : id);
}

void read_output_item(const Value& item, std::vector<ContentPart>& out) {
  const std::string_view type = item["type"].string();
  if (type == "message") return read_texts(item, out);
  ContentPart part;
  if (type == "reasoning") {
    part.value = read_reasoning(item);
  } else if (type == "function_call" || type == "custom_tool_call") {
    const bool custom = type == "custom_tool_call";
    part.value = ToolCallPart{
        call_id(item),
        full_tool_name(item["namespace"].string(), item["name"].string()),
        std::string(item[custom ? "input" : "arguments"].string()), custom};
  } else if (type == "image_generation_call" && item["result"].is_string()) {
    const std::string_view format = item["output_format"].string();
    part.value =
        ImagePart{{MediaKind::base64, std::string(item["result"].string()),
                   fmt::format("image/{}", format.empty() ? "png" : format)},
                  {}};
  } else {
    part.value =
        OpaquePart{std::string(kName), std::string(type), item.raw_json()};
  }
  out.push_back(std::move(part));
}

std::string_view stop_status(StopReason reason, bool refused_in_words) {
  if (reason == StopReason::refusal && refused_in_words) return "completed";
  return stop_row(reason).status;
}

void lose_stop_details(StopReason reason, std::string_view stop_sequence,
                       Losses& losses) {
  if (reason == StopReason::pause) {
    add_loss(losses, {"/stop_reason",
                      "the turn was only paused; OpenAI Responses says "
                      "completed",
                      LossKind::approximated});
  } else if (reason == StopReason::context_window) {
    add_loss(losses, {"/stop_reason",
                      "the context window is full; OpenAI Responses says "
                      "max_output_tokens",
                      LossKind::approximated});
  }
  if (!stop_sequence.empty()) {
    add_loss(losses,
             {"/stop_sequence",
              "OpenAI Responses does not say which stop sequence matched",
              LossKind::dropped});
  }
}

Result<ChatResponse> decode_response(const Value& body, Losses& losses) {
  if (!json::says_nothing(body["error"])) return read_error(body["error"], 0);
  if (const std::string_view said = body["status"].string();
      listed(kUnfinished, said)) {
    return upstream_malformed(
        fmt::format("the upstream's answer is not finished: it is {}", said));
  }
  if (!body["output"].is_array()) {
    return upstream_malformed("the upstream's answer has no output array");
  }
  json::ObjectReader reader(body, "");
  ChatResponse response;
  response.dialect = std::string(kName);
  response.id = std::string(reader.take("id").string());
  response.model = std::string(reader.take("model").string());
  response.created = reader.take("created_at").integer().value_or(0);
  for (const Value item : reader.take("output").children()) {
    read_output_item(item, response.content);
  }
  complete_calls(response);
  const Value details = reader.take("incomplete_details");
  const std::string_view why = details["reason"].string();
  const std::string_view status = reader.take("status").string();
  response.stop_reason = stop_reason(body);
  response.stop_reason_text = std::string(why.empty() ? status : why);
  response.usage = read_usage(reader.take("usage"));
  response.service_tier = std::string(reader.take("service_tier").string());
  for (Extension& extension : reader.rest()) {
    if (!listed(kBookkeeping, extension.name) &&
        !listed(kEcho, extension.name)) {
      response.extensions.push_back(std::move(extension));
    }
  }
  settle_answer(response, losses);
  return response;
}

void encode_response(const ChatResponse& response,
                     const RequestContext& context, std::string& out,
                     Losses& losses) {
  const bool same_dialect =
      response.dialect.empty() || response.dialect == kName;
  Answer answer;
  answer.id = response_id(context, response.id);
  answer.model = response.model;
  answer.created = response.created;
  answer.service_tier = response.service_tier;
  answer.stop_reason = response.stop_reason;
  answer.usage = &response.usage;
  bool refused = false;
  for (std::size_t i = 0; i < response.content.size(); ++i) {
    ContentPart part = response.content[i];
    const std::string path = json::pointer("/content", i);
    refused = refused || part.as<RefusalPart>() != nullptr;
    auto* text = part.as<TextPart>();
    if (text != nullptr && text->text.empty()) continue;
    if (text != nullptr && !text->citations.empty() && !same_dialect) {
      text->citations.clear();
      add_loss(losses, {path + "/citations",
                        "citations of other APIs have no form here",
                        LossKind::dropped});
    }
    const auto* opaque = part.as<OpaquePart>();
    const bool own = opaque != nullptr && opaque->dialect == kName;
    if (item_kind(part).empty() && !own) {
      lose_part(part, path, losses);
      continue;
    }
    if (!answer.output.empty()) answer.output += ',';
    if (own) {
      answer.output += opaque->json.text();
      continue;
    }
    const auto* thinking = part.as<ThinkingPart>();
    const std::string id = thinking != nullptr && !thinking->id.empty() &&
                                   thinking->issuer == ReasoningIssuer::openai
                               ? thinking->id
                               : item_id(item_kind(part), answer.id, i);
    Writer item(answer.output);
    write_item({part, id, "completed"}, context, item);
  }
  // What explains a refusal is the text of the refusal here.
  if (!refused && response.stop_reason == StopReason::refusal &&
      !response.refusal_explanation.empty()) {
    ContentPart part;
    part.value = RefusalPart{response.refusal_explanation};
    if (!answer.output.empty()) answer.output += ',';
    Writer item(answer.output);
    write_item(
        {part, item_id("msg", answer.id, response.content.size()), "completed"},
        context, item);
    refused = true;
  }
  answer.status = stop_status(response.stop_reason, refused);
  lose_stop_details(response.stop_reason, response.stop_sequence, losses);
  if (same_dialect) answer.extensions = &response.extensions;
  Writer w(out);
  write_answer(answer, context, w);
  if (!same_dialect) {
    lose_extensions(response.extensions, "", "OpenAI Responses", losses);
  }
}

}  // namespace llmproxy::openai_responses
