// Anthropic Messages: a client's system and messages to canonical ones.
#include <fmt/format.h>

#include "chat/media.h"
#include "chat/read_parts.h"
#include "chat/sealed_reasoning.h"
#include "dialects/claude/messages.h"

namespace llmproxy::claude {

using json::ObjectReader;
using json::Type;
using json::Value;

namespace {

constexpr std::string_view kContent = "content";
using Parts = std::vector<ContentPart>;

/// Blocks hold blocks: as members, who reads them may stand in any order.
class MessagesReader {
 public:
  static Result<Message> read_message(ObjectReader& reader) {
    Message message;
    LLMPROXY_ASSIGN(message.role,
                    read_role(reader, kRoles, "user, assistant or system"));
    if (reader.object()[kContent].absent()) {
      return invalid_request("content is required", reader.path_of(kContent));
    }
    LLMPROXY_ASSIGN(message.content, read_content(reader, kContent));
    return message;
  }

  /// A string, an array of blocks, or nothing.
  static Result<Parts> read_content(ObjectReader& reader,
                                    std::string_view name) {
    return llmproxy::read_content(reader,
                                  {name, "blocks", kContent, read_part});
  }

 private:
  /// A document made of content blocks has no canonical form.
  static bool made_of_blocks(Value value) {
    return value["source"]["type"].string() == "content";
  }

  /// Blocks without a canonical form are kept as they are.
  static Result<ContentPart> read_part(Value value, const std::string& path) {
    static constexpr PartRow kParts[] = {
        {"text", read_text},
        {"image", read_image},
        {"document", read_document},
        {"thinking", read_thinking},
        {"redacted_thinking", read_redacted},
        {"tool_use", read_tool_call},
        {"tool_result", read_tool_result},
    };
    if (!value.is_object()) {
      return json::not_an_object("a content block", value, path);
    }
    ObjectReader reader(value, path);
    LLMPROXY_ASSIGN(const std::string type, reader.required_string("type"));
    if (type.empty()) {
      return invalid_request("type must not be empty", reader.path_of("type"));
    }
    const PartRow* row = find_row(kParts, type);
    if (row != nullptr && !made_of_blocks(value)) {
      return read_by_row(*row, reader, read_cache);
    }
    ContentPart part;
    part.value = opaque_part(kName, type, value);
    return part;
  }

  static Result<ContentPart::Value> read_text(ObjectReader& reader) {
    TextPart part;
    LLMPROXY_ASSIGN(part.text, reader.required_string("text"));
    const Value citations = reader.take("citations");
    if (citations.is_array()) keep_citations(citations, part);
    return ContentPart::Value(std::move(part));
  }

  static Result<ContentPart::Value> read_image(ObjectReader& reader) {
    LLMPROXY_ASSIGN(MediaSource source, read_source(reader));
    return ContentPart::Value(ImagePart{std::move(source), {}});
  }

  static Result<ContentPart::Value> read_document(ObjectReader& reader) {
    DocumentPart part;
    LLMPROXY_ASSIGN(part.source, read_source(reader));
    LLMPROXY_ASSIGN(part.title, reader.optional_string("title"));
    LLMPROXY_ASSIGN(part.context, reader.optional_string("context"));
    return ContentPart::Value(std::move(part));
  }

  static Result<MediaSource> read_source(ObjectReader& reader) {
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

  static Result<ContentPart::Value> read_tool_call(ObjectReader& reader) {
    ToolCallPart part;
    LLMPROXY_ASSIGN(part.id, reader.required_string("id"));
    LLMPROXY_ASSIGN(part.name, reader.required_string("name"));
    if (part.name.empty()) {
      return invalid_request("a tool call needs a name",
                             reader.path_of("name"));
    }
    LLMPROXY_ASSIGN(const Value input, reader.required("input", Type::object));
    part.arguments = input.raw();
    // "direct" is what every ordinary call says.
    if (reader.object()["caller"]["type"].string() == "direct") {
      reader.take("caller");
    }
    return ContentPart::Value(std::move(part));
  }

  static Result<ContentPart::Value> read_tool_result(ObjectReader& reader) {
    ToolResultPart part;
    LLMPROXY_ASSIGN(part.call_id, reader.required_string("tool_use_id"));
    LLMPROXY_ASSIGN(part.content, read_content(reader, kContent));
    LLMPROXY_ASSIGN(part.is_error, reader.optional_flag("is_error"));
    return ContentPart::Value(std::move(part));
  }

  static Result<ContentPart::Value> read_thinking(ObjectReader& reader) {
    ThinkingPart part;
    // Clients that add up a stream without a word may have none here.
    LLMPROXY_ASSIGN(std::string text, reader.optional_string("thinking"));
    LLMPROXY_ASSIGN(part.signature, reader.optional_string("signature"));
    if (!part.signature.empty()) part.issuer = ReasoningIssuer::anthropic;
    if (auto foreign = unseal(part.signature)) part = *std::move(foreign);
    part.text = std::move(text);
    return ContentPart::Value(std::move(part));
  }

  static Result<ContentPart::Value> read_redacted(ObjectReader& reader) {
    ThinkingPart part;
    LLMPROXY_ASSIGN(part.redacted_data, reader.required_string("data"));
    part.issuer = ReasoningIssuer::anthropic;
    if (auto foreign = unseal(part.redacted_data)) part = *std::move(foreign);
    return ContentPart::Value(std::move(part));
  }
};

/// Claude Code's billing line becomes a part of its own that only this
/// dialect writes back.
void split_billing_line(Message& system) {
  if (system.content.empty()) return;
  ContentPart& first = system.content.front();
  auto* text = first.as<TextPart>();
  if (text == nullptr || !text->text.starts_with(kBillingPrefix)) return;
  const auto end = text->text.find('\n');
  ContentPart billing;
  billing.source = first.source;
  std::string raw;
  json::Writer writer(raw);
  writer.begin_typed("text");
  writer.member("text", text->text.substr(0, end));
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

Result<void> read_messages(ObjectReader& reader, ChatRequest& request) {
  return read_message_array(reader, request, MessagesReader::read_message);
}

Result<void> read_system(ObjectReader& reader, ChatRequest& request) {
  LLMPROXY_ASSIGN(Parts content,
                  MessagesReader::read_content(reader, "system"));
  if (content.empty()) return {};
  Message system = system_field(std::move(content));
  split_billing_line(system);
  request.messages.push_back(std::move(system));
  return {};
}

std::optional<CacheMarker> read_cache(ObjectReader& reader) {
  return read_marker(reader, "cache_control");
}

}  // namespace llmproxy::claude
