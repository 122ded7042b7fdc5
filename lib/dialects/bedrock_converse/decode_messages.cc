// Amazon Bedrock Converse: system, messages and content blocks to canonical
// ones.
#include <fmt/format.h>

#include "base/text.h"
#include "chat/read_parts.h"
#include "chat/sealed_reasoning.h"
#include "dialects/bedrock_converse/messages.h"
#include "json/text.h"

namespace llmproxy::bedrock_converse {

using json::ObjectReader;
using json::Type;
using json::Value;

namespace {

constexpr std::string_view kContent = "content";
/// Of a result, from the block around it.
constexpr std::string_view kResultContent = "toolResult/content";

/// One member of the union that a content block is.
struct Block {
  Value whole;
  Value member;
  std::string path;  ///< of the member
};
using Part = Result<ContentPart::Value>;

Result<Message> read_message(ObjectReader& reader);
Result<ContentPart> read_part(Value value, const std::string& path);
Part read_text(const Block& block, Extensions& extensions);
Result<MediaSource> read_source(ObjectReader& reader);
Part read_image(const Block& block, Extensions& extensions);
Part read_audio(const Block& block, Extensions& extensions);
Part read_document(const Block& block, Extensions& extensions);
Part read_tool_call(const Block& block, Extensions& extensions);
Part read_tool_result(const Block& block, Extensions& extensions);
Part read_thinking(const Block& block, Extensions& extensions);
Part read_citations(const Block& block, Extensions& extensions);
Part read_guarded(const Block& block, Extensions& extensions);
Part read_json(const Block& block, Extensions& extensions);

/// Members with a canonical form; blocks of others are kept as they are.
struct BlockRow {
  std::string_view member;
  Part (*read)(const Block& block, Extensions& extensions);
};
constexpr std::array kBlocks = {
    BlockRow{"text", read_text},
    BlockRow{"toolUse", read_tool_call},
    BlockRow{"toolResult", read_tool_result},
    BlockRow{"image", read_image},
    BlockRow{"document", read_document},
    BlockRow{"audio", read_audio},
    BlockRow{"reasoningContent", read_thinking},
    BlockRow{"citationsContent", read_citations},
    BlockRow{"guardContent", read_guarded},
    BlockRow{"json", read_json},
};

Result<ObjectReader> open(const Block& block) {
  if (block.member.is_object()) return ObjectReader(block.member, block.path);
  return json::not_an_object(block.member.key(), block.member, block.path);
}

/// An object's members that nobody asked for go to the part, under the name
/// of the block.
void keep_rest(const ObjectReader& reader, const Block& block,
               Extensions& extensions) {
  json::keep_rest(reader, std::string(block.member.key()) + '/', extensions);
}

}  // namespace

Result<void> read_messages(ObjectReader& reader, ChatRequest& request) {
  return read_message_array(reader, request, read_message);
}

Result<void> read_system(ObjectReader& reader, ChatRequest& request) {
  LLMPROXY_ASSIGN(const Value blocks, reader.optional("system", Type::array));
  if (blocks.size() == 0) return {};
  LLMPROXY_ASSIGN(std::vector<ContentPart> content,
                  read_blocks(blocks, "/system", kContent));
  request.messages.push_back(system_field(std::move(content)));
  return {};
}

namespace {

Result<Message> read_message(ObjectReader& reader) {
  Message message;
  LLMPROXY_ASSIGN(message.role,
                  read_role(reader, kRoles, "user, assistant or system"));
  LLMPROXY_ASSIGN(const Value content, reader.required(kContent, Type::array));
  LLMPROXY_ASSIGN(message.content,
                  read_blocks(content, reader.path_of(kContent), kContent));
  return message;
}

}  // namespace

Result<std::vector<ContentPart>> read_blocks(Value blocks,
                                             const std::string& path,
                                             std::string_view member) {
  std::vector<ContentPart> out;
  std::int32_t index = 0;
  LLMPROXY_TRY(json::read_each(
      blocks, path, [&](Value block, const std::string& place) -> Result<void> {
        const std::int32_t at = index++;
        const Value point = block["cachePoint"];
        // Behind a part: it ends there. Anywhere else it is kept as it is.
        if (point.is_object() && !out.empty() && !out.back().cache &&
            out.back().as<OpaquePart>() == nullptr) {
          out.back().cache = read_cache(point, place);
          return {};
        }
        LLMPROXY_ASSIGN(ContentPart part, read_part(block, place));
        part.source.member = member;
        part.source.index = at;
        out.push_back(std::move(part));
        return {};
      }));
  return out;
}

namespace {

Result<ContentPart> read_part(Value value, const std::string& path) {
  if (!value.is_object()) {
    return json::not_an_object("a content block", value, path);
  }
  if (value.size() == 0) {
    return invalid_request("a content block must have a member", path);
  }
  ContentPart part;
  for (const BlockRow& row : kBlocks) {
    const Value member = value[row.member];
    if (member.absent()) continue;
    const Block block{value, member, json::pointer(path, row.member)};
    LLMPROXY_ASSIGN(part.value, row.read(block, part.extensions));
    if (part.as<OpaquePart>() != nullptr) return part;
    for (const Value other : value.children()) {
      if (other.key() == row.member || other.is_null()) continue;
      part.extensions.push_back({std::string(other.key()), other.raw_json()});
    }
    return part;
  }
  const Value first = *value.children().begin();
  part.value = opaque_part(kName, first.key(), value);
  return part;
}

Part read_text(const Block& block, Extensions&) {
  if (!block.member.is_string()) {
    return invalid_request(fmt::format("text must be a string, not {}",
                                       to_string(block.member.type())),
                           block.path);
  }
  return ContentPart::Value(TextPart{std::string(block.member.string()), {}});
}

Part read_image(const Block& block, Extensions& extensions) {
  LLMPROXY_ASSIGN(ObjectReader reader, open(block));
  ImagePart part;
  LLMPROXY_ASSIGN(const std::string format, reader.required_string("format"));
  LLMPROXY_ASSIGN(part.source, read_source(reader));
  part.source.media_type = media_type_of(kImageFormats, format);
  if (part.source.media_type.empty()) {
    return invalid_request(
        fmt::format("unknown image format '{}'; expected png, jpeg, gif or "
                    "webp",
                    format),
        reader.path_of("format"));
  }
  keep_rest(reader, block, extensions);
  return ContentPart::Value(std::move(part));
}

Part read_audio(const Block& block, Extensions& extensions) {
  LLMPROXY_ASSIGN(ObjectReader reader, open(block));
  AudioPart part;
  LLMPROXY_ASSIGN(part.format, reader.required_string("format"));
  LLMPROXY_ASSIGN(part.source, read_source(reader));
  if (part.source.kind != MediaKind::base64) {
    return opaque_part(kName, "audio", block.whole);
  }
  part.source.media_type = "audio/" + part.format;
  keep_rest(reader, block, extensions);
  return ContentPart::Value(std::move(part));
}

/// Names that we make up for those who have none.
bool is_neutral_name(std::string_view name) {
  constexpr std::string_view kNeutral = "document ";
  return name.starts_with(kNeutral) &&
         name.find_first_not_of("0123456789", kNeutral.size()) ==
             std::string_view::npos;
}

Part read_document(const Block& block, Extensions& extensions) {
  LLMPROXY_ASSIGN(ObjectReader reader, open(block));
  // Made of blocks: no canonical form.
  if (block.member["source"]["content"].is_array()) {
    return opaque_part(kName, "document", block.whole);
  }
  DocumentPart part;
  LLMPROXY_ASSIGN(part.source, read_source(reader));
  LLMPROXY_ASSIGN(const std::string format, reader.optional_string("format"));
  part.source.media_type = media_type_of(kDocumentFormats, format);
  if (part.source.media_type.empty() && part.source.kind == MediaKind::text) {
    part.source.media_type = "text/plain";
  }
  LLMPROXY_ASSIGN(part.title, reader.required_string("name"));
  if (is_neutral_name(part.title)) part.title.clear();
  LLMPROXY_ASSIGN(part.context, reader.optional_string("context"));
  keep_rest(reader, block, extensions);
  return ContentPart::Value(std::move(part));
}

/// Bytes, or a place in S3 that only the provider can read: kept as its JSON.
Result<MediaSource> read_source(ObjectReader& reader) {
  LLMPROXY_ASSIGN(const Value value, reader.required("source", Type::object));
  ObjectReader source(value, reader.path_of("source"));
  MediaSource out;
  if (value["s3Location"].is_object()) {
    out.kind = MediaKind::file_id;
    out.data = value["s3Location"].raw();
  } else if (value["text"].is_string()) {
    out.kind = MediaKind::text;
    out.data = value["text"].string();
  } else {
    LLMPROXY_ASSIGN(out.data, source.required_string("bytes"));
  }
  return out;
}

Part read_tool_call(const Block& block, Extensions& extensions) {
  LLMPROXY_ASSIGN(ObjectReader reader, open(block));
  if (runs_at_provider(block.member))
    return opaque_part(kName, "toolUse", block.whole);
  reader.take("type");
  ToolCallPart part;
  LLMPROXY_ASSIGN(part.id, reader.required_string("toolUseId"));
  LLMPROXY_ASSIGN(part.name, reader.required_string("name"));
  if (part.name.empty()) {
    return invalid_request("a tool call needs a name", reader.path_of("name"));
  }
  const Value input = reader.take("input");
  if (!input) {
    return invalid_request("input is required", reader.path_of("input"));
  }
  part.arguments = input.raw();
  keep_rest(reader, block, extensions);
  return ContentPart::Value(std::move(part));
}

Part read_tool_result(const Block& block, Extensions& extensions) {
  LLMPROXY_ASSIGN(ObjectReader reader, open(block));
  if (runs_at_provider(block.member))
    return opaque_part(kName, "toolResult", block.whole);
  // What Claude's own API calls it says nothing new; other words might.
  constexpr std::string_view kUsualType = "tool_result";
  if (block.member["type"].string() == kUsualType) reader.take("type");
  ToolResultPart part;
  LLMPROXY_ASSIGN(part.call_id, reader.required_string("toolUseId"));
  LLMPROXY_ASSIGN(const Value content, reader.required("content", Type::array));
  LLMPROXY_ASSIGN(part.content, read_blocks(content, reader.path_of(kContent),
                                            kResultContent));
  LLMPROXY_ASSIGN(const std::string status, reader.optional_string("status"));
  part.is_error = status == "error";
  keep_rest(reader, block, extensions);
  return ContentPart::Value(std::move(part));
}

Part read_thinking(const Block& block, Extensions& extensions) {
  LLMPROXY_ASSIGN(ObjectReader reader, open(block));
  const Value redacted = reader.take("redactedContent");
  if (redacted.is_string()) {
    auto part = read_redacted_blob(redacted.string());
    if (!part) return opaque_part(kName, "reasoningContent", block.whole);
    return ContentPart::Value(*std::move(part));
  }
  LLMPROXY_ASSIGN(const Value value,
                  reader.required("reasoningText", Type::object));
  ObjectReader text(value, reader.path_of("reasoningText"));
  ThinkingPart part;
  LLMPROXY_ASSIGN(part.signature, text.optional_string("signature"));
  if (!part.signature.empty()) part.issuer = ReasoningIssuer::anthropic;
  if (auto foreign = unseal(part.signature)) part = *std::move(foreign);
  // Clients that add up a stream without a word have none here.
  LLMPROXY_ASSIGN(part.text, text.optional_string("text"));
  keep_rest(reader, block, extensions);
  return ContentPart::Value(std::move(part));
}

Part read_citations(const Block& block, Extensions& extensions) {
  LLMPROXY_ASSIGN(ObjectReader reader, open(block));
  TextPart part;
  for (const Value text : reader.take("content").children()) {
    part.text.append(text["text"].string());
  }
  keep_citations(reader.take("citations"), part);
  keep_rest(reader, block, extensions);
  return ContentPart::Value(std::move(part));
}

/// Text that a guardrail is to look at is text for everybody else, who have no
/// guardrail either: what is lost is how it is to look at it.
Part read_guarded(const Block& block, Extensions& extensions) {
  if (!block.member["text"]["text"].is_string()) {
    return opaque_part(kName, "guardContent", block.whole);
  }
  const Value qualifiers = block.member["text"]["qualifiers"];
  extensions.push_back(
      {std::string(kQualifiers),
       qualifiers ? qualifiers.raw_json() : json::Trusted::json("[]")});
  return ContentPart::Value(
      TextPart{std::string(block.member["text"]["text"].string()), {}});
}

/// Only in tool results; the model reads it as text anyway.
Part read_json(const Block& block, Extensions&) {
  return ContentPart::Value(TextPart{std::string(block.member.raw()), {}});
}

}  // namespace

CacheMarker read_cache(Value point, const std::string& path) {
  return {std::string(point["ttl"].string()), {path}};
}

std::optional<ThinkingPart> read_redacted_blob(std::string_view blob) {
  if (auto foreign = unseal(blob)) return foreign;
  auto data = decode_base64(blob);
  if (!data || json::valid_utf8_prefix(*data) != data->size()) {
    return std::nullopt;
  }
  ThinkingPart part;
  part.redacted_data = *std::move(data);
  part.issuer = ReasoningIssuer::anthropic;
  return part;
}

bool runs_at_provider(const Value& block) {
  return listed(kServerTypes, block["type"].string());
}

}  // namespace llmproxy::bedrock_converse
