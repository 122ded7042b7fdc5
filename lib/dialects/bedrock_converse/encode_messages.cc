// Bedrock Converse: canonical messages to what an upstream gets.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "chat/media.h"
#include "chat/tool_arguments.h"
#include "chat/turns.h"
#include "dialects/bedrock_converse/messages.h"

namespace llmproxy::bedrock_converse {
namespace {

bool is_system(const Message& message) {
  return message.role == Role::system || message.role == Role::developer;
}

template <std::size_t N>
std::string_view format_of(const std::array<Format, N>& rows,
                           std::string_view media_type) {
  for (const Format& row : rows) {
    if (row.media_type == media_type) return row.wire;
  }
  return {};
}

/// Names may hold letters, digits, single blanks and some brackets.
std::string document_name(std::string_view title, std::size_t number) {
  std::string out;
  for (const char c : title) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9');
    const bool kept =
        letter || std::string_view("-()[]").find(c) != std::string_view::npos;
    if (kept) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  while (out.ends_with(' ')) out.pop_back();
  constexpr std::size_t kLongest = 190;
  out.resize(std::min(out.size(), kLongest));
  // Two documents of one name are refused.
  return out.empty() ? fmt::format("document {}", number)
                     : fmt::format("{} {}", out, number);
}

}  // namespace

MessagesWriter::MessagesWriter(const ChatRequest& request,
                               const EncodeOptions& options,
                               json::Writer& writer, Losses& losses)
    : request_(request),
      options_(options),
      w_(writer),
      losses_(losses),
      same_dialect_(request.dialect.empty() || request.dialect == kName) {}

void MessagesWriter::lose(std::string path, std::string what, LossKind kind) {
  losses_.push_back({std::move(path), std::move(what), kind});
}

void MessagesWriter::write_cache(const std::optional<CacheMarker>& cache,
                                 const std::string& path) {
  if (!cache) return;
  if (++cache_points_ > kMaxCachePoints && !same_dialect_) {
    return lose(path_of(*cache, path),
                fmt::format("Bedrock takes {} cache points; the later ones "
                            "were left out",
                            kMaxCachePoints));
  }
  const bool known = cache->ttl == "5m" || cache->ttl == "1h";
  w_.begin_object();
  w_.key("cachePoint");
  w_.begin_object();
  w_.member("type", "default");
  if (known || same_dialect_) {
    w_.member_if("ttl", cache->ttl);
  } else if (!cache->ttl.empty()) {
    lose(path_of(*cache, path),
         fmt::format("Bedrock keeps prefixes 5m or 1h, not {}", cache->ttl),
         LossKind::approximated);
  }
  w_.end_object();
  w_.end_object();
}

Result<void> MessagesWriter::write(std::string_view extra_system) {
  const std::size_t first = write_system(extra_system);
  const std::vector<Turn> turns = build_turns(first);
  if (turns.empty()) {
    return unsupported("nothing of these messages can be sent to Bedrock",
                       "/messages");
  }
  w_.key("messages");
  w_.begin_array();
  if (turns.front().role == Role::assistant && !same_dialect_) {
    lose("/messages", "Bedrock wants a user turn first; a \".\" was added",
         LossKind::approximated);
    w_.raw(R"({"role":"user","content":[{"text":"."}]})");
  }
  for (const Turn& turn : turns) {
    w_.begin_object();
    w_.member("role", to_wire(kRoles, turn.role));
    w_.key("content");
    w_.begin_array();
    for (const Item& item : turn.items) {
      LLMPROXY_TRY(write_block(*item.part, item.path));
      write_cache(item.part->cache, item.path);
    }
    w_.end_array();
    w_.end_object();
  }
  w_.end_array();
  return {};
}

/// The system turns on top; how many messages they were.
std::size_t MessagesWriter::write_system(std::string_view extra) {
  std::size_t count = 0;
  bool open = false;
  const auto text = [&](std::string_view piece) {
    if (!std::exchange(open, true)) {
      w_.key("system");
      w_.begin_array();
    }
    w_.begin_object();
    w_.member("text", piece);
    w_.end_object();
  };
  for (const Message& message : request_.messages) {
    if (!is_system(message)) break;
    ++count;
    if (!message.name.empty()) {
      lose(path_of(message) + "/name", "Bedrock has no speaker names");
    }
    if (!same_dialect_) {
      lose_extensions(message.extensions, path_of(message), kTitle, losses_);
    }
    for (std::size_t i = 0; i < message.content.size(); ++i) {
      const ContentPart& part = message.content[i];
      const std::string path = path_of(message, i);
      const auto* piece = part.as<TextPart>();
      const auto* opaque = part.as<OpaquePart>();
      if (piece != nullptr) {
        lose_fields(part, path);
        if (blank(piece->text)) continue;
        text(piece->text);
        write_cache(part.cache, path);
      } else if (opaque != nullptr && opaque->dialect == kName) {
        if (!std::exchange(open, true)) {
          w_.key("system");
          w_.begin_array();
        }
        w_.raw(opaque->json.text);
      } else {
        lose(path, "system messages take text only");
      }
    }
  }
  if (!extra.empty()) text(extra);
  if (open) w_.end_array();
  return count;
}

/// Turns with at least one block, roles alternating; results of tools before
/// everything else in theirs.
std::vector<MessagesWriter::Turn> MessagesWriter::build_turns(
    std::size_t first) {
  std::vector<Turn> turns;
  for (std::size_t i = first; i < request_.messages.size(); ++i) {
    const Message& message = request_.messages[i];
    const Role role =
        message.role == Role::assistant ? Role::assistant : Role::user;
    if (!message.name.empty()) {
      lose(path_of(message) + "/name", "Bedrock has no speaker names");
    }
    if (!same_dialect_) {
      lose_extensions(message.extensions, path_of(message), kTitle, losses_);
    }
    Turn turn{role, {}};
    for (std::size_t part = 0; part < message.content.size(); ++part) {
      const std::string path = path_of(message, part);
      if (!sendable(message.content[part], path)) continue;
      turn.items.push_back({&message.content[part], path});
    }
    if (turn.items.empty()) continue;
    if (turns.empty() || turns.back().role != role) {
      turns.push_back(std::move(turn));
    } else {
      auto& items = turns.back().items;
      items.insert(items.end(), turn.items.begin(), turn.items.end());
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

/// Parts that can be sent; the others are lost here, or said nothing.
bool MessagesWriter::sendable(const ContentPart& part,
                              const std::string& path) {
  if (const auto* text = part.as<TextPart>()) return !blank(text->text);
  if (const auto* opaque = part.as<OpaquePart>()) {
    if (opaque->dialect == kName) return true;
    lose(path, fmt::format("Bedrock Converse has no {} parts", opaque->type));
    return false;
  }
  const auto* thinking = part.as<ThinkingPart>();
  if (thinking == nullptr) return true;
  const bool is_signed =
      !thinking->redacted_data.empty() || !thinking->signature.empty();
  const bool ours = thinking->issuer == ReasoningIssuer::anthropic;
  if (same_dialect_ || (ours && is_signed)) return true;
  lose(path,
       "thinking without Anthropic's signature cannot be sent to Bedrock");
  return false;
}

void MessagesWriter::lose_fields(const ContentPart& part,
                                 const std::string& path) {
  if (same_dialect_) return;
  if (const auto* text = part.as<TextPart>();
      text != nullptr && !text->citations.empty()) {
    lose(path + "/citations", "Bedrock Converse has no such citations");
  }
  if (const auto* image = part.as<ImagePart>();
      image != nullptr && !image->detail.empty() && image->detail != "auto") {
    lose(path,
         fmt::format("Bedrock has no image detail; {} was asked for",
                     image->detail),
         LossKind::approximated);
  }
  lose_extensions(part.extensions, path, kTitle, losses_);
}

Result<void> MessagesWriter::write_block(const ContentPart& part,
                                         const std::string& path) {
  lose_fields(part, path);
  if (const auto* opaque = part.as<OpaquePart>()) {
    w_.raw(opaque->json.text);
    return {};
  }
  w_.begin_object();
  if (const auto* text = part.as<TextPart>()) {
    w_.member("text", text->text);
  } else if (const auto* refusal = part.as<RefusalPart>()) {
    w_.member("text", refusal->text);
    lose(path, "Bedrock has no refusal parts; it became text",
         LossKind::approximated);
  } else if (const auto* image = part.as<ImagePart>()) {
    LLMPROXY_TRY(write_image(*image, path));
  } else if (const auto* document = part.as<DocumentPart>()) {
    LLMPROXY_TRY(write_document(*document, path));
  } else if (const auto* call = part.as<ToolCallPart>()) {
    if (write_tool_use(*call, w_)) {
      lose(path, "the arguments of an earlier call are no JSON object; wrapped",
           LossKind::approximated);
    }
  } else if (const auto* result = part.as<ToolResultPart>()) {
    LLMPROXY_TRY(write_result(*result, path));
  } else if (const auto* thinking = part.as<ThinkingPart>()) {
    write_reasoning(*thinking, w_);
  } else {
    return unsupported("Bedrock Converse takes no audio", path);
  }
  if (same_dialect_) w_.extensions(part.extensions);
  w_.end_object();
  return {};
}

void MessagesWriter::write_source(const MediaSource& source) {
  w_.key("source");
  w_.begin_object();
  if (source.kind == MediaKind::file_id) {
    w_.key("s3Location");
    w_.begin_object();
    w_.member("uri", source.data);
    w_.end_object();
  } else {
    w_.member(source.kind == MediaKind::text ? "text" : "bytes", source.data);
  }
  w_.end_object();
}

Result<void> MessagesWriter::write_image(const ImagePart& image,
                                         const std::string& path) {
  const MediaSource& source = image.source;
  const std::string_view format = format_of(kImageFormats, source.media_type);
  if (source.kind != MediaKind::base64 && !same_dialect_) {
    return unsupported("Bedrock takes images as bytes only; send base64 data",
                       path);
  }
  if (format.empty()) {
    return unsupported(fmt::format("unsupported image type {}; Bedrock takes "
                                   "image/png, image/jpeg, image/gif and "
                                   "image/webp",
                                   source.media_type),
                       path);
  }
  w_.key("image");
  w_.begin_object();
  w_.member("format", format);
  write_source(source);
  w_.end_object();
  return {};
}

Result<void> MessagesWriter::write_document(const DocumentPart& document,
                                            const std::string& path) {
  const MediaSource& source = document.source;
  const bool readable = source.kind == MediaKind::base64 ||
                        source.kind == MediaKind::text || same_dialect_;
  if (!readable) {
    return unsupported(
        "Bedrock takes documents as bytes only; send base64 data", path);
  }
  std::string_view format = format_of(kDocumentFormats, source.media_type);
  if (format.empty() && source.kind == MediaKind::text) format = "txt";
  if (format.empty()) {
    return unsupported(
        fmt::format("unsupported document type {}", source.media_type), path);
  }
  std::string name = document.title;
  if (!same_dialect_) {
    name = document_name(document.title, ++documents_);
    if (!document.title.empty()) {
      lose(path, fmt::format("the document is named \"{}\" there", name),
           LossKind::approximated);
    }
  }
  w_.key("document");
  w_.begin_object();
  w_.member("name", name);
  w_.member("format", format);
  write_source(source);
  w_.member_if("context", document.context);
  w_.end_object();
  return {};
}

Result<void> MessagesWriter::write_result(const ToolResultPart& result,
                                          const std::string& path) {
  w_.key("toolResult");
  w_.begin_object();
  w_.member("toolUseId", result.call_id);
  w_.key("content");
  w_.begin_array();
  bool any = false;
  std::size_t index = 0;
  for (const ContentPart& part : result.content) {
    const std::string place =
        same_dialect_ ? json::pointer(path + "/toolResult/content", index)
                      : path;
    ++index;
    const auto* text = part.as<TextPart>();
    const auto* opaque = part.as<OpaquePart>();
    if (text != nullptr && blank(text->text)) continue;
    if (opaque != nullptr && opaque->dialect != kName) {
      lose(path, fmt::format("Bedrock has no {} parts", opaque->type));
      continue;
    }
    LLMPROXY_TRY(write_block(part, place));
    any = true;
  }
  // An empty list is refused.
  if (!any && !same_dialect_) {
    lose(path, "an empty result became \"(no output)\"",
         LossKind::approximated);
    w_.begin_object();
    w_.member("text", "(no output)");
    w_.end_object();
  }
  w_.end_array();
  if (result.is_error) w_.member("status", "error");
  w_.end_object();
  return {};
}

bool write_tool_use(const ToolCallPart& call, json::Writer& w) {
  bool wrapped = false;
  w.key("toolUse");
  w.begin_object();
  w.member("toolUseId", call.id);
  w.member("name", call.name);
  w.member_raw("input", input_object(call.arguments, &wrapped));
  w.end_object();
  return wrapped;
}

}  // namespace llmproxy::bedrock_converse
