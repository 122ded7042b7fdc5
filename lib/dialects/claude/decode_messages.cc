// Anthropic Messages: a client's system and messages to canonical ones.
#include <fmt/format.h>

#include "chat/media.h"
#include "chat/sealed_reasoning.h"
#include "dialects/claude/messages.h"

namespace llmproxy::claude {

using json::ObjectReader;
using json::Type;
using json::Value;

std::optional<CacheMarker> read_cache(ObjectReader& reader) {
  const Value control = reader.take("cache_control");
  if (!control.is_object()) return std::nullopt;
  return CacheMarker{std::string(control["ttl"].string()), {"cache_control"}};
}

namespace {

Result<MediaSource> read_source(ObjectReader& reader) {
  LLMPROXY_ASSIGN(const Value value, reader.required("source", Type::object));
  ObjectReader source(value, reader.path_of("source"));
  LLMPROXY_ASSIGN(const std::string type, source.required_string("type"));
  for (const SourceRow& row : kSources) {
    if (row.type != type) continue;
    MediaSource out;
    out.kind = row.kind;
    LLMPROXY_ASSIGN(out.data, source.required_string(row.member));
    if (row.kind == MediaKind::url) {
      return media_from_url(out.data, source.path_of(row.member));
    }
    LLMPROXY_ASSIGN(out.media_type, source.optional_string("media_type"));
    return out;
  }
  return invalid_request(
      fmt::format("unknown source type '{}'; expected base64, url, file or "
                  "text",
                  type),
      source.path_of("type"));
}

ContentPart opaque(Value value) {
  ContentPart part;
  part.value =
      OpaquePart{std::string(kName), std::string(value["type"].string()),
                 value.raw_json()};
  return part;
}

constexpr std::string_view kContent = "content";

Result<std::vector<ContentPart>> read_content(Value content,
                                              const std::string& path);

Result<ContentPart::Value> read_text(ObjectReader& reader) {
  TextPart part;
  LLMPROXY_ASSIGN(part.text, reader.required_string("text"));
  const Value citations = reader.take("citations");
  if (citations.is_array()) {
    for (const Value citation : citations.children()) {
      part.citations.push_back(citation.raw_json());
    }
  }
  return ContentPart::Value(std::move(part));
}

Result<ContentPart::Value> read_image(ObjectReader& reader) {
  LLMPROXY_ASSIGN(MediaSource source, read_source(reader));
  return ContentPart::Value(ImagePart{std::move(source), {}});
}

Result<ContentPart::Value> read_document(ObjectReader& reader) {
  DocumentPart part;
  LLMPROXY_ASSIGN(part.source, read_source(reader));
  LLMPROXY_ASSIGN(part.title, reader.optional_string("title"));
  LLMPROXY_ASSIGN(part.context, reader.optional_string("context"));
  return ContentPart::Value(std::move(part));
}

Result<ContentPart::Value> read_thinking(ObjectReader& reader) {
  ThinkingPart part;
  // Clients that add up a stream without a word may have none here.
  LLMPROXY_ASSIGN(std::string text, reader.optional_string("thinking"));
  LLMPROXY_ASSIGN(part.signature, reader.optional_string("signature"));
  if (!part.signature.empty()) part.issuer = ReasoningIssuer::anthropic;
  if (auto foreign = unseal(part.signature)) part = *std::move(foreign);
  part.text = std::move(text);
  return ContentPart::Value(std::move(part));
}

Result<ContentPart::Value> read_redacted(ObjectReader& reader) {
  ThinkingPart part;
  LLMPROXY_ASSIGN(part.redacted_data, reader.required_string("data"));
  part.issuer = ReasoningIssuer::anthropic;
  if (auto foreign = unseal(part.redacted_data)) part = *std::move(foreign);
  return ContentPart::Value(std::move(part));
}

Result<ContentPart::Value> read_tool_use(ObjectReader& reader) {
  ToolCallPart part;
  LLMPROXY_ASSIGN(part.id, reader.required_string("id"));
  LLMPROXY_ASSIGN(part.name, reader.required_string("name"));
  if (part.name.empty()) {
    return invalid_request("a tool call needs a name", reader.path_of("name"));
  }
  LLMPROXY_ASSIGN(const Value input, reader.required("input", Type::object));
  part.arguments = std::string(input.raw());
  // "direct" is what every ordinary call says.
  if (reader.object()["caller"]["type"].string() == "direct") {
    reader.take("caller");
  }
  return ContentPart::Value(std::move(part));
}

Result<ContentPart::Value> read_tool_result(ObjectReader& reader) {
  ToolResultPart part;
  LLMPROXY_ASSIGN(part.call_id, reader.required_string("tool_use_id"));
  LLMPROXY_ASSIGN(part.content, read_content(reader.take("content"),
                                             reader.path_of("content")));
  LLMPROXY_ASSIGN(const auto is_error, reader.optional_bool("is_error"));
  part.is_error = is_error.value_or(false);
  return ContentPart::Value(std::move(part));
}

/// Blocks with a canonical form; all others are kept as they are.
struct BlockRow {
  std::string_view type;
  Result<ContentPart::Value> (*read)(ObjectReader& reader);
};
constexpr std::array kBlocks = {
    BlockRow{"text", read_text},
    BlockRow{"image", read_image},
    BlockRow{"document", read_document},
    BlockRow{"thinking", read_thinking},
    BlockRow{"redacted_thinking", read_redacted},
    BlockRow{"tool_use", read_tool_use},
    BlockRow{"tool_result", read_tool_result},
};

/// A document made of content blocks has no canonical form.
bool made_of_blocks(Value value) {
  return value["source"]["type"].string() == "content";
}

Result<ContentPart> read_block(Value value, const std::string& path) {
  if (!value.is_object()) {
    return invalid_request(fmt::format("a content block must be an object, "
                                       "not {}",
                                       to_string(value.type())),
                           path);
  }
  ObjectReader reader(value, path);
  LLMPROXY_ASSIGN(const std::string type, reader.required_string("type"));
  if (type.empty()) {
    return invalid_request("type must not be empty", reader.path_of("type"));
  }
  for (const BlockRow& row : kBlocks) {
    if (row.type != type || made_of_blocks(value)) continue;
    ContentPart part;
    LLMPROXY_ASSIGN(part.value, row.read(reader));
    part.cache = read_cache(reader);
    part.extensions = reader.rest();
    return part;
  }
  return opaque(value);
}

/// A string, an array of blocks, or nothing.
Result<std::vector<ContentPart>> read_content(Value content,
                                              const std::string& path) {
  std::vector<ContentPart> out;
  if (content.absent()) return out;
  if (content.is_string()) {
    out.push_back({TextPart{std::string(content.string()), {}}, {}, {}});
    out.back().source.member = kContent;
    return out;
  }
  if (!content.is_array()) {
    return invalid_request(
        fmt::format("{} must be a string or an array of blocks, not {}",
                    path.substr(path.rfind('/') + 1),
                    to_string(content.type())),
        path);
  }
  std::size_t index = 0;
  for (const Value block : content.children()) {
    LLMPROXY_ASSIGN(ContentPart part,
                    read_block(block, json::pointer(path, index)));
    part.source.member = kContent;
    part.source.index = static_cast<std::int32_t>(index++);
    out.push_back(std::move(part));
  }
  return out;
}

/// Claude Code's billing line becomes a part of its own that only this
/// dialect writes back.
void split_billing_line(Message& system) {
  if (system.content.empty()) return;
  ContentPart& first = system.content.front();
  auto* text = first.as<TextPart>();
  if (text == nullptr ||
      text->text.compare(0, kBillingPrefix.size(), kBillingPrefix) != 0) {
    return;
  }
  const auto end = text->text.find('\n');
  const std::string line = text->text.substr(0, end);
  ContentPart billing;
  billing.source = first.source;
  std::string raw;
  json::Writer writer(raw);
  writer.begin_object();
  writer.member("type", "text");
  writer.member("text", line);
  writer.end_object();
  billing.value = OpaquePart{std::string(kName), std::string(kBillingType),
                             json::Trusted::json(std::move(raw))};
  if (end == std::string::npos) {
    first = std::move(billing);
  } else {
    text->text.erase(0, end + 1);
    system.content.insert(system.content.begin(), std::move(billing));
  }
}

}  // namespace

Result<void> read_system(ObjectReader& reader, ChatRequest& request) {
  LLMPROXY_ASSIGN(std::vector<ContentPart> content,
                  read_content(reader.take("system"), "/system"));
  if (content.empty()) return {};
  Message system;
  system.role = Role::system;
  system.content = std::move(content);
  for (ContentPart& part : system.content) {
    // The member is `system` itself: a string, or blocks.
    part.source.message = SourceIndex::kNone;
    part.source.member = {};
  }
  split_billing_line(system);
  request.messages.push_back(std::move(system));
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
    const std::string path =
        json::pointer("/messages", static_cast<std::size_t>(index));
    if (!value.is_object()) {
      return invalid_request("a message must be an object", path);
    }
    ObjectReader message(value, path);
    LLMPROXY_ASSIGN(const std::string role, message.required_string("role"));
    const auto known = from_wire(kRoles, role);
    if (!known) {
      return invalid_request(
          fmt::format("unknown role '{}'; expected user, assistant or system",
                      role),
          message.path_of("role"));
    }
    const Value content = message.take("content");
    if (content.absent()) {
      return invalid_request("content is required", message.path_of("content"));
    }
    Message out;
    out.role = *known;
    LLMPROXY_ASSIGN(out.content,
                    read_content(content, message.path_of("content")));
    out.extensions = message.rest();
    out.source.index = index++;
    for (ContentPart& part : out.content) {
      part.source.message = out.source.index;
    }
    request.messages.push_back(std::move(out));
  }
  return {};
}

}  // namespace llmproxy::claude
