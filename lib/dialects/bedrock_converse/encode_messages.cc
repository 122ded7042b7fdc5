// Amazon Bedrock Converse: canonical messages to system and messages.
#include <fmt/format.h>

#include <algorithm>

#include "base/bounded.h"
#include "chat/media.h"
#include "chat/tool_arguments.h"
#include "chat/tool_names.h"
#include "chat/turns.h"
#include "dialects/bedrock_converse/messages.h"

namespace llmproxy::bedrock_converse {
namespace {

constexpr std::string_view kGuard = "guardContent";

bool is_own(const ChatRequest& request) {
  return request.dialect.empty() || request.dialect == kName;
}

/// The member a part's extensions may belong to: "image/...".
std::string_view member_of(const ContentPart& part) {
  if (part.as<ImagePart>()) return "image/";
  if (part.as<DocumentPart>()) return "document/";
  if (part.as<AudioPart>()) return "audio/";
  if (part.as<ToolCallPart>()) return "toolUse/";
  if (part.as<ToolResultPart>()) return "toolResult/";
  if (part.as<ThinkingPart>()) return "reasoningContent/";
  return "citationsContent/";
}

bool is_name_char(char c) {
  constexpr std::string_view kOthers = "-()[]";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || kOthers.find(c) != std::string_view::npos;
}

/// `title` without its file ending, in the characters a name may have; empty
/// when no letter or digit is left.
std::string clean_name(std::string_view title) {
  constexpr std::size_t kLongest = 180;  // of 200: room for a number
  constexpr std::size_t kLongestEnding = 5;
  const std::size_t dot = title.rfind('.');
  if (dot != std::string_view::npos && title.size() - dot <= kLongestEnding) {
    title = title.substr(0, dot);
  }
  std::string out;
  bool letters = false;
  for (const char c : title.substr(0, kLongest)) {
    if (is_name_char(c)) {
      out += c;
      letters = letters || (c | 32) >= 'a' || (c >= '0' && c <= '9');
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return letters ? out : std::string();
}

}  // namespace

MessagesWriter::MessagesWriter(const ChatRequest& request,
                               const EncodeOptions& options,
                               json::Writer& writer, Losses& losses)
    : own_(is_own(request)),
      w_(writer),
      losses_(losses),
      builder_(
          request, options,
          {.provider = kTitle,
           .own = own_,
           .kin = own_,
           .unsigned_thinking = own_,
           .takes_opaque =
               [](const OpaquePart& part) { return part.dialect == kName; }},
          losses) {}

void MessagesWriter::lose(std::string path, std::string what, LossKind kind) {
  add_loss(losses_, {std::move(path), std::move(what), kind});
}

void MessagesWriter::write_cache_point(const std::optional<CacheMarker>& cache,
                                       const std::string& path) {
  const CacheMarker* marker = builder_.take_marker(cache, path);
  if (marker == nullptr) return;
  w_.begin_object();
  w_.key("cachePoint");
  w_.begin_object();
  w_.member("type", "default");
  if (marker->ttl == "5m" || marker->ttl == "1h" || own_) {
    w_.member_if("ttl", marker->ttl);
  } else if (!marker->ttl.empty()) {
    lose(path_of(*marker, path) + "/ttl",
         fmt::format("{} keeps prefixes 5m or 1h, not {}", kTitle, marker->ttl),
         LossKind::approximated);
  }
  w_.end_object();
  w_.end_object();
}

void MessagesWriter::write_extensions(const Extensions& extensions,
                                      std::string_view prefix) {
  if (!own_) return;
  for (const Extension& extension : extensions) {
    if (prefix.empty() && extension.name.find('/') != std::string::npos) {
      continue;
    }
    if (!extension.name.starts_with(prefix) || extension.name == kGuard) {
      continue;
    }
    w_.member(extension.name.substr(prefix.size()), extension.value);
  }
}

Result<void> MessagesWriter::write(std::string_view extra_system) {
  write_system(builder_.system(extra_system));
  LLMPROXY_ASSIGN(std::vector<Turn> turns, builder_.turns());
  w_.key("messages");
  w_.begin_array();
  for (Turn& turn : turns) {
    add_text_beside_documents(turn);
    LLMPROXY_TRY(write_turn(turn));
  }
  w_.end_array();
  return {};
}

void MessagesWriter::write_system(const std::vector<Item>& items) {
  if (items.empty()) return;
  w_.key("system");
  w_.begin_array();
  for (const Item& item : items) {
    // Texts and texts kept as they came: neither can fail.
    if (auto written = write_item(item); !written) {
      lose(item.path, written.error().message);
    }
  }
  w_.end_array();
}

/// A document without any text beside it is refused.
void MessagesWriter::add_text_beside_documents(Turn& turn) {
  bool document = false;
  bool text = false;
  for (const Item& item : turn.items) {
    document = document || item.part->as<DocumentPart>() != nullptr;
    text = text || item.part->as<TextPart>() != nullptr;
  }
  if (!document || text || own_) return;
  turn.items.push_back({builder_.own_text("."), ""});
  lose(turn.message != nullptr ? path_of(*turn.message) : "/messages",
       fmt::format("{} wants a text beside a document; a \".\" was added",
                   kTitle),
       LossKind::approximated);
}

Result<void> MessagesWriter::write_turn(const Turn& turn) {
  w_.begin_object();
  w_.member("role", to_wire(kRoles, turn.role));
  w_.key("content");
  w_.begin_array();
  for (const Item& item : turn.items) LLMPROXY_TRY(write_item(item));
  w_.end_array();
  if (turn.message != nullptr) write_extensions(turn.message->extensions, "");
  w_.end_object();
  return {};
}

/// The marker of a part; one within a tool result moves to the result itself.
std::optional<CacheMarker> MessagesWriter::marker_of(const Item& item) {
  std::optional<CacheMarker> marker = item.part->cache;
  if (const auto* result = item.part->as<ToolResultPart>()) {
    for (const ContentPart& part : result->content) {
      if (!part.cache) continue;
      if (!marker) marker = part.cache;
      lose(item.path, "a cache marker within a tool result moved behind it",
           LossKind::approximated);
    }
  }
  return marker;
}

Result<void> MessagesWriter::write_item(const Item& item) {
  const ContentPart& part = *item.part;
  if (const auto* opaque = part.as<OpaquePart>()) {
    w_.raw(opaque->json.text());
    return {};
  }
  w_.begin_object();
  LLMPROXY_TRY(write_block(part, item.path));
  write_extensions(part.extensions, "");
  if (!own_) lose_extensions(part.extensions, item.path, kTitle, losses_);
  w_.end_object();
  write_cache_point(marker_of(item), item.path);
  return {};
}

Result<void> MessagesWriter::write_block(const ContentPart& part,
                                         const std::string& path) {
  if (const auto* text = part.as<TextPart>()) {
    write_text(part, *text);
    return {};
  }
  if (const auto* refusal = part.as<RefusalPart>()) {
    w_.member("text", refusal->text);
    lose(path, fmt::format("{} has no refusal parts; it became text", kTitle),
         LossKind::approximated);
    return {};
  }
  const std::string_view member = member_of(part);
  w_.key(member.substr(0, member.size() - 1));
  w_.begin_object();
  if (const auto* image = part.as<ImagePart>()) {
    LLMPROXY_TRY(write_image(*image, path));
  } else if (const auto* document = part.as<DocumentPart>()) {
    LLMPROXY_TRY(write_document(part, *document, path));
  } else if (const auto* audio = part.as<AudioPart>()) {
    w_.member("format", audio->format);
    LLMPROXY_TRY(write_media(audio->source, path));
  } else if (const auto* call = part.as<ToolCallPart>()) {
    write_tool_use(*call, path);
  } else if (const auto* result = part.as<ToolResultPart>()) {
    LLMPROXY_TRY(write_tool_result(*result, path));
  } else if (const auto* thinking = part.as<ThinkingPart>()) {
    write_thinking(*thinking);
  }
  write_extensions(part.extensions, member);
  w_.end_object();
  return {};
}

void MessagesWriter::write_text(const ContentPart& part, const TextPart& text) {
  const auto guard =
      std::find_if(part.extensions.begin(), part.extensions.end(),
                   [](const Extension& e) { return e.name == kGuard; });
  if (own_ && guard != part.extensions.end()) {
    return w_.member(kGuard, guard->value);
  }
  if (!own_ || text.citations.empty()) return w_.member("text", text.text);
  w_.key("citationsContent");
  w_.begin_object();
  w_.key("content");
  w_.begin_array();
  w_.begin_object();
  w_.member("text", text.text);
  w_.end_object();
  w_.end_array();
  w_.key("citations");
  w_.begin_array();
  for (const RawJson& citation : text.citations) w_.raw(citation.text());
  w_.end_array();
  write_extensions(part.extensions, member_of(part));
  w_.end_object();
}

Result<void> MessagesWriter::write_media(const MediaSource& source,
                                         const std::string& path) {
  if (source.kind == MediaKind::url) {
    return unsupported(
        fmt::format("{} takes no media by URL; send the bytes", kTitle), path);
  }
  if (source.kind == MediaKind::file_id && !own_) {
    return unsupported(
        "a file id of another provider cannot be sent on; send the file's "
        "bytes",
        path);
  }
  w_.key("source");
  w_.begin_object();
  if (source.kind == MediaKind::file_id) {
    // Its JSON as it was read; of a request made by hand it is a URI.
    w_.key("s3Location");
    if (json::is_json_object(source.data)) {
      w_.raw(source.data);
    } else {
      w_.begin_object();
      w_.member("uri", source.data);
      w_.end_object();
    }
  } else if (source.kind == MediaKind::text) {
    w_.member("text", source.data);
  } else {
    w_.member("bytes", source.data);
  }
  w_.end_object();
  return {};
}

Result<void> MessagesWriter::write_image(const ImagePart& image,
                                         const std::string& path) {
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
  if (!image.detail.empty() && image.detail != "auto") {
    lose(path, fmt::format("{} has no image detail; {} was asked for", kTitle,
                           image.detail));
  }
  w_.member_if("format", format);
  return write_media(image.source, path);
}

/// Neutral where there is none, and no name twice: both are refused. The same
/// in every request, or the prompt cache would miss.
std::string MessagesWriter::document_name(const std::string& title,
                                          const std::string& path) {
  if (own_ && !title.empty()) return title;
  const std::string clean = clean_name(title);
  std::string name = clean;
  int copy = 1;
  if (name.empty()) name = fmt::format("document {}", ++unnamed_);
  while (!names_.insert(name).second) {
    name = clean.empty() ? fmt::format("document {}", ++unnamed_)
                         : fmt::format("{} {}", clean, ++copy);
  }
  if (!title.empty() && name != title) {
    lose(path, fmt::format("the document is called \"{}\" here", name),
         LossKind::approximated);
  }
  return name;
}

Result<void> MessagesWriter::write_document(const ContentPart&,
                                            const DocumentPart& document,
                                            const std::string& path) {
  const MediaSource& source = document.source;
  std::string_view format = format_of(kDocumentFormats, source.media_type);
  const bool is_text = source.media_type.starts_with("text/") ||
                       source.media_type == "application/json";
  if (format.empty() && is_text) format = "txt";
  if (format.empty() && source.kind == MediaKind::text) format = "txt";
  if (format.empty() && source.kind == MediaKind::base64 && !own_) {
    return unsupported(fmt::format("unsupported document type {}; {} takes "
                                   "PDF, office documents and text",
                                   source.media_type, kTitle),
                       path);
  }
  w_.member_if("format", format);
  w_.member("name", document_name(document.title, path));
  LLMPROXY_TRY(write_media(source, path));
  w_.member_if("context", document.context);
  return {};
}

void MessagesWriter::write_thinking(const ThinkingPart& thinking) {
  if (!thinking.redacted_data.empty()) {
    return w_.member("redactedContent", encode_base64(thinking.redacted_data));
  }
  w_.key("reasoningText");
  w_.begin_object();
  w_.member("text", thinking.text);
  w_.member_if("signature", thinking.signature);
  w_.end_object();
}

void MessagesWriter::write_tool_use(const ToolCallPart& call,
                                    const std::string& path) {
  bool wrapped = false;
  const std::string input = input_object(call.arguments, &wrapped);
  if (wrapped) {
    lose(path, "the arguments of an earlier call are no JSON object; wrapped",
         LossKind::approximated);
  }
  w_.member("toolUseId", own_ ? call.id : tool_alias(call.id, kMaxCallId));
  w_.member("name", call.name);
  w_.member_raw("input", input);
}

Result<void> MessagesWriter::write_tool_result(const ToolResultPart& result,
                                               const std::string& path) {
  w_.member("toolUseId",
            own_ ? result.call_id : tool_alias(result.call_id, kMaxCallId));
  w_.key("content");
  w_.begin_array();
  bool any = false;
  for (std::size_t i = 0; i < result.content.size(); ++i) {
    const ContentPart& part = result.content[i];
    const std::string part_path = path_of(path, part, i);
    const auto* text = part.as<TextPart>();
    if (text != nullptr && blank(text->text)) continue;
    const auto* opaque = part.as<OpaquePart>();
    if (opaque != nullptr && opaque->dialect != kName) {
      lose(part_path, fmt::format("{} has no {} parts", kTitle, opaque->type));
      continue;
    }
    // Markers are written behind the result.
    ContentPart unmarked = part;
    unmarked.cache.reset();
    LLMPROXY_TRY(write_item({&unmarked, part_path}));
    any = true;
  }
  if (!any) {
    w_.begin_object();
    w_.member("text", "(no output)");
    w_.end_object();
    lose(path, "an empty result is refused; it became \"(no output)\"",
         LossKind::approximated);
  }
  w_.end_array();
  if (result.is_error) w_.member("status", "error");
  return {};
}

}  // namespace llmproxy::bedrock_converse
