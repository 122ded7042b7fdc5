#include <fmt/format.h>

#include <algorithm>

#include "base/bounded.h"
#include "chat/media.h"
#include "chat/tool_arguments.h"
#include "chat/turns.h"
#include "dialects/claude/messages.h"
#include "json/text.h"

namespace llmproxy::claude {
namespace {

bool is_image_type(std::string_view type) {
  return std::find(kImageTypes.begin(), kImageTypes.end(), type) !=
         kImageTypes.end();
}

bool is_one_of(std::string_view name, std::span<const std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool takes_opaque(const OpaquePart& part, const Host& host, Kinship kin) {
  if (part.dialect != kName) return false;
  return host.complete || kin == Kinship::own ||
         is_one_of(part.type, host.blocks);
}

}  // namespace

MessagesWriter::MessagesWriter(const ChatRequest& request,
                               const EncodeOptions& options, const Host& host,
                               json::Writer& writer, Losses& losses)
    : host_(host),
      w_(writer),
      losses_(losses),
      kin_(kinship(request.dialect, host)),
      builder_(request, options,
               {.provider = host.title,
                .own = kin_ == Kinship::own,
                .kin = kin_ != Kinship::foreign,
                .takes_opaque =
                    [this](const OpaquePart& part) { return takes(part); }},
               losses) {}

void MessagesWriter::lose(std::string path, std::string what, LossKind kind) {
  add_loss(losses_, {std::move(path), std::move(what), kind});
}

bool MessagesWriter::takes(const OpaquePart& part) const {
  return takes_opaque(part, host_, kin_);
}

void MessagesWriter::write_cache(const std::optional<CacheMarker>& cache,
                                 const std::string& path) {
  const CacheMarker* marker = builder_.take_marker(cache, path);
  if (marker == nullptr) return;
  w_.key("cache_control");
  w_.begin_object();
  w_.member("type", "ephemeral");
  const bool known = marker->ttl == "5m" || marker->ttl == "1h";
  if (known || kin_ != Kinship::foreign) {
    w_.member_if("ttl", marker->ttl);
  } else if (!marker->ttl.empty()) {
    lose(path_of(*marker, path) + "/ttl",
         fmt::format("{} keeps prefixes 5m or 1h, not {}", host_.title,
                     marker->ttl),
         LossKind::approximated);
  }
  w_.end_object();
}

void MessagesWriter::write_extensions(const Extensions& extensions,
                                      const std::string& path) {
  write_fields_of(extensions, path, kin_, host_, w_, losses_);
}

Result<void> MessagesWriter::write(std::string_view extra_system) {
  write_system(builder_.system(extra_system));
  LLMPROXY_ASSIGN(const std::vector<Turn> turns, builder_.turns());
  w_.key("messages");
  w_.begin_array();
  for (const Turn& turn : turns) LLMPROXY_TRY(write_turn(turn));
  w_.end_array();
  return {};
}

void MessagesWriter::write_system(const std::vector<Item>& items) {
  if (items.empty()) return;
  w_.key("system");
  if (const TextPart* text = plain_text(items)) return w_.string(text->text);
  w_.begin_array();
  for (const Item& item : items) {
    // Texts and texts kept as they came: neither can fail.
    if (auto written = write_item(item); !written) {
      lose(item.path, written.error().message);
    }
  }
  w_.end_array();
}

Result<void> MessagesWriter::write_turn(const Turn& turn) {
  w_.begin_object();
  w_.member("role", to_wire(kRoles, turn.role));
  w_.key("content");
  if (const TextPart* text = plain_text(turn.items)) {
    w_.string(text->text);
  } else {
    w_.begin_array();
    for (const Item& item : turn.items) LLMPROXY_TRY(write_item(item));
    w_.end_array();
  }
  if (kin_ == Kinship::own && turn.message != nullptr) {
    w_.extensions(turn.message->extensions);
  }
  w_.end_object();
  return {};
}

Result<void> MessagesWriter::write_item(const Item& item) {
  const ContentPart& part = *item.part;
  if (const auto* opaque = part.as<OpaquePart>()) {
    w_.raw(opaque->json.text());
    return {};
  }
  w_.begin_object();
  LLMPROXY_TRY(write_block(part, item.path));
  const bool takes_marker = part.as<ThinkingPart>() == nullptr;
  if (takes_marker) write_cache(part.cache, item.path);
  write_extensions(part.extensions, item.path);
  w_.end_object();
  return {};
}

Result<void> MessagesWriter::write_block(const ContentPart& part,
                                         const std::string& path) {
  if (const auto* text = part.as<TextPart>()) {
    write_text(*text);
  } else if (const auto* image = part.as<ImagePart>()) {
    return write_image(*image, path);
  } else if (const auto* document = part.as<DocumentPart>()) {
    return write_document(*document, path);
  } else if (const auto* call = part.as<ToolCallPart>()) {
    write_tool_use(*call, path);
  } else if (const auto* result = part.as<ToolResultPart>()) {
    return write_tool_result(*result, path);
  } else if (const auto* thinking = part.as<ThinkingPart>()) {
    if (!thinking->redacted_data.empty()) {
      w_.member("type", "redacted_thinking");
      w_.member("data", thinking->redacted_data);
    } else {
      w_.member("type", "thinking");
      w_.member("thinking", thinking->text);
      w_.member("signature", thinking->signature);
    }
  } else if (const auto* refusal = part.as<RefusalPart>()) {
    w_.member("type", "text");
    w_.member("text", refusal->text);
    lose(path,
         fmt::format("{} has no refusal parts; it became text", host_.title),
         LossKind::approximated);
  } else {
    return unsupported(fmt::format("{} takes no audio", host_.title), path);
  }
  return {};
}

void MessagesWriter::write_text(const TextPart& text) {
  w_.member("type", "text");
  w_.member("text", text.text);
  if (text.citations.empty() || kin_ == Kinship::foreign) return;
  w_.key("citations");
  w_.begin_array();
  for (const RawJson& citation : text.citations) w_.raw(citation.text());
  w_.end_array();
}

Result<void> MessagesWriter::write_image(const ImagePart& image,
                                         const std::string& path) {
  const MediaSource& source = image.source;
  if (source.kind == MediaKind::url && !host_.complete &&
      kin_ != Kinship::own) {
    return unsupported(
        fmt::format("{} takes no images by URL; send the bytes", host_.title),
        path);
  }
  if (source.kind == MediaKind::file_id && kin_ != Kinship::own) {
    return unsupported(
        "an image given by a file id of another provider cannot be sent on; "
        "send its bytes or a URL",
        path);
  }
  const bool bytes =
      source.kind == MediaKind::base64 || source.kind == MediaKind::text;
  if (bytes && !is_image_type(source.media_type)) {
    return unsupported(
        fmt::format("unsupported image type {}; {} takes image/jpeg, "
                    "image/png, image/gif and image/webp",
                    source.media_type, host_.title),
        path);
  }
  if (!image.detail.empty() && image.detail != "auto") {
    lose(path, fmt::format("{} has no image detail; {} was asked for",
                           host_.title, image.detail));
  }
  w_.member("type", "image");
  w_.key("source");
  w_.begin_object();
  if (source.kind == MediaKind::url) {
    w_.member("type", "url");
    w_.member("url", source.data);
  } else if (source.kind == MediaKind::file_id) {
    w_.member("type", "file");
    w_.member("file_id", source.data);
  } else {
    w_.member("type", "base64");
    w_.member("media_type", source.media_type);
    w_.member("data", source.data);
  }
  w_.end_object();
  return {};
}

Result<void> MessagesWriter::write_document(const DocumentPart& document,
                                            const std::string& path) {
  const MediaSource& source = document.source;
  std::string type = "text";
  std::string text = source.data;
  const bool is_text = source.media_type.compare(0, 5, "text/") == 0 ||
                       source.media_type == "application/json";
  if (source.kind == MediaKind::url) {
    if (!host_.complete && kin_ != Kinship::own) {
      return unsupported(
          fmt::format("{} takes no documents by URL; send the bytes",
                      host_.title),
          path);
    }
    type = "url";
  } else if (source.kind == MediaKind::file_id) {
    if (kin_ != Kinship::own) {
      return unsupported(
          "a file id of another provider cannot be sent on; send the file's "
          "bytes",
          path);
    }
    type = "file";
  } else if (source.kind == MediaKind::base64 &&
             source.media_type == "application/pdf") {
    type = "base64";
  } else if (source.kind == MediaKind::base64) {
    auto decoded = is_text ? decode_base64(source.data) : std::nullopt;
    if (!decoded || !json::is_utf8(*decoded)) {
      return unsupported(
          fmt::format("unsupported document type {}; {} takes PDF and "
                      "plain text",
                      source.media_type, host_.title),
          path);
    }
    text = std::move(*decoded);
  }
  w_.member("type", "document");
  w_.key("source");
  w_.begin_object();
  w_.member("type", type);
  if (type == "base64" || type == "text") {
    w_.member("media_type", type == "text" ? "text/plain" : "application/pdf");
    w_.member("data", type == "text" ? text : source.data);
  } else {
    w_.member(type == "url" ? "url" : "file_id", source.data);
  }
  w_.end_object();
  w_.member_if("title", document.title);
  w_.member_if("context", document.context);
  return {};
}

void MessagesWriter::write_tool_use(const ToolCallPart& call,
                                    const std::string& path) {
  bool wrapped = false;
  const std::string input = input_object(call.arguments, &wrapped);
  if (wrapped) {
    lose(path, "the arguments of an earlier call are no JSON object; wrapped",
         LossKind::approximated);
  }
  w_.member("type", "tool_use");
  w_.member("id", call.id);
  w_.member("name", call.name);
  w_.member_raw("input", input);
}

Result<void> MessagesWriter::write_tool_result(const ToolResultPart& result,
                                               const std::string& path) {
  w_.member("type", "tool_result");
  w_.member("tool_use_id", result.call_id);
  std::vector<Item> items;
  for (std::size_t i = 0; i < result.content.size(); ++i) {
    const ContentPart& part = result.content[i];
    const std::string part_path = path_of(path, part, i);
    const auto* text = part.as<TextPart>();
    const auto* opaque = part.as<OpaquePart>();
    if (text != nullptr && blank(text->text)) continue;
    if (opaque != nullptr && !takes(*opaque)) {
      lose(part_path,
           fmt::format("{} has no {} parts", host_.title, opaque->type));
      continue;
    }
    items.push_back({&part, part_path});
  }
  if (const TextPart* only = plain_text(items)) {
    w_.member("content", only->text);
  } else if (!items.empty()) {
    w_.key("content");
    w_.begin_array();
    for (const Item& item : items) LLMPROXY_TRY(write_item(item));
    w_.end_array();
  }
  if (result.is_error) w_.member("is_error", true);
  return {};
}

}  // namespace llmproxy::claude
