// OpenAI Responses: the output items of an answer, both ways, for whole
// answers and streams.
#include <fmt/format.h>

#include "chat/read_parts.h"
#include "chat/sealed_reasoning.h"
#include "dialects/openai_responses/messages.h"

namespace llmproxy::openai_responses {
namespace {

using json::Value;
using json::Writer;

/// Members of items that are read; of bookkeeping is what says nothing new.
constexpr std::string_view kItem[] = {
    "id",        "type",      "status",        "role",  "content",
    "summary",   "call_id",   "name",          "input", "encrypted_content",
    "arguments", "namespace", "output_format", "result"};
constexpr std::string_view kPiece[] = {"type", "text", "refusal",
                                       "annotations"};

ContentPart read_piece(const Value& piece) {
  ContentPart part;
  if (piece["type"].string() == "refusal") {
    part.value = RefusalPart{std::string(piece["refusal"].string())};
  } else {
    TextPart text{std::string(piece["text"].string()), {}};
    keep_citations(piece["annotations"], text);
    part.value = std::move(text);
  }
  keep_others(piece, kPiece, part.extensions);
  return part;
}

void read_text(const Value& item, std::vector<ContentPart>& out) {
  const Value content = item["content"];
  for (const Value piece : content.children()) out.push_back(read_piece(piece));
}

/// What else an item says, to its first part.
void keep_item(const Value& item, ContentPart& part) {
  Extensions& others = part.extensions;
  keep_others(item, kItem, others);
  if (calls_directly(item)) {
    std::erase_if(others,
                  [](const Extension& e) { return e.name == "caller"; });
  }
}

ImagePart read_image(const Value& item) {
  const std::string_view format = item["output_format"].string();
  return {{MediaKind::base64, std::string(item["result"].string()),
           fmt::format("image/{}", format.empty() ? "png" : format)},
          {}};
}

/// Between two texts of thinking.
constexpr std::string_view kBetween = "\n\n";

/// The texts of a summary as one.
std::string joined_texts(const Value& texts) {
  std::string out;
  for (const Value piece : texts.children()) {
    if (!out.empty()) out += kBetween;
    out += piece["text"].string();
  }
  return out;
}

}  // namespace

ThinkingPart thinking_of(const Value& item) {
  ThinkingPart thinking;
  thinking.signature = item["encrypted_content"].string();
  if (!thinking.signature.empty()) thinking.issuer = ReasoningIssuer::openai;
  thinking.id = item["id"].string();
  if (auto foreign = unseal(thinking.signature)) thinking = *std::move(foreign);
  thinking.text = joined_texts(item["summary"]);
  // Its own words, where they are told; streams send them behind the summary.
  const std::string words = joined_texts(item["content"]);
  if (!thinking.text.empty() && !words.empty()) thinking.text += kBetween;
  thinking.text += words;
  return thinking;
}

bool is_call(std::string_view type) {
  return type == "function_call" || type == "custom_tool_call";
}

ToolCallPart call_of(const Value& item) {
  const bool custom = item["type"].string() == "custom_tool_call";
  const std::string_view id = item["call_id"].string();
  return {std::string(id.empty() ? item["id"].string() : id),
          full_tool_name(item["namespace"].string(), item["name"].string()),
          std::string(item[custom ? "input" : "arguments"].string()), custom};
}

void read_output_item(const Value& item, std::vector<ContentPart>& out) {
  const std::string_view type = item["type"].string();
  const std::size_t first = out.size();
  if (type == "message") {
    read_text(item, out);
  } else if (type == "reasoning") {
    out.push_back(thinking_of(item));
  } else if (is_call(type)) {
    out.push_back(call_of(item));
  } else if (type == "image_generation_call" && item["result"].is_string()) {
    out.push_back(read_image(item));
  } else {
    out.emplace_back().value = opaque_part(kName, type, item);
    return;
  }
  if (out.size() > first) keep_item(item, out[first]);
}

namespace {

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

void write_text(const Item& item, Writer& w) {
  w.member("role", "assistant");
  w.begin_array("content");
  const auto* text = item.part.as<TextPart>();
  const auto* refusal = item.part.as<RefusalPart>();
  if (text != nullptr && !text->text.empty()) {
    const std::span<const RawJson> citations = text->citations;
    write_piece("output_text", text->text,
                item.citations ? citations : citations.first(0), w);
  } else if (refusal != nullptr && !refusal->text.empty()) {
    write_piece("refusal", refusal->text, {}, w);
  }
  w.end_array();
}

void write_image(const ImagePart& image, Writer& w) {
  w.member("result", image.source.data);
  const std::string_view type = image.source.media_type;
  w.member("output_format", type.substr(type.find('/') + 1));
}

void write_tool_call(const ToolCallPart& call, const RequestContext& context,
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

void write_thinking(const ThinkingPart& thinking, Writer& w) {
  write_summary(thinking.text, w);
  const bool ours = thinking.issuer == ReasoningIssuer::openai &&
                    thinking.redacted_data.empty();
  if (ours) {
    w.member_if("encrypted_content", thinking.signature);
  } else if (!thinking.signature.empty() || !thinking.redacted_data.empty()) {
    w.member("encrypted_content", seal(thinking));
  }
}

}  // namespace

std::string item_id(const ContentPart& part, std::string_view answer_id,
                    std::size_t index) {
  constexpr std::string_view kPrefix = "resp_";
  if (answer_id.starts_with(kPrefix)) answer_id.remove_prefix(kPrefix.size());
  return fmt::format("{}_{}_{}", kind_of(part).prefix, answer_id, index);
}

void write_piece(std::string_view type, std::string_view text,
                 std::span<const RawJson> citations, Writer& w) {
  w.begin_typed(type);
  w.member(type == "refusal" ? "refusal" : "text", text);
  if (type == "output_text") {
    w.begin_array("annotations");
    for (const RawJson& citation : citations) w.raw(citation.text());
    w.end_array();
    w.member_raw("logprobs", "[]");
  }
  w.end_object();
}

void write_summary(std::string_view text, Writer& w) {
  w.begin_array("summary");
  if (!text.empty()) write_piece("summary_text", text, {}, w);
  w.end_array();
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
    write_tool_call(*call, context, w);
  } else if (const auto* image = item.part.as<ImagePart>()) {
    write_image(*image, w);
  } else {
    write_text(item, w);
  }
  w.end_object();
}

}  // namespace llmproxy::openai_responses
