// Gemini generateContent: canonical messages to the contents an upstream
// gets.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "chat/losses.h"
#include "chat/tool_arguments.h"
#include "chat/turns.h"
#include "dialects/gemini/messages.h"

namespace llmproxy::gemini {
namespace {

bool is_system(const Message& message) {
  return message.role == Role::system || message.role == Role::developer;
}

bool is_result(const ContentPart& part) {
  return part.as<ToolResultPart>() != nullptr;
}

/// A signature that belongs to the part behind it.
bool is_signature(const ContentPart& part) {
  const auto* thinking = part.as<ThinkingPart>();
  return thinking != nullptr && thinking->text.empty();
}

}  // namespace

MessagesWriter::MessagesWriter(const ChatRequest& request,
                               const TargetTraits& traits, json::Writer& writer,
                               Losses& losses)
    : request_(request), traits_(traits), w_(writer), losses_(losses) {
  for (const Message& message : request.messages) {
    for (const ContentPart& part : message.content) {
      if (const auto* call = part.as<ToolCallPart>()) {
        names_[call->id] = call->name;
      }
    }
  }
}

Result<void> MessagesWriter::write() {
  const std::size_t first = write_system();
  const std::vector<Turn> turns = build_turns(first);
  if (turns.empty()) {
    return unsupported("nothing of these messages can be sent to Gemini",
                       "/messages");
  }
  w_.begin_array("contents");
  if (turns.front().role == Role::assistant) {
    lose("/messages", "conversations that begin with a turn of the model",
         "a user turn \".\" was put before it");
    w_.raw(R"({"role":"user","parts":[{"text":"."}]})");
  }
  for (const Turn& turn : turns) LLMPROXY_TRY(write_message(turn));
  w_.end_array();
  return {};
}

/// The system turns on top; how many messages they were.
std::size_t MessagesWriter::write_system() {
  std::size_t count = 0;
  bool open = false;
  for (const Message& message : request_.messages) {
    if (!is_system(message)) break;
    ++count;
    for (std::size_t i = 0; i < message.content.size(); ++i) {
      const auto* text = message.content[i].as<TextPart>();
      if (text == nullptr) {
        lose(path_of(message, i), "anything but text in system messages");
        continue;
      }
      if (text->text.empty()) continue;
      if (!std::exchange(open, true)) {
        w_.begin_object("systemInstruction");
        w_.begin_array("parts");
      }
      w_.object("text", text->text);
    }
  }
  if (open) {
    w_.end_array();
    w_.end_object();
  }
  return count;
}

/// Turns with at least one part, roles alternating; results of tools before
/// everything else in theirs.
std::vector<MessagesWriter::Turn> MessagesWriter::build_turns(
    std::size_t first) {
  std::vector<Turn> turns;
  for (std::size_t i = first; i < request_.messages.size(); ++i) {
    const Message& message = request_.messages[i];
    const Role role =
        message.role == Role::assistant ? Role::assistant : Role::user;
    std::vector<Item> items;
    for (std::size_t part = 0; part < message.content.size(); ++part) {
      std::string path = path_of(message, part);
      if (!sendable(message.content[part], path)) continue;
      items.push_back({&message.content[part], std::move(path)});
    }
    if (items.empty()) continue;
    if (turns.empty() || turns.back().role != role) turns.push_back({role, {}});
    std::move(items.begin(), items.end(),
              std::back_inserter(turns.back().items));
  }
  for (Turn& turn : turns) {
    std::stable_partition(
        turn.items.begin(), turn.items.end(),
        [](const Item& item) { return is_result(*item.part); });
  }
  return turns;
}

/// Parts that can be sent; the others are lost here, or said nothing.
bool MessagesWriter::sendable(const ContentPart& part,
                              const std::string& path) {
  if (const auto* text = part.as<TextPart>()) return !text->text.empty();
  if (const auto* opaque = part.as<OpaquePart>()) {
    return opaque->dialect == kName;
  }
  const auto* thinking = part.as<ThinkingPart>();
  if (thinking == nullptr) return true;
  if (!thinking->redacted_data.empty()) {
    lose(path, "encrypted thinking");
    return false;
  }
  return !thinking->text.empty() || !thinking->signature.empty();
}

Result<void> MessagesWriter::write_message(const Turn& turn) {
  w_.begin_object();
  w_.member("role", turn.role == Role::assistant ? "model" : "user");
  w_.begin_array("parts");
  signature_ = {};
  signed_call_ = false;
  for (const Item& item : turn.items) {
    if (!is_result(*item.part)) LLMPROXY_TRY(write_moved());
    LLMPROXY_TRY(write_part(item));
  }
  LLMPROXY_TRY(write_moved());
  if (!signature_.empty()) {
    w_.begin_object();
    write_text("");
    w_.end_object();
  }
  w_.end_array();
  w_.end_object();
  return {};
}

Result<void> MessagesWriter::write_part(const Item& item) {
  const ContentPart& part = *item.part;
  if (is_signature(part)) {
    signature_ = part.as<ThinkingPart>()->signature;
    return {};
  }
  if (const auto* opaque = part.as<OpaquePart>()) {
    write_opaque(*opaque);
    return {};
  }
  if (is_result(part)) return write_tool_result(item);
  w_.begin_object();
  LLMPROXY_TRY(write_value(part, item.path));
  w_.extensions(part.extensions);
  w_.end_object();
  return {};
}

/// The members of a part but for its extensions.
Result<void> MessagesWriter::write_value(const ContentPart& part,
                                         const std::string& path) {
  if (const auto* image = part.as<ImagePart>()) {
    return write_image(*image, path);
  }
  if (const auto* audio = part.as<AudioPart>()) {
    return write_audio(*audio, path);
  }
  if (const auto* document = part.as<DocumentPart>()) {
    return write_document(*document, path);
  }
  if (const auto* text = part.as<TextPart>()) {
    write_text(text->text);
  } else if (const auto* call = part.as<ToolCallPart>()) {
    write_tool_call(*call, path);
  } else if (const auto* thinking = part.as<ThinkingPart>()) {
    write_thinking(*thinking);
  } else if (const auto* refusal = part.as<RefusalPart>()) {
    write_refusal(*refusal, path);
  }
  return {};
}

void MessagesWriter::write_text(std::string_view text) {
  w_.member("text", text);
  write_signature();
}

Result<void> MessagesWriter::write_image(const ImagePart& image,
                                         const std::string& path) {
  return write_media(image.source, {}, path);
}

Result<void> MessagesWriter::write_audio(const AudioPart& audio,
                                         const std::string& path) {
  return write_media(audio.source, {}, path);
}

Result<void> MessagesWriter::write_document(const DocumentPart& document,
                                            const std::string& path) {
  const MediaSource& source = document.source;
  if (source.kind != MediaKind::text) {
    return write_media(source, document.title, path);
  }
  lose(path, "text documents", "it became a text part");
  if (document.title.empty()) {
    write_text(source.data);
  } else {
    write_text(fmt::format("{}\n\n{}", document.title, source.data));
  }
  return {};
}

/// The one data member of an image, document or audio part.
Result<void> MessagesWriter::write_media(const MediaSource& source,
                                         std::string_view name,
                                         const std::string& path) {
  const bool bytes = source.kind == MediaKind::base64;
  if (bytes && (source.data.empty() || source.media_type.empty())) {
    return unsupported("Gemini takes no file without bytes or media type",
                       path);
  }
  w_.begin_object(bytes ? "inlineData" : "fileData");
  w_.member_if("mimeType", source.media_type);
  w_.member(bytes ? "data" : "fileUri", source.data);
  w_.member_if("displayName", name);
  w_.end_object();
  write_signature();
  return {};
}

void MessagesWriter::write_tool_call(const ToolCallPart& call,
                                     const std::string& path) {
  if (write_call(call, w_)) {
    lose(path, "tool arguments that are no JSON object",
         "they were put into one");
  }
  // These models refuse a turn whose first call is not signed; this value is
  // Google's own for calls that another model made.
  if (!std::exchange(signed_call_, true) && signature_.empty() &&
      traits_.thinking == ThinkingStyle::level) {
    signature_ = kNoSignatures.front();
  }
  write_signature();
}

void MessagesWriter::write_thinking(const ThinkingPart& thinking) {
  w_.member("text", thinking.text);
  w_.member("thought", true);
  w_.member_if("thoughtSignature", thinking.signature);
}

void MessagesWriter::write_refusal(const RefusalPart& refusal,
                                   const std::string& path) {
  lose(path, "refusal parts", "it became text");
  w_.member("text", refusal.text);
}

void MessagesWriter::write_opaque(const OpaquePart& opaque) {
  w_.raw(opaque.json);
}

/// What stood right before this part.
void MessagesWriter::write_signature() {
  w_.member_if("thoughtSignature", std::exchange(signature_, {}));
}

void MessagesWriter::lose(std::string path, std::string_view thing) {
  llmproxy::lose(losses_, std::move(path), kTitle, thing);
}

void MessagesWriter::lose(std::string path, std::string_view thing,
                          std::string_view became) {
  llmproxy::lose(losses_, std::move(path), kTitle, thing, became);
}

bool write_call(const ToolCallPart& call, json::Writer& w) {
  bool wrapped = false;
  w.begin_object("functionCall");
  w.member_if("id", call.id);
  w.member("name", call.name);
  w.member_raw("args", input_object(call.arguments, &wrapped));
  w.end_object();
  return wrapped;
}

}  // namespace llmproxy::gemini
