// OpenAI Responses: finished answers, both ways, and the pieces that the
// stream shares with them.
#include <fmt/format.h>

#include <array>

#include "base/text.h"
#include "chat/answer_reader.h"
#include "chat/answer_writer.h"
#include "chat/parse_answer.h"
#include "chat/read_parts.h"
#include "chat/tier_words.h"
#include "dialects/openai_responses/messages.h"
#include "json/count.h"
#include "json/zero.h"

namespace llmproxy::openai_responses {
namespace {

using json::Value;
using json::Writer;

/// Members that are read, or describe the call and not the answer: no loss.
constexpr std::string_view kKnown[] = {"id",
                                       "model",
                                       "created_at",
                                       "service_tier",
                                       "output",
                                       "incomplete_details",
                                       "status",
                                       "usage",
                                       "object",
                                       "error",
                                       "background",
                                       "completed_at",
                                       "billing",
                                       "tool_usage",
                                       "output_text",
                                       "conversation",
                                       "prompt_cache_retention"};

/// Statuses of what is no answer yet, or never will be.
constexpr std::array<std::string_view, 4> kUnfinished = {
    "queued", "in_progress", "cancelled", "failed"};

class Decoder final : public AnswerReader {
 public:
  Decoder(const Value& body, Losses& losses)
      : AnswerReader(kName, body, losses) {}

  ChatResponse read() {
    read_id();
    read_content();
    read_stop_reason();
    response_.usage = read_usage(reader_.take("usage"));
    read_extensions();
    return settled();
  }

 private:
  void read_id() {
    response_.id = reader_.take("id").string();
    response_.model = reader_.take("model").string();
    response_.created = reader_.take("created_at").integer().value_or(0);
    response_.service_tier = tier_of(reader_.object());
  }

  void read_content() {
    for (const Value item : reader_.take("output").children()) {
      read_output_item(item, response_.content);
    }
    complete_calls(response_);
  }

  void read_stop_reason() {
    response_.stop_reason = stop_reason(reader_.object());
    response_.stop_reason_text = stop_word(reader_.object());
  }

  void read_extensions() { response_.extensions = others_of(reader_.object()); }
};

void write_stop_reason(const Answer& answer, Writer& w) {
  if (answer.status != "incomplete") {
    return w.member_null("incomplete_details");
  }
  w.object("incomplete_details", "reason",
           to_wire(kIncomplete, answer.stop_reason));
}

void write_usage(const Usage* usage, Writer& w) {
  if (usage == nullptr) return w.member_null("usage");
  const std::int64_t input = usage->input_tokens.value_or(0);
  const std::int64_t output = usage->output_tokens.value_or(0);
  w.begin_object("usage");
  w.member("input_tokens", input);
  w.begin_object("input_tokens_details");
  w.member("cached_tokens", usage->cached_input_tokens.value_or(0));
  w.member("cache_write_tokens", usage->cache_write_tokens.value_or(0));
  w.end_object();
  w.member("output_tokens", output);
  w.object("output_tokens_details", "reasoning_tokens",
           usage->reasoning_tokens.value_or(0));
  w.member("total_tokens", input + output);
  w.end_object();
}

/// The items are written first: what they say decides the status.
class Encoder final : public AnswerWriter {
 public:
  Encoder(const ChatResponse& response, const RequestContext& context,
          Losses& losses)
      : AnswerWriter(response, kTarget, losses), context_(context) {
    answer_.id = response_id(context, response.id);
    answer_.model = response.model;
    answer_.created = response.created;
    answer_.service_tier = response.service_tier;
    answer_.usage = &response.usage;
  }

  void write(std::string& out) {
    write_content();
    answer_.finish(response_.stop_reason, response_.stop_sequence, refused_,
                   losses_);
    write_extensions();
    Writer w(out);
    write_answer(answer_, context_, w);
  }

 private:
  void write_content() {
    write_parts();
    explain_refusal();
  }

  void write_text(const TextPart& text, const std::string& path) override {
    if (!text.citations.empty() && !is_of(kName)) {
      lose(path + "/citations", "citations of other APIs");
    }
    if (text.text.empty()) return;
    add_part();
  }

  void write_image(const ImagePart&, const std::string&) override {
    add_part();
  }

  void write_tool_call(const ToolCallPart&, const std::string&) override {
    add_part();
  }

  void write_thinking(const ThinkingPart&, const std::string&) override {
    add_part();
  }

  void write_refusal(const RefusalPart&, const std::string&) override {
    refused_ = true;
    add_part();
  }

  void write_opaque(const OpaquePart& opaque,
                    const std::string& path) override {
    if (opaque.dialect != kName) {
      return AnswerWriter::write_opaque(opaque, path);
    }
    answer_.begin_item();
    answer_.output += opaque.json.text();
  }

  /// What explains a refusal is the text of the refusal here.
  void explain_refusal() {
    if (refused_ || response_.stop_reason != StopReason::refusal ||
        response_.refusal_explanation.empty()) {
      return;
    }
    add_item(RefusalPart{response_.refusal_explanation},
             response_.content.size());
    refused_ = true;
  }

  void add_part() { add_item(response_.content[index()], index()); }

  void add_item(const ContentPart& part, std::size_t index) {
    answer_.begin_item();
    Writer item(answer_.output);
    write_item({part, id_of(part, index), "completed", is_of(kName)}, context_,
               item);
  }

  std::string id_of(const ContentPart& part, std::size_t index) const {
    const auto* thinking = part.as<ThinkingPart>();
    const bool own = thinking != nullptr && !thinking->id.empty() &&
                     thinking->issuer == ReasoningIssuer::openai;
    return own ? thinking->id : item_id(part, answer_.id, index);
  }

  void write_extensions() {
    if (!is_of(kName)) return lose_all_extensions();
    answer_.extensions = &response_.extensions;
  }

  const RequestContext& context_;
  Answer answer_;
  bool refused_ = false;
};

}  // namespace

Extensions others_of(const Value& response) {
  Extensions out;
  keep_others(response, kKnown, out);
  std::erase_if(out, [](const Extension& extension) {
    return is_echoed(extension.name);
  });
  return out;
}

std::string_view stop_word(const Value& response) {
  const std::string_view why =
      response["incomplete_details"]["reason"].string();
  return why.empty() ? response["status"].string() : why;
}

std::string_view tier_of(const Value& response) {
  return canonical_tier(kUsedTiers, response["service_tier"].string());
}

StopReason stop_reason(const Value& response) {
  if (response["status"].string() != "incomplete") return StopReason::end_turn;
  return from_wire(kIncomplete, stop_word(response))
      .value_or(StopReason::other);
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

std::string response_id(const RequestContext& context, std::string_view id) {
  constexpr std::string_view kPrefix = "resp_";
  if (context.answer_id.starts_with(kPrefix)) return context.answer_id;
  return id_with(kPrefix, {"msg_", "chatcmpl-", "req_"}, id);
}

std::size_t Answer::begin_item() {
  if (!output.empty()) output += ',';
  return output.size();
}

void Answer::finish(StopReason reason, std::string_view stop_sequence,
                    bool refused_in_words, Losses& losses) {
  constexpr StopWords kWords = {kTarget, "status is completed",
                                "the reason is max_output_tokens"};
  const bool complete = to_wire(kIncomplete, reason).empty() ||
                        (reason == StopReason::refusal && refused_in_words);
  status = complete ? "completed" : "incomplete";
  stop_reason = reason;
  lose_stop(kWords, reason, stop_sequence, losses);
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
  const bool completed = answer.status == "completed";
  w.member_or_null("completed_at",
                   completed ? std::optional(created) : std::nullopt);
  w.member("background", false);
  write_response_error(answer.error, w);
  write_stop_reason(answer, w);
  w.member("model", answer.model);
  w.begin_array("output");
  if (!answer.output.empty()) w.raw(answer.output);
  w.end_array();
  write_echo(context, w);
  w.member("service_tier", own_tier(kUsedTiers, answer.service_tier));
  write_usage(answer.usage, w);
  if (answer.extensions != nullptr) w.extensions(*answer.extensions);
  w.end_object();
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
  return Decoder(body, losses).read();
}

Usage read_answer_usage(const Value& body) { return read_usage(body["usage"]); }

void encode_response(const ChatResponse& response,
                     const RequestContext& context, std::string& out,
                     Losses& losses) {
  Encoder(response, context, losses).write(out);
}

}  // namespace llmproxy::openai_responses
