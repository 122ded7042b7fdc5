#include <fmt/format.h>

#include <algorithm>

#include "chat/media.h"
#include "chat/tool_arguments.h"
#include "chat/turns.h"
#include "dialects/claude/messages.h"

namespace llmproxy::claude {
namespace {

bool is_system(const Message& message) {
  return message.role == Role::system || message.role == Role::developer;
}

bool is_image_type(std::string_view type) {
  return std::find(kImageTypes.begin(), kImageTypes.end(), type) !=
         kImageTypes.end();
}

std::string trimmed_right(std::string_view text) {
  const auto last = text.find_last_not_of(" \t\r\n\f\v");
  return std::string(
      text.substr(0, last == std::string_view::npos ? 0 : last + 1));
}

}  // namespace

MessagesWriter::MessagesWriter(const ChatRequest& request,
                               const EncodeOptions& options,
                               json::Writer& writer, Losses& losses)
    : request_(request),
      options_(options),
      w_(writer),
      losses_(losses),
      same_dialect_(request.dialect.empty() || request.dialect == kName) {
  count_cache_markers();
}

void MessagesWriter::lose(std::string path, std::string what, LossKind kind) {
  losses_.push_back({std::move(path), std::move(what), kind});
}

/// More than four is a 400; the earliest go, since a later one covers them.
void MessagesWriter::count_cache_markers() {
  std::size_t count = 0;
  for (const ToolDefinition& tool : request_.tools) count += tool.cache ? 1 : 0;
  for (const Message& message : request_.messages) {
    for (const ContentPart& part : message.content) count += part.cache ? 1 : 0;
  }
  markers_to_skip_ = count > kMaxCacheMarkers ? count - kMaxCacheMarkers : 0;
}

void MessagesWriter::write_cache(const std::optional<CacheMarker>& cache,
                                 const std::string& path) {
  if (!cache) return;
  if (markers_to_skip_ > 0) {
    --markers_to_skip_;
    return lose(path_of(*cache, path),
                fmt::format("Anthropic takes {} cache markers; the first ones "
                            "were left out",
                            kMaxCacheMarkers));
  }
  w_.key("cache_control");
  w_.begin_object();
  w_.member("type", "ephemeral");
  const bool known = cache->ttl == "5m" || cache->ttl == "1h";
  if (known || same_dialect_) {
    w_.member_if("ttl", cache->ttl);
  } else if (!cache->ttl.empty()) {
    lose(path_of(*cache, path) + "/ttl",
         fmt::format("Anthropic keeps prefixes 5m or 1h, not {}", cache->ttl),
         LossKind::approximated);
  }
  w_.end_object();
}

void MessagesWriter::write_extensions(const Extensions& extensions,
                                      const std::string& path) {
  if (same_dialect_) {
    w_.extensions(extensions);
  } else {
    lose_extensions(extensions, path, "Anthropic", losses_);
  }
}

Result<void> MessagesWriter::write(std::string_view extra_system) {
  const std::size_t first = leading_system();
  write_system(first, extra_system);
  LLMPROXY_ASSIGN(std::vector<Turn> turns, build_turns(first));
  LLMPROXY_TRY(fix_ends(turns));
  w_.key("messages");
  w_.begin_array();
  for (const Turn& turn : turns) LLMPROXY_TRY(write_turn(turn));
  w_.end_array();
  return {};
}

std::size_t MessagesWriter::leading_system() const {
  std::size_t count = 0;
  while (count < request_.messages.size() &&
         is_system(request_.messages[count])) {
    ++count;
  }
  return count;
}

void MessagesWriter::write_system(std::size_t count, std::string_view extra) {
  std::vector<Item> items;
  for (std::size_t i = 0; i < count; ++i) {
    const Message& message = request_.messages[i];
    if (!message.name.empty()) {
      lose(path_of(message) + "/name", "Anthropic has no speaker names");
    }
    if (message.source.index != SourceIndex::kNone && !same_dialect_) {
      lose_extensions(message.extensions, path_of(message), "Anthropic",
                      losses_);
    }
    for (std::size_t k = 0; k < message.content.size(); ++k) {
      if (sendable(message, k)) {
        items.push_back({&message.content[k], path_of(message, k)});
      }
    }
  }
  if (!extra.empty()) items.push_back({own_text(std::string(extra)), ""});
  if (items.empty()) return;
  w_.key("system");
  if (items.size() == 1 && items[0].part->as<TextPart>() != nullptr &&
      !items[0].part->cache && items[0].part->extensions.empty()) {
    w_.string(items[0].part->as<TextPart>()->text);
    return;
  }
  w_.begin_array();
  for (const Item& item : items) {
    // Texts and texts kept as they came: neither can fail.
    if (auto written = write_item(item); !written) {
      lose(item.path, written.error().message);
    }
  }
  w_.end_array();
}

const ContentPart* MessagesWriter::own_text(std::string text) {
  ContentPart part;
  part.value = TextPart{std::move(text), {}};
  made_.push_back(std::move(part));
  return &made_.back();
}

/// Parts that can be sent; the others are lost here, or said nothing.
bool MessagesWriter::sendable(const Message& message, std::size_t index) {
  const ContentPart& part = message.content[index];
  const std::string path = path_of(message, index);
  if (const auto* text = part.as<TextPart>()) return !blank(text->text);
  if (const auto* opaque = part.as<OpaquePart>()) {
    if (opaque->dialect == kName) return true;
    lose(path, fmt::format("Anthropic has no {} parts", opaque->type));
    return false;
  }
  if (const auto* thinking = part.as<ThinkingPart>()) {
    const bool signed_here =
        !thinking->redacted_data.empty() || !thinking->signature.empty();
    const bool ours =
        thinking->issuer == ReasoningIssuer::anthropic ||
        (thinking->issuer == ReasoningIssuer::unknown && same_dialect_);
    if (signed_here && ours) return true;
    lose(path,
         "thinking without Anthropic's signature cannot be sent to Anthropic");
    return false;
  }
  if (is_system(message) && part.as<TextPart>() == nullptr) {
    lose(path, "system messages take text only");
    return false;
  }
  return true;
}

/// A system turn stands between others only on newer models, only behind a
/// user turn, and only last or before an assistant turn.
bool MessagesWriter::system_may_stand(std::size_t index,
                                      const std::vector<Turn>& turns) const {
  if (!options_.traits.system_in_messages || turns.empty() ||
      turns.back().role == Role::assistant) {
    return false;
  }
  std::size_t next = index + 1;
  while (next < request_.messages.size() &&
         is_system(request_.messages[next])) {
    ++next;
  }
  return next == request_.messages.size() ||
         request_.messages[next].role == Role::assistant;
}

void MessagesWriter::add_message(const Message& message, Role role,
                                 std::vector<Turn>& turns) {
  std::vector<Item> items;
  for (std::size_t i = 0; i < message.content.size(); ++i) {
    if (sendable(message, i)) {
      items.push_back({&message.content[i], path_of(message, i)});
    }
  }
  if (!message.name.empty()) {
    lose(path_of(message) + "/name", "Anthropic has no speaker names");
  }
  if (!same_dialect_) {
    lose_extensions(message.extensions, path_of(message), "Anthropic", losses_);
  }
  if (items.empty()) return;
  if (turns.empty() || turns.back().role != role) {
    turns.push_back({role, {}, &message});
  }
  for (Item& item : items) turns.back().items.push_back(std::move(item));
}

void MessagesWriter::add_reminder(const Message& message,
                                  std::vector<Turn>& turns) {
  const std::string text = joined_text(message.content, "\n");
  if (blank(text)) return;
  if (turns.empty() || turns.back().role != Role::user) {
    turns.push_back({Role::user, {}, &message});
  }
  turns.back().items.push_back({own_text(reminder(text)), path_of(message)});
  lose(path_of(message), std::string(kReminderLoss), LossKind::approximated);
}

Result<std::vector<MessagesWriter::Turn>> MessagesWriter::build_turns(
    std::size_t first) {
  std::vector<Turn> turns;
  for (std::size_t i = first; i < request_.messages.size(); ++i) {
    const Message& message = request_.messages[i];
    if (!is_system(message)) {
      add_message(message, message.role, turns);
    } else if (system_may_stand(i, turns)) {
      add_message(message, Role::system, turns);
    } else {
      add_reminder(message, turns);
    }
  }
  for (Turn& turn : turns) {
    std::stable_partition(turn.items.begin(), turn.items.end(),
                          [](const Item& item) {
                            return item.part->as<ToolResultPart>() != nullptr;
                          });
  }
  return turns;
}

/// The first turn must be the user's; the last one may be the model's only
/// where it takes a prefill, which must not end in white space.
Result<void> MessagesWriter::fix_ends(std::vector<Turn>& turns) {
  if (turns.empty() || turns.front().role != Role::user) {
    turns.insert(turns.begin(), {Role::user, {{own_text("."), ""}}, nullptr});
    lose("/messages", "Anthropic wants a user turn first; a \".\" was added",
         LossKind::approximated);
  }
  Turn& last = turns.back();
  if (last.role != Role::assistant) return {};
  const std::string path =
      last.message != nullptr ? path_of(*last.message) : "/messages";
  if (!options_.traits.prefill) {
    if (!options_.drop_prefill) {
      return unsupported(
          fmt::format("the model {} does not support a final assistant "
                      "message (prefill)",
                      request_.model),
          path);
    }
    lose(path, "the model takes no final assistant message");
    turns.pop_back();
    return {};
  }
  Item& item = last.items.back();
  if (const auto* text = item.part->as<TextPart>()) {
    const std::string trimmed = trimmed_right(text->text);
    if (trimmed != text->text) item.part = own_text(trimmed);
  }
  return {};
}

Result<void> MessagesWriter::write_turn(const Turn& turn) {
  w_.begin_object();
  w_.member("role", to_wire(kRoles, turn.role));
  w_.key("content");
  const ContentPart& only = *turn.items.front().part;
  if (turn.items.size() == 1 && only.as<TextPart>() != nullptr && !only.cache &&
      only.extensions.empty() && only.as<TextPart>()->citations.empty()) {
    w_.string(only.as<TextPart>()->text);
  } else {
    w_.begin_array();
    for (const Item& item : turn.items) LLMPROXY_TRY(write_item(item));
    w_.end_array();
  }
  if (same_dialect_ && turn.message != nullptr) {
    w_.extensions(turn.message->extensions);
  }
  w_.end_object();
  return {};
}

Result<void> MessagesWriter::write_item(const Item& item) {
  const ContentPart& part = *item.part;
  if (const auto* opaque = part.as<OpaquePart>()) {
    w_.raw(opaque->json.text);
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
    w_.member("type", "text");
    w_.member("text", text->text);
    if (!text->citations.empty() && same_dialect_) {
      w_.key("citations");
      w_.begin_array();
      for (const RawJson& citation : text->citations) w_.raw(citation.text);
      w_.end_array();
    }
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
    lose(path, "Anthropic has no refusal parts; it became text",
         LossKind::approximated);
  } else {
    return unsupported("Anthropic takes no audio", path);
  }
  return {};
}

Result<void> MessagesWriter::write_image(const ImagePart& image,
                                         const std::string& path) {
  const MediaSource& source = image.source;
  if (source.kind == MediaKind::file_id && !same_dialect_) {
    return unsupported(
        "an image given by a file id of another provider cannot be sent on; "
        "send its bytes or a URL",
        path);
  }
  const bool bytes =
      source.kind == MediaKind::base64 || source.kind == MediaKind::text;
  if (bytes && !is_image_type(source.media_type)) {
    return unsupported(
        fmt::format("unsupported image type {}; Anthropic takes image/jpeg, "
                    "image/png, image/gif and image/webp",
                    source.media_type),
        path);
  }
  if (!image.detail.empty() && image.detail != "auto") {
    lose(path, fmt::format("Anthropic has no image detail; {} was asked for",
                           image.detail));
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
    type = "url";
  } else if (source.kind == MediaKind::file_id) {
    if (!same_dialect_) {
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
    if (!decoded) {
      return unsupported(
          fmt::format("unsupported document type {}; Anthropic takes PDF and "
                      "plain text",
                      source.media_type),
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
    if (opaque != nullptr && opaque->dialect != kName) {
      lose(part_path, fmt::format("Anthropic has no {} parts", opaque->type));
      continue;
    }
    items.push_back({&part, part_path});
  }
  if (items.size() == 1 && items[0].part->as<TextPart>() != nullptr &&
      !items[0].part->cache && items[0].part->extensions.empty()) {
    w_.member("content", items[0].part->as<TextPart>()->text);
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
