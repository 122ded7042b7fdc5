// Bedrock Converse: a client's messages to canonical ones.
#include <fmt/format.h>

#include <utility>

#include "chat/media.h"
#include "chat/sealed_reasoning.h"
#include "dialects/bedrock_converse/messages.h"

namespace llmproxy::bedrock_converse {

using json::ObjectReader;
using json::Type;
using json::Value;

namespace {

template <std::size_t N>
std::string media_type_of(const std::array<Format, N>& rows,
                          std::string_view wire) {
  for (const Format& row : rows) {
    if (row.wire == wire) return std::string(row.media_type);
  }
  return {};
}

/// bytes, a place in S3, or (documents) plain text.
Result<MediaSource> read_source(const Value& block, std::string media_type,
                                const std::string& path) {
  const Value source = block["source"];
  MediaSource out;
  out.media_type = std::move(media_type);
  if (source["bytes"].is_string()) {
    out.data = source["bytes"].string();
  } else if (source["s3Location"].is_object()) {
    out.kind = MediaKind::file_id;
    out.data = source["s3Location"]["uri"].string();
  } else if (source["text"].is_string()) {
    out.kind = MediaKind::text;
    out.data = source["text"].string();
  } else {
    return invalid_request("source needs bytes or s3Location", path);
  }
  return out;
}

Result<ContentPart::Value> read_image(const Value& image,
                                      const std::string& path) {
  ImagePart out;
  LLMPROXY_ASSIGN(
      out.source,
      read_source(image, media_type_of(kImageFormats, image["format"].string()),
                  path));
  return ContentPart::Value(std::move(out));
}

Result<ContentPart::Value> read_document(const Value& document,
                                         const std::string& path) {
  DocumentPart out;
  out.title = document["name"].string();
  out.context = document["context"].string();
  LLMPROXY_ASSIGN(
      out.source,
      read_source(document,
                  media_type_of(kDocumentFormats, document["format"].string()),
                  path));
  return ContentPart::Value(std::move(out));
}

Result<ContentPart::Value> read_tool_use(const Value& use,
                                         const std::string& path) {
  ToolCallPart call;
  call.id = use["toolUseId"].string();
  call.name = use["name"].string();
  if (call.id.empty() || call.name.empty()) {
    return invalid_request("toolUse needs toolUseId and name", path);
  }
  call.arguments = use["input"].absent() ? "{}" : use["input"].raw();
  return ContentPart::Value(std::move(call));
}

Result<ContentPart::Value> read_tool_result(const Value& value,
                                            const std::string& path) {
  ToolResultPart result;
  result.call_id = value["toolUseId"].string();
  result.is_error = value["status"].string() == "error";
  if (result.call_id.empty()) {
    return invalid_request("toolResult needs toolUseId", path);
  }
  std::size_t index = 0;
  for (const Value block : value["content"].children()) {
    const std::string place = json::pointer(path + "/content", index++);
    if (block["json"]) {
      ContentPart part;
      part.value = TextPart{std::string(block["json"].raw()), {}};
      result.content.push_back(std::move(part));
      continue;
    }
    LLMPROXY_ASSIGN(auto part, read_block(block, place));
    if (part) result.content.push_back(*std::move(part));
  }
  return ContentPart::Value(std::move(result));
}

Result<ContentPart::Value> read_thinking(const Value& reasoning,
                                         const std::string&) {
  return ContentPart::Value(read_reasoning(reasoning));
}

struct BlockRow {
  std::string_view member;
  Result<ContentPart::Value> (*read)(const Value& value,
                                     const std::string& path);
};
constexpr BlockRow kBlocks[] = {
    {"image", read_image},
    {"document", read_document},
    {"toolUse", read_tool_use},
    {"toolResult", read_tool_result},
    {"reasoningContent", read_thinking},
};
/// Blocks of this API alone.
constexpr std::string_view kOpaque[] = {
    "video",        "audio",        "guardContent", "citationsContent",
    "searchResult", "toolAddition", "toolRemoval"};

}  // namespace

ThinkingPart read_reasoning(const Value& reasoning) {
  ThinkingPart thinking;
  const Value text = reasoning["reasoningText"];
  const std::string_view redacted = reasoning["redactedContent"].string();
  thinking.signature = text["signature"].string();
  if (auto sealed = unseal(
          redacted.empty() ? std::string_view(thinking.signature) : redacted)) {
    thinking = *std::move(sealed);
  } else {
    // A blob here, an opaque text at Anthropic.
    thinking.redacted_data = decode_base64(redacted).value_or("");
    if (!thinking.signature.empty() || !thinking.redacted_data.empty()) {
      thinking.issuer = ReasoningIssuer::anthropic;
    }
  }
  thinking.text = text["text"].string();
  return thinking;
}

std::optional<CacheMarker> read_cache(const Value& block) {
  const Value point = block["cachePoint"];
  if (!point.is_object()) return std::nullopt;
  return CacheMarker{std::string(point["ttl"].string()), {}};
}

Result<std::optional<ContentPart>> read_block(const Value& block,
                                              const std::string& path) {
  if (!block.is_object()) {
    return invalid_request(fmt::format("a content block must be an object, "
                                       "not {}",
                                       to_string(block.type())),
                           path);
  }
  if (block["cachePoint"].is_object()) return std::optional<ContentPart>();
  ObjectReader reader(block, path);
  ContentPart part;
  const Value text = reader.take("text");
  if (text.is_string()) {
    part.value = TextPart{std::string(text.string()), {}};
    part.extensions = reader.rest();
    return std::optional(std::move(part));
  }
  for (const BlockRow& row : kBlocks) {
    const Value value = reader.take(row.member);
    if (!value.is_object()) continue;
    LLMPROXY_ASSIGN(part.value, row.read(value, reader.path_of(row.member)));
    part.extensions = reader.rest();
    return std::optional(std::move(part));
  }
  for (const std::string_view type : kOpaque) {
    if (!block[type]) continue;
    part.value =
        OpaquePart{std::string(kName), std::string(type), block.raw_json()};
    return std::optional(std::move(part));
  }
  return invalid_request(
      "a content block needs one of text, image, document, toolUse, "
      "toolResult, reasoningContent and cachePoint",
      path);
}

namespace {

/// Blocks of a message; a cache point belongs to the block before it.
Result<void> read_blocks(const Value& blocks, const std::string& path,
                         std::int32_t message, std::vector<ContentPart>& out) {
  std::size_t index = 0;
  for (const Value block : blocks.children()) {
    const std::string place = json::pointer(path, index);
    if (auto cache = read_cache(block)) {
      if (!out.empty()) out.back().cache = std::move(cache);
    }
    LLMPROXY_ASSIGN(auto part, read_block(block, place));
    if (part) {
      part->source = {message, "content", static_cast<std::int32_t>(index)};
      out.push_back(*std::move(part));
    }
    ++index;
  }
  return {};
}

Result<Message> read_message(const Value& value, std::int32_t index) {
  const std::string path =
      json::pointer("/messages", static_cast<std::size_t>(index));
  if (!value.is_object()) {
    return invalid_request("a message must be an object", path);
  }
  ObjectReader reader(value, path);
  LLMPROXY_ASSIGN(const std::string word, reader.required_string("role"));
  const auto role = from_wire(kRoles, word);
  if (!role) {
    return invalid_request(
        fmt::format("unknown role '{}'; expected user or assistant", word),
        reader.path_of("role"));
  }
  LLMPROXY_ASSIGN(const Value content, reader.required("content", Type::array));
  Message message;
  message.role = *role;
  message.source.index = index;
  LLMPROXY_TRY(
      read_blocks(content, reader.path_of("content"), index, message.content));
  message.extensions = reader.rest();
  return message;
}

}  // namespace

Result<void> read_system(ObjectReader& reader, ChatRequest& request) {
  LLMPROXY_ASSIGN(const Value system, reader.optional("system", Type::array));
  if (!system || system.size() == 0) return {};
  Message message;
  message.role = Role::system;
  LLMPROXY_TRY(
      read_blocks(system, "/system", SourcePlace::kUnknown, message.content));
  if (!message.content.empty()) request.messages.push_back(std::move(message));
  return {};
}

Result<void> read_messages(ObjectReader& reader, ChatRequest& request) {
  LLMPROXY_ASSIGN(const Value messages,
                  reader.required("messages", Type::array));
  if (messages.size() == 0) {
    return invalid_request("messages must hold at least one message",
                           "/messages");
  }
  std::int32_t index = 0;
  for (const Value value : messages.children()) {
    LLMPROXY_ASSIGN(Message message, read_message(value, index++));
    request.messages.push_back(std::move(message));
  }
  return {};
}

}  // namespace llmproxy::bedrock_converse
