// Gemini generateContent: canonical messages to the contents an upstream
// gets.
#include <fmt/format.h>

#include <algorithm>

#include "base/bounded.h"
#include "chat/tool_arguments.h"
#include "chat/turns.h"
#include "dialects/gemini/messages.h"

namespace llmproxy::gemini {
namespace {

constexpr std::string_view kTitle = "Gemini";

bool is_system(const Message& message) {
  return message.role == Role::system || message.role == Role::developer;
}

bool is_result(const ContentPart& part) {
  return part.as<ToolResultPart>() != nullptr;
}

}  // namespace

ContentsWriter::ContentsWriter(const ChatRequest& request,
                               const EncodeOptions& options,
                               json::Writer& writer, Losses& losses)
    : request_(request),
      options_(options),
      w_(writer),
      losses_(losses),
      same_dialect_(request.dialect.empty() || request.dialect == kName) {
  for (const Message& message : request.messages) {
    for (const ContentPart& part : message.content) {
      if (const auto* call = part.as<ToolCallPart>()) {
        names_[call->id] = call->name;
      }
    }
  }
}

void ContentsWriter::lose(std::string path, std::string what, LossKind kind) {
  add_loss(losses_, {std::move(path), std::move(what), kind});
}

Result<void> ContentsWriter::write(std::string_view extra_system) {
  const std::size_t first = write_system(extra_system);
  const std::vector<Turn> turns = build_turns(first);
  if (turns.empty()) {
    return unsupported("nothing of these messages can be sent to Gemini",
                       "/messages");
  }
  w_.key("contents");
  w_.begin_array();
  if (turns.front().role == Role::assistant && !same_dialect_) {
    lose("/messages", "Gemini wants a user turn first; a \".\" was added",
         LossKind::approximated);
    w_.raw(R"({"role":"user","parts":[{"text":"."}]})");
  }
  for (const Turn& turn : turns) LLMPROXY_TRY(write_turn(turn));
  w_.end_array();
  return {};
}

/// The system turns on top; how many messages they were.
std::size_t ContentsWriter::write_system(std::string_view extra) {
  std::size_t count = 0;
  bool open = false;
  const auto text = [&](std::string_view piece) {
    if (!open) {
      w_.key("systemInstruction");
      w_.begin_object();
      w_.key("parts");
      w_.begin_array();
      open = true;
    }
    w_.begin_object();
    w_.member("text", piece);
    w_.end_object();
  };
  for (const Message& message : request_.messages) {
    if (!is_system(message)) break;
    ++count;
    if (!message.name.empty()) {
      lose(path_of(message) + "/name", "Gemini has no speaker names");
    }
    if (!same_dialect_) {
      lose_extensions(message.extensions, path_of(message), kTitle, losses_);
    }
    for (std::size_t i = 0; i < message.content.size(); ++i) {
      const ContentPart& part = message.content[i];
      lose_fields(part, path_of(message, i));
      if (const auto* piece = part.as<TextPart>()) {
        if (!piece->text.empty()) text(piece->text);
      } else {
        lose(path_of(message, i), "system messages take text only");
      }
    }
  }
  if (!extra.empty()) text(extra);
  if (open) {
    w_.end_array();
    w_.end_object();
  }
  return count;
}

/// Turns with at least one part, roles alternating; results of tools before
/// everything else in theirs.
std::vector<ContentsWriter::Turn> ContentsWriter::build_turns(
    std::size_t first) {
  std::vector<Turn> turns;
  for (std::size_t i = first; i < request_.messages.size(); ++i) {
    const Message& message = request_.messages[i];
    const Role role =
        message.role == Role::assistant ? Role::assistant : Role::user;
    if (!message.name.empty()) {
      lose(path_of(message) + "/name", "Gemini has no speaker names");
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
    std::stable_partition(
        turn.items.begin(), turn.items.end(),
        [](const Item& item) { return is_result(*item.part); });
  }
  return turns;
}

/// Parts that can be sent; the others are lost here, or said nothing.
bool ContentsWriter::sendable(const ContentPart& part,
                              const std::string& path) {
  if (const auto* text = part.as<TextPart>()) return !text->text.empty();
  if (const auto* opaque = part.as<OpaquePart>()) {
    if (opaque->dialect == kName) return true;
    lose(path, fmt::format("Gemini has no {} parts", opaque->type));
    return false;
  }
  const auto* thinking = part.as<ThinkingPart>();
  if (thinking == nullptr) return true;
  const bool ours =
      thinking->issuer == ReasoningIssuer::google ||
      (same_dialect_ && thinking->issuer == ReasoningIssuer::unknown);
  const bool says_something =
      !thinking->text.empty() || !thinking->signature.empty();
  if (!says_something && thinking->redacted_data.empty()) return false;
  if (ours && thinking->redacted_data.empty()) return true;
  lose(path, "thinking without Google's signature cannot be sent to Gemini");
  return false;
}

void ContentsWriter::lose_fields(const ContentPart& part,
                                 const std::string& path) {
  if (same_dialect_) return;
  if (part.cache) {
    lose(path_of(*part.cache, path),
         "Gemini caches prompts by itself; the marker is not needed");
  }
  if (const auto* text = part.as<TextPart>();
      text != nullptr && !text->citations.empty()) {
    lose(path + "/citations", "Gemini has no citations in requests");
  }
  if (const auto* document = part.as<DocumentPart>();
      document != nullptr && !document->context.empty()) {
    lose(path + "/context", "Gemini has no document context");
  }
  if (const auto* image = part.as<ImagePart>();
      image != nullptr && !image->detail.empty()) {
    lose(path,
         fmt::format("Gemini has no image detail; {} was asked for",
                     image->detail),
         LossKind::approximated);
  }
  lose_extensions(part.extensions, path, kTitle, losses_);
}

Result<void> ContentsWriter::write_turn(const Turn& turn) {
  w_.begin_object();
  w_.member("role", turn.role == Role::assistant ? "model" : "user");
  w_.key("parts");
  w_.begin_array();
  signature_.clear();
  bool signed_call = false;
  for (const Item& item : turn.items) {
    if (!is_result(*item.part)) LLMPROXY_TRY(write_moved());
    LLMPROXY_TRY(write_item(item, signed_call));
  }
  LLMPROXY_TRY(write_moved());
  if (!signature_.empty()) {
    w_.begin_object();
    w_.member("text", "");
    write_signature();
    w_.end_object();
  }
  w_.end_array();
  w_.end_object();
  return {};
}

void ContentsWriter::write_signature() {
  w_.member_if("thoughtSignature", signature_);
  signature_.clear();
}

Result<void> ContentsWriter::write_item(const Item& item, bool& signed_call) {
  const ContentPart& part = *item.part;
  if (const auto* opaque = part.as<OpaquePart>()) {
    w_.raw(opaque->json.text());
    return {};
  }
  if (is_result(part)) return write_result(item);
  const auto* thinking = part.as<ThinkingPart>();
  if (thinking != nullptr && thinking->text.empty()) {
    signature_ = thinking->signature;
    return {};
  }
  lose_fields(part, item.path);
  w_.begin_object();
  if (thinking != nullptr) {
    w_.member("text", thinking->text);
    w_.member("thought", true);
    w_.member_if("thoughtSignature", thinking->signature);
  } else if (const auto* text = part.as<TextPart>()) {
    w_.member("text", text->text);
    write_signature();
  } else if (const auto* refusal = part.as<RefusalPart>()) {
    w_.member("text", refusal->text);
    lose(item.path, "Gemini has no refusal parts; it became text",
         LossKind::approximated);
  } else if (const auto* call = part.as<ToolCallPart>()) {
    if (write_call(*call, w_)) {
      lose(item.path,
           "the arguments of an earlier call are no JSON object; wrapped",
           LossKind::approximated);
    }
    // These models refuse a turn whose first call is not signed; this value
    // is Google's own for calls that another model made.
    const bool unsigned_first =
        !signed_call && signature_.empty() && !same_dialect_ &&
        options_.traits.thinking == ThinkingStyle::level;
    if (unsigned_first) signature_ = kNoSignatures.front();
    signed_call = true;
    write_signature();
  } else {
    LLMPROXY_TRY(write_media(part, item.path));
    write_signature();
  }
  if (same_dialect_) w_.extensions(part.extensions);
  w_.end_object();
  return {};
}

void ContentsWriter::write_blob(const MediaSource& source,
                                std::string_view name) {
  const bool file = source.kind != MediaKind::base64;
  w_.key(file ? "fileData" : "inlineData");
  w_.begin_object();
  w_.member_if("mimeType", source.media_type);
  w_.member(file ? "fileUri" : "data", source.data);
  if (same_dialect_) w_.member_if("displayName", name);
  w_.end_object();
}

/// The one data member of an image, document or audio part.
Result<void> ContentsWriter::write_media(const ContentPart& part,
                                         const std::string& path) {
  const auto* document = part.as<DocumentPart>();
  if (document != nullptr && document->source.kind == MediaKind::text) {
    w_.member("text", document->title.empty()
                          ? document->source.data
                          : fmt::format("{}\n\n{}", document->title,
                                        document->source.data));
    lose(path, "the text document became a text part", LossKind::approximated);
    return {};
  }
  const auto* image = part.as<ImagePart>();
  const auto* audio = part.as<AudioPart>();
  const MediaSource* source = nullptr;
  if (document != nullptr) source = &document->source;
  if (image != nullptr) source = &image->source;
  if (audio != nullptr) source = &audio->source;
  if (source == nullptr) {
    return unsupported("Gemini has no such part", path);
  }
  if (source->kind != MediaKind::base64 && !same_dialect_) {
    return unsupported(
        source->kind == MediaKind::url
            ? "Gemini takes files as bytes, not by URL; send base64 data"
            : "a file id of another provider cannot be sent on; send the bytes",
        path);
  }
  if (source->kind == MediaKind::base64 &&
      (source->data.empty() || source->media_type.empty())) {
    return unsupported("Gemini takes no file without bytes or media type",
                       path);
  }
  if (document != nullptr && !document->title.empty() && !same_dialect_) {
    lose(path, "Gemini takes no name of a document", LossKind::approximated);
  }
  write_blob(*source, document != nullptr ? document->title : "");
  return {};
}

Result<void> ContentsWriter::write_result(const Item& item) {
  const auto& result = *item.part->as<ToolResultPart>();
  lose_fields(*item.part, item.path);
  const auto name = names_.find(result.call_id);
  std::vector<Item> media;
  for (std::size_t i = 0; i < result.content.size(); ++i) {
    const ContentPart& part = result.content[i];
    if (part.as<ImagePart>() || part.as<DocumentPart>()) {
      media.push_back({&part, path_of(item.path, part, i)});
    }
  }
  const bool inside = same_dialect_ || options_.traits.tool_result_images;
  w_.begin_object();
  w_.key("functionResponse");
  w_.begin_object();
  w_.member("id", result.call_id);
  w_.member("name", name == names_.end() ? std::string_view("unknown")
                                         : std::string_view(name->second));
  w_.key("response");
  write_response(result, item.path);
  if (inside && !media.empty()) {
    w_.key("parts");
    w_.begin_array();
    for (const Item& file : media) {
      w_.begin_object();
      lose_fields(*file.part, file.path);
      LLMPROXY_TRY(write_media(*file.part, file.path));
      w_.end_object();
    }
    w_.end_array();
  }
  w_.end_object();
  if (same_dialect_) w_.extensions(item.part->extensions);
  w_.end_object();
  if (inside) return {};
  for (Item& file : media) moved_.push_back(std::move(file));
  return {};
}

/// One part a call must follow the calls: files stand behind all of them.
Result<void> ContentsWriter::write_moved() {
  for (const Item& file : std::exchange(moved_, {})) {
    lose(file.path,
         "this model takes text only in results; the file moved behind them",
         LossKind::approximated);
    w_.begin_object();
    lose_fields(*file.part, file.path);
    LLMPROXY_TRY(write_media(*file.part, file.path));
    w_.end_object();
  }
  return {};
}

/// The result as the object it must be. Text that is an object stays one.
void ContentsWriter::write_response(const ToolResultPart& result,
                                    const std::string& path) {
  std::vector<ContentPart> texts;
  for (std::size_t i = 0; i < result.content.size(); ++i) {
    const ContentPart& part = result.content[i];
    const std::string place = path_of(path, part, i);
    if (part.as<TextPart>()) {
      texts.push_back(part);
      lose_fields(part, place);
    } else if (!part.as<ImagePart>() && !part.as<DocumentPart>()) {
      lose(place, "Gemini takes text and files only in tool results");
    }
  }
  const std::string text = joined_text(texts, "\n");
  if (!result.is_error && json::is_json_object(text)) return w_.raw(text);
  w_.begin_object();
  w_.member(result.is_error ? "error" : "output", text);
  w_.end_object();
}

bool write_call(const ToolCallPart& call, json::Writer& w) {
  bool wrapped = false;
  w.key("functionCall");
  w.begin_object();
  w.member_if("id", call.id);
  w.member("name", call.name);
  w.member_raw("args", input_object(call.arguments, &wrapped));
  w.end_object();
  return wrapped;
}

}  // namespace llmproxy::gemini
