// Anthropic Messages: canonical messages to `system` and `messages`.
#include <fmt/format.h>

#include "base/text.h"
#include "chat/turns.h"
#include "dialects/claude/messages.h"
#include "json/text.h"

namespace llmproxy::claude {

using anthropic_family::TurnBuilder;

namespace {

using Turn = TurnBuilder::Turn;
using PlacedPart = TurnBuilder::PlacedPart;
using Parts = std::vector<PlacedPart>;

constexpr std::string_view kPdf = "application/pdf";

/// The text in a document's bytes; nullopt = they hold none.
std::optional<std::string> text_in(const MediaSource& source) {
  const std::string_view type = source.media_type;
  if (!type.starts_with("text/") && type != "application/json") {
    return std::nullopt;
  }
  std::optional<std::string> text = decode_base64(source.data);
  if (text && !json::is_utf8(*text)) text.reset();
  return text;
}

/// Writes `system` and `messages`, after the rules of TurnBuilder.
class MessagesWriter {
 public:
  MessagesWriter(TurnBuilder& builder, std::string_view title,
                 json::Writer& writer)
      : builder_(builder), title_(title), w_(writer) {}

  Result<void> write() {
    LLMPROXY_TRY(write_system(builder_.system()));
    LLMPROXY_ASSIGN(const std::vector<Turn> turns, builder_.turns());
    w_.begin_array("messages");
    for (const Turn& turn : turns) LLMPROXY_TRY(write_message(turn));
    w_.end_array();
    return {};
  }

 private:
  Result<void> write_system(const Parts& parts) {
    if (parts.empty()) return {};
    w_.key("system");
    return write_content(parts);
  }

  Result<void> write_message(const Turn& turn) {
    w_.begin_object();
    w_.member("role", to_wire(kRoles, turn.role));
    w_.key("content");
    LLMPROXY_TRY(write_content(turn.parts));
    if (turn.message != nullptr) w_.extensions(turn.message->extensions);
    w_.end_object();
    return {};
  }

  Result<void> write_content(const Parts& parts) {
    if (const TextPart* text = anthropic_family::plain_text(parts)) {
      w_.string(text->text);
      return {};
    }
    w_.begin_array();
    for (const PlacedPart& placed : parts) LLMPROXY_TRY(write_part(placed));
    w_.end_array();
    return {};
  }

  Result<void> write_part(const PlacedPart& placed) {
    const ContentPart& part = *placed.part;
    if (const auto* opaque = part.as<OpaquePart>()) {
      write_opaque(*opaque);
      return {};
    }
    w_.begin_object();
    LLMPROXY_TRY(write_value(part, placed.path));
    const bool takes_marker = part.as<ThinkingPart>() == nullptr;
    if (takes_marker) write_cache(builder_, part.cache, placed.path, w_);
    w_.extensions(part.extensions);
    w_.end_object();
    return {};
  }

  Result<void> write_value(const ContentPart& part, const std::string& path) {
    if (const auto* text = part.as<TextPart>()) {
      write_text(*text);
    } else if (const auto* image = part.as<ImagePart>()) {
      return write_image(*image, path);
    } else if (const auto* document = part.as<DocumentPart>()) {
      return write_document(*document, path);
    } else if (const auto* call = part.as<ToolCallPart>()) {
      write_tool_call(*call, path);
    } else if (const auto* result = part.as<ToolResultPart>()) {
      return write_tool_result(*result, path);
    } else if (const auto* thinking = part.as<ThinkingPart>()) {
      write_thinking(*thinking);
    } else if (const auto* refusal = part.as<RefusalPart>()) {
      write_refusal(*refusal, path);
    } else {
      return unsupported(fmt::format("{} takes no audio", title_), path);
    }
    return {};
  }

  void write_text(const TextPart& text) {
    w_.member("type", "text");
    w_.member("text", text.text);
    w_.member_if("citations", text.citations);
  }

  Result<void> write_image(const ImagePart& image, const std::string& path) {
    const MediaSource& source = image.source;
    const bool bytes =
        source.kind == MediaKind::base64 || source.kind == MediaKind::text;
    if (bytes && !listed(kImageTypes, source.media_type)) {
      return unsupported(
          fmt::format("unsupported image type {}; {} takes image/jpeg, "
                      "image/png, image/gif and image/webp",
                      source.media_type, title_),
          path);
    }
    w_.member("type", "image");
    write_source(bytes ? MediaKind::base64 : source.kind, source.media_type,
                 source.data);
    return {};
  }

  /// PDF as its bytes; all else of bytes must be text.
  Result<void> write_document(const DocumentPart& document,
                              const std::string& path) {
    const MediaSource& source = document.source;
    w_.member("type", "document");
    if (source.kind != MediaKind::base64) {
      write_source(source.kind, "text/plain", source.data);
    } else if (source.media_type == kPdf) {
      write_source(source.kind, kPdf, source.data);
    } else if (const auto text = text_in(source)) {
      write_source(MediaKind::text, "text/plain", *text);
    } else {
      return unsupported(
          fmt::format("unsupported document type {}; {} takes PDF "
                      "and plain text",
                      source.media_type, title_),
          path);
    }
    w_.member_if("title", document.title);
    w_.member_if("context", document.context);
    return {};
  }

  /// `media_type` is of those whose data is here.
  void write_source(MediaKind kind, std::string_view media_type,
                    std::string_view data) {
    w_.begin_object("source");
    for (const SourceRow& row : kSources) {
      if (row.kind != kind) continue;
      w_.member("type", row.type);
      if (row.member == "data") w_.member("media_type", media_type);
      w_.member(row.member, data);
    }
    w_.end_object();
  }

  void write_tool_call(const ToolCallPart& call, const std::string& path) {
    w_.member("type", "tool_use");
    w_.member("id", call.id);
    w_.member("name", call.name);
    w_.member_raw("input", builder_.input_of(call, path));
  }

  Result<void> write_tool_result(const ToolResultPart& result,
                                 const std::string& path) {
    w_.member("type", "tool_result");
    w_.member("tool_use_id", result.call_id);
    Parts parts;
    for (std::size_t i = 0; i < result.content.size(); ++i) {
      const ContentPart& part = result.content[i];
      const auto* text = part.as<TextPart>();
      if (text != nullptr && blank(text->text)) continue;
      parts.push_back({&part, path_of(path, part, i)});
    }
    if (!parts.empty()) {
      w_.key("content");
      LLMPROXY_TRY(write_content(parts));
    }
    if (result.is_error) w_.member("is_error", true);
    return {};
  }

  void write_thinking(const ThinkingPart& thinking) {
    if (!thinking.redacted_data.empty()) {
      w_.member("type", "redacted_thinking");
      w_.member("data", thinking.redacted_data);
      return;
    }
    w_.member("type", "thinking");
    w_.member("thinking", thinking.text);
    w_.member("signature", thinking.signature);
  }

  void write_refusal(const RefusalPart& refusal, const std::string& path) {
    w_.member("type", "text");
    w_.member("text", refusal.text);
    builder_.lose(path, "refusal parts", "it became text");
  }

  void write_opaque(const OpaquePart& part) { w_.raw(part.json); }

  TurnBuilder& builder_;
  const std::string_view title_;
  json::Writer& w_;
};

}  // namespace

void write_cache(TurnBuilder& builder, const std::optional<CacheMarker>& cache,
                 const std::string& path, json::Writer& w) {
  const CacheMarker* marker = builder.take_marker(cache, path);
  if (marker == nullptr) return;
  w.begin_typed("cache_control", "ephemeral");
  w.member_if("ttl", builder.lifetime(*marker, path));
  w.end_object();
}

Result<void> write_messages(TurnBuilder& builder, std::string_view title,
                            json::Writer& writer) {
  return MessagesWriter(builder, title, writer).write();
}

}  // namespace llmproxy::claude
