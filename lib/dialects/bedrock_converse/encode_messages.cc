// Amazon Bedrock Converse: canonical messages to system and messages.
#include <fmt/format.h>

#include "base/text.h"
#include "chat/extensions.h"
#include "chat/tool_names.h"
#include "chat/turns.h"
#include "dialects/bedrock_converse/document_names.h"
#include "dialects/bedrock_converse/messages.h"

namespace llmproxy::bedrock_converse {

using anthropic_family::TurnBuilder;

namespace {

using Turn = TurnBuilder::Turn;
using PlacedPart = TurnBuilder::PlacedPart;
using Parts = std::vector<PlacedPart>;

/// The member that a part is, as its extensions have it in front.
std::string_view member_of(const ContentPart& part) {
  if (part.as<ImagePart>()) return "image/";
  if (part.as<DocumentPart>()) return "document/";
  if (part.as<AudioPart>()) return "audio/";
  if (part.as<ToolCallPart>()) return "toolUse/";
  if (part.as<ToolResultPart>()) return "toolResult/";
  if (part.as<ThinkingPart>()) return "reasoningContent/";
  return "citationsContent/";
}

/// Writes `system` and `messages`, after the rules of TurnBuilder.
class MessagesWriter {
 public:
  MessagesWriter(TurnBuilder& builder, json::Writer& writer)
      : builder_(builder), w_(writer) {}

  Result<void> write() {
    LLMPROXY_TRY(write_system(builder_.system()));
    LLMPROXY_ASSIGN(std::vector<Turn> turns, builder_.turns());
    w_.begin_array("messages");
    for (Turn& turn : turns) {
      add_text_beside_documents(turn);
      LLMPROXY_TRY(write_message(turn));
    }
    w_.end_array();
    return {};
  }

 private:
  Result<void> write_system(const Parts& parts) {
    if (parts.empty()) return {};
    w_.key("system");
    return write_content(parts);
  }

  /// A document without any text beside it is refused.
  void add_text_beside_documents(Turn& turn) {
    bool document = false;
    bool text = false;
    for (const PlacedPart& placed : turn.parts) {
      document = document || placed.part->as<DocumentPart>() != nullptr;
      text = text || placed.part->as<TextPart>() != nullptr;
    }
    if (!document || text) return;
    turn.parts.push_back({builder_.own_text("."), ""});
    builder_.lose(
        turn.message != nullptr ? path_of(*turn.message) : "/messages",
        "a document without a text beside it", "the text \".\" was added");
  }

  Result<void> write_message(const Turn& turn) {
    w_.begin_object();
    w_.member("role", to_wire(kRoles, turn.role));
    w_.key("content");
    LLMPROXY_TRY(write_content(turn.parts));
    if (turn.message != nullptr) write_plain(turn.message->extensions, w_);
    w_.end_object();
    return {};
  }

  Result<void> write_content(const Parts& parts) {
    w_.begin_array();
    for (const PlacedPart& placed : parts) {
      LLMPROXY_TRY(write_part(*placed.part, placed.path));
      write_cache(builder_, marker_of(placed), placed.path, w_);
    }
    w_.end_array();
    return {};
  }

  Result<void> write_part(const ContentPart& part, const std::string& path) {
    if (const auto* opaque = part.as<OpaquePart>()) {
      write_opaque(*opaque);
      return {};
    }
    w_.begin_object();
    if (const auto* text = part.as<TextPart>()) {
      write_text(part, *text);
    } else if (const auto* refusal = part.as<RefusalPart>()) {
      write_refusal(*refusal, path);
    } else {
      const std::string_view member = member_of(part);
      w_.begin_object(member.substr(0, member.size() - 1));
      LLMPROXY_TRY(write_value(part, path));
      write_nested(part.extensions, member, w_);
      w_.end_object();
    }
    write_plain(part.extensions, w_);
    w_.end_object();
    return {};
  }

  /// Members of a block that is an object.
  Result<void> write_value(const ContentPart& part, const std::string& path) {
    if (const auto* image = part.as<ImagePart>()) {
      return write_image(*image, path);
    }
    if (const auto* audio = part.as<AudioPart>()) {
      return write_audio(*audio, path);
    }
    if (const auto* document = part.as<DocumentPart>()) {
      return write_document(*document, path);
    }
    if (const auto* result = part.as<ToolResultPart>()) {
      return write_tool_result(*result, path);
    }
    if (const auto* call = part.as<ToolCallPart>())
      write_tool_call(*call, path);
    if (const auto* thinking = part.as<ThinkingPart>())
      write_thinking(*thinking);
    return {};
  }

  void write_text(const ContentPart& part, const TextPart& text) {
    if (const Extension* how = find_field(part.extensions, kQualifiers)) {
      return write_guarded(text, *how);
    }
    if (text.citations.empty()) return w_.member("text", text.text);
    write_cited_text(part, text);
  }

  void write_guarded(const TextPart& text, const Extension& qualifiers) {
    w_.begin_object("guardContent");
    w_.begin_object("text");
    w_.member("text", text.text);
    if (!says_nothing(qualifiers)) w_.member("qualifiers", qualifiers.value);
    w_.end_object();
    w_.end_object();
  }

  void write_cited_text(const ContentPart& part, const TextPart& text) {
    w_.begin_object("citationsContent");
    w_.begin_array("content");
    w_.object("text", text.text);
    w_.end_array();
    w_.member_if("citations", text.citations);
    write_nested(part.extensions, member_of(part), w_);
    w_.end_object();
  }

  Result<void> write_image(const ImagePart& image, const std::string& path) {
    const std::string_view format =
        format_of(kImageFormats, image.source.media_type);
    if (image.source.kind == MediaKind::text ||
        (format.empty() && image.source.kind == MediaKind::base64)) {
      return unsupported(
          fmt::format("unsupported image type {}; {} takes image/jpeg, "
                      "image/png, image/gif and image/webp",
                      image.source.media_type, kTitle),
          path);
    }
    w_.member_if("format", format);
    return write_media(image.source, path);
  }

  Result<void> write_audio(const AudioPart& audio, const std::string& path) {
    w_.member("format", audio.format);
    return write_media(audio.source, path);
  }

  Result<void> write_document(const DocumentPart& document,
                              const std::string& path) {
    const MediaSource& source = document.source;
    std::string_view format = format_of(kDocumentFormats, source.media_type);
    const bool is_text = source.kind == MediaKind::text ||
                         source.media_type.starts_with("text/") ||
                         source.media_type == "application/json";
    if (format.empty() && is_text) format = "txt";
    // Without any type the API may tell by itself.
    if (format.empty() && source.kind == MediaKind::base64 &&
        !source.media_type.empty()) {
      return unsupported(fmt::format("unsupported document type {}; {} takes "
                                     "PDF, office documents and text",
                                     source.media_type, kTitle),
                         path);
    }
    w_.member_if("format", format);
    const std::string name = names_.next(document.title);
    if (!document.title.empty() && name != document.title) {
      builder_.lose(path, "this document name",
                    fmt::format("it became \"{}\"", name));
    }
    w_.member("name", name);
    LLMPROXY_TRY(write_media(source, path));
    w_.member_if("context", document.context);
    return {};
  }

  Result<void> write_media(const MediaSource& source, const std::string& path) {
    if (source.kind == MediaKind::url) {
      return unsupported(
          fmt::format("{} takes no media by URL; send the bytes", kTitle),
          path);
    }
    w_.begin_object("source");
    if (source.kind == MediaKind::text) {
      w_.member("text", source.data);
    } else if (source.kind == MediaKind::base64) {
      w_.member("bytes", source.data);
    } else if (json::is_json_object(source.data)) {
      // Its JSON as it was read; of a request made by hand it is a URI.
      w_.member_raw("s3Location", source.data);
    } else {
      w_.object("s3Location", "uri", source.data);
    }
    w_.end_object();
    return {};
  }

  void write_tool_call(const ToolCallPart& call, const std::string& path) {
    w_.member("toolUseId", tool_alias(call.id, kMaxCallId));
    w_.member("name", call.name);
    w_.member_raw("input", builder_.input_of(call, path));
  }

  /// Markers are written behind the result. An empty one is refused.
  Result<void> write_tool_result(const ToolResultPart& result,
                                 const std::string& path) {
    w_.member("toolUseId", tool_alias(result.call_id, kMaxCallId));
    w_.begin_array("content");
    bool any = false;
    for (std::size_t i = 0; i < result.content.size(); ++i) {
      const ContentPart& part = result.content[i];
      const auto* text = part.as<TextPart>();
      if (text != nullptr && blank(text->text)) continue;
      LLMPROXY_TRY(write_part(part, path_of(path, part, i)));
      any = true;
    }
    if (!any) {
      w_.object("text", "(no output)");
      builder_.lose(path, "an empty tool result", "it became \"(no output)\"");
    }
    w_.end_array();
    if (result.is_error) w_.member("status", "error");
    return {};
  }

  void write_thinking(const ThinkingPart& thinking) {
    if (!thinking.redacted_data.empty()) {
      return w_.member("redactedContent",
                       encode_base64(thinking.redacted_data));
    }
    w_.begin_object("reasoningText");
    w_.member("text", thinking.text);
    w_.member_if("signature", thinking.signature);
    w_.end_object();
  }

  void write_refusal(const RefusalPart& refusal, const std::string& path) {
    w_.member("text", refusal.text);
    builder_.lose(path, "refusal parts", "it became text");
  }

  void write_opaque(const OpaquePart& part) { w_.raw(part.json); }

  /// The marker of a part; one within a tool result moves to the result itself.
  std::optional<CacheMarker> marker_of(const PlacedPart& placed) {
    std::optional<CacheMarker> marker = placed.part->cache;
    const auto* result = placed.part->as<ToolResultPart>();
    if (result == nullptr) return marker;
    for (const ContentPart& part : result->content) {
      if (!part.cache) continue;
      if (!marker) marker = part.cache;
      builder_.lose(placed.path, "cache markers within a tool result",
                    "it was moved behind the result");
    }
    return marker;
  }

  TurnBuilder& builder_;
  json::Writer& w_;
  DocumentNames names_;
};

}  // namespace

void write_cache(TurnBuilder& builder, const std::optional<CacheMarker>& cache,
                 const std::string& path, json::Writer& w) {
  const CacheMarker* marker = builder.take_marker(cache, path);
  if (marker == nullptr) return;
  w.begin_object();
  w.begin_typed("cachePoint", "default");
  w.member_if("ttl", builder.lifetime(*marker, path));
  w.end_object();
  w.end_object();
}

Result<void> write_messages(TurnBuilder& builder, json::Writer& writer) {
  return MessagesWriter(builder, writer).write();
}

}  // namespace llmproxy::bedrock_converse
