// Gemini generateContent: canonical messages to the contents an upstream
// gets.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>
#include <vector>

#include "chat/field_path.h"
#include "chat/losses.h"
#include "chat/tool_arguments.h"
#include "chat/turns.h"
#include "dialects/gemini/messages.h"

namespace llmproxy::gemini {
namespace {

bool is_result(const ContentPart& part) {
  return part.as<ToolResultPart>() != nullptr;
}

bool is_file(const ContentPart& part) {
  return part.as<ImagePart>() != nullptr || part.as<DocumentPart>() != nullptr;
}

/// A signature that belongs to the part behind it.
bool is_signature(const ContentPart& part) {
  const auto* thinking = part.as<ThinkingPart>();
  return thinking != nullptr && thinking->text.empty();
}

/// The API wants: system text on top; user and model alternating, user first;
/// every call of a turn answered in the very next one; no empty part.
class MessagesWriter {
 public:
  MessagesWriter(const ChatRequest& request, const TargetTraits& traits,
                 json::Writer& writer, Losses& losses)
      : request_(request),
        traits_(traits),
        w_(writer),
        parts_(writer),
        losses_(losses) {
    for (const Message& message : request.messages) {
      for (const ContentPart& part : message.content) {
        const auto* call = part.as<ToolCallPart>();
        if (call != nullptr) names_[call->id] = call->name;
      }
    }
  }

  Result<void> write() {
    const std::vector<Turn> turns = build_turns(write_system());
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

 private:
  struct Item {
    const ContentPart* part;
    std::string path;
  };
  struct Turn {
    Role role;
    std::vector<Item> items;
  };

  /// The system turns on top; how many messages they were.
  std::size_t write_system() {
    std::size_t count = 0;
    std::vector<const ContentPart*> texts;
    for (const Message& message : request_.messages) {
      if (!is_system(message)) break;
      ++count;
      for (std::size_t i = 0; i < message.content.size(); ++i) {
        const auto* text = message.content[i].as<TextPart>();
        if (text == nullptr) {
          lose(path_of(message, i), "anything but text in system messages");
        } else if (!text->text.empty()) {
          texts.push_back(&message.content[i]);
        }
      }
    }
    if (texts.empty()) return count;
    w_.begin_object("systemInstruction");
    w_.begin_array("parts");
    for (const ContentPart* text : texts) {
      w_.begin_object();
      w_.member("text", text->as<TextPart>()->text);
      w_.extensions(text->extensions);
      w_.end_object();
    }
    w_.end_array();
    w_.end_object();
    return count;
  }

  /// Turns with at least one part, roles alternating; results of tools before
  /// everything else in theirs.
  std::vector<Turn> build_turns(std::size_t first) {
    std::vector<Turn> turns;
    for (std::size_t i = first; i < request_.messages.size(); ++i) {
      const Message& message = request_.messages[i];
      const Role role =
          message.role == Role::assistant ? Role::assistant : Role::user;
      for (std::size_t at = 0; at < message.content.size(); ++at) {
        Item item = {&message.content[at], path_of(message, at)};
        if (!sendable(item)) continue;
        if (turns.empty() || turns.back().role != role) {
          turns.push_back({role, {}});
        }
        turns.back().items.push_back(std::move(item));
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
  bool sendable(const Item& item) {
    const ContentPart& part = *item.part;
    if (const auto* text = part.as<TextPart>()) return !text->text.empty();
    const auto* thinking = part.as<ThinkingPart>();
    if (thinking == nullptr) return true;
    if (!thinking->redacted_data.empty()) {
      lose(item.path, "encrypted thinking");
      return false;
    }
    return !thinking->text.empty() || !thinking->signature.empty();
  }

  Result<void> write_message(const Turn& turn) {
    w_.begin_object();
    w_.member("role", to_wire(kRoles, turn.role));
    w_.begin_array("parts");
    signed_call_ = false;
    for (const Item& item : turn.items) {
      if (!is_result(*item.part)) LLMPROXY_TRY(write_moved());
      LLMPROXY_TRY(write_part(item));
    }
    LLMPROXY_TRY(write_moved());
    if (parts_.is_signed()) {
      w_.begin_object();
      parts_.write_text("");
      w_.end_object();
    }
    w_.end_array();
    w_.end_object();
    return {};
  }

  Result<void> write_part(const Item& item) {
    const ContentPart& part = *item.part;
    if (is_signature(part)) {
      parts_.sign(part.as<ThinkingPart>()->signature);
      return {};
    }
    if (const auto* opaque = part.as<OpaquePart>()) {
      write_opaque(*opaque);
      return {};
    }
    w_.begin_object();
    LLMPROXY_TRY(write_value(part, item.path));
    write_extensions(part.extensions, item.path);
    w_.end_object();
    return {};
  }

  /// Those of the part itself; of the object within it only a body that is
  /// passed on keeps them.
  void write_extensions(const Extensions& extensions, const std::string& path) {
    for (const Extension& extension : extensions) {
      if (extension.name.find('/') == std::string::npos) {
        w_.member(extension.name, extension.value);
      } else {
        add_loss(losses_, {field_path(path, extension.name),
                           "only a body that is passed on keeps this; dropped",
                           LossKind::dropped});
      }
    }
  }

  /// The members of a part but for its extensions.
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
    if (const auto* text = part.as<TextPart>()) write_text(*text);
    if (const auto* call = part.as<ToolCallPart>()) {
      write_tool_call(*call, path);
    }
    if (const auto* thinking = part.as<ThinkingPart>()) {
      write_thinking(*thinking);
    }
    if (const auto* refusal = part.as<RefusalPart>()) {
      write_refusal(*refusal, path);
    }
    return {};
  }

  void write_text(const TextPart& text) { parts_.write_text(text.text); }

  Result<void> write_image(const ImagePart& image, const std::string& path) {
    return write_media(image.source, {}, path);
  }

  Result<void> write_audio(const AudioPart& audio, const std::string& path) {
    return write_media(audio.source, {}, path);
  }

  Result<void> write_document(const DocumentPart& document,
                              const std::string& path) {
    const MediaSource& source = document.source;
    if (source.kind != MediaKind::text) {
      return write_media(source, document.title, path);
    }
    lose(path, "text documents", "it became a text part");
    parts_.write_text(document.title.empty()
                          ? source.data
                          : document.title + "\n\n" + source.data);
    return {};
  }

  /// The one data member of an image, document or audio part.
  Result<void> write_media(const MediaSource& source, std::string_view name,
                           const std::string& path) {
    const bool bytes = source.kind == MediaKind::base64;
    if (bytes && (source.data.empty() || source.media_type.empty())) {
      return unsupported("Gemini takes no file without bytes or media type",
                         path);
    }
    parts_.write_media(bytes, source.media_type, source.data, name);
    return {};
  }

  void write_tool_call(const ToolCallPart& call, const std::string& path) {
    // These models refuse a turn whose first call is not signed; this value is
    // Google's own for calls that another model made.
    if (!std::exchange(signed_call_, true) && !parts_.is_signed() &&
        traits_.thinking == ThinkingStyle::level) {
      parts_.sign(kNoSignatures[0]);
    }
    parts_.write_tool_call(call, input_of(call, path, kTitle, losses_));
  }

  /// Its text becomes an object; its files stand within it or, where the model
  /// takes none there, behind all results of the turn.
  Result<void> write_tool_result(const ToolResultPart& result,
                                 const std::string& path) {
    std::vector<Item> files;
    for (std::size_t i = 0; i < result.content.size(); ++i) {
      const ContentPart& part = result.content[i];
      if (part.as<TextPart>() != nullptr) continue;
      Item item = {&part, path_of(path, part, i)};
      if (is_file(part)) {
        files.push_back(std::move(item));
      } else {
        lose(item.path, "anything but text and files in tool results");
      }
    }
    const auto name = names_.find(result.call_id);
    w_.begin_object("functionResponse");
    w_.member("id", result.call_id);
    w_.member("name", name == names_.end() ? "unknown" : name->second);
    w_.key("response");
    write_response(result);
    if (!traits_.tool_result_images) {
      std::move(files.begin(), files.end(), std::back_inserter(moved_));
    } else if (!files.empty()) {
      w_.begin_array("parts");
      for (const Item& file : files) LLMPROXY_TRY(write_part(file));
      w_.end_array();
    }
    w_.end_object();
    return {};
  }

  /// The result as the object it must be. Text that is an object stays one.
  void write_response(const ToolResultPart& result) {
    const std::string text = joined_text(result.content, "\n");
    if (!result.is_error && json::is_json_object(text)) return w_.raw(text);
    w_.object(result.is_error ? "error" : "output", text);
  }

  /// Only results may follow a call: files stand behind all of them.
  Result<void> write_moved() {
    for (const Item& file : std::exchange(moved_, {})) {
      llmproxy::lose(losses_, file.path, "the model " + request_.model,
                     "files in tool results", "it was moved behind them");
      LLMPROXY_TRY(write_part(file));
    }
    return {};
  }

  void write_thinking(const ThinkingPart& thinking) {
    parts_.write_thinking(thinking.text, thinking.signature);
  }

  void write_refusal(const RefusalPart& refusal, const std::string& path) {
    lose(path, "refusal parts", "it became text");
    w_.member("text", refusal.text);
  }

  void write_opaque(const OpaquePart& opaque) { w_.raw(opaque.json); }

  template <class... Became>
  void lose(std::string path, std::string_view thing, Became... became) {
    llmproxy::lose(losses_, std::move(path), kTitle, thing, became...);
  }

  const ChatRequest& request_;
  const TargetTraits& traits_;
  json::Writer& w_;
  PartWriter parts_;
  Losses& losses_;
  std::map<std::string_view, std::string_view> names_;  // call id -> name
  std::vector<Item> moved_;   // files of results, behind all results
  bool signed_call_ = false;  // the turn has a call, the first one signed
};

}  // namespace

Result<void> write_messages(const ChatRequest& request,
                            const TargetTraits& traits, json::Writer& writer,
                            Losses& losses) {
  return MessagesWriter(request, traits, writer, losses).write();
}

void PartWriter::write_text(std::string_view text) {
  w_.member("text", text);
  write_signature();
}

void PartWriter::write_media(bool bytes, std::string_view media_type,
                             std::string_view data, std::string_view name) {
  w_.begin_object(bytes ? "inlineData" : "fileData");
  if (bytes || !media_type.empty()) w_.member("mimeType", media_type);
  w_.member(bytes ? "data" : "fileUri", data);
  w_.member_if("displayName", name);
  w_.end_object();
  write_signature();
}

void PartWriter::write_tool_call(const ToolCallPart& call,
                                 std::string_view args) {
  w_.begin_object("functionCall");
  w_.member_if("id", call.id);
  w_.member("name", call.name);
  w_.member_raw("args", args);
  w_.end_object();
  write_signature();
}

void PartWriter::write_thinking(std::string_view text,
                                std::string_view signature) {
  w_.member("text", text);
  w_.member("thought", true);
  w_.member_if("thoughtSignature", signature);
}

void PartWriter::write_signature() {
  w_.member_if("thoughtSignature", signature_);
  signature_.clear();
}

bool PartWriter::keep(ThinkingPart thinking) {
  const bool own = thinking.issuer == ReasoningIssuer::google &&
                   !thinking.signature.empty() &&
                   thinking.redacted_data.empty();
  const bool signs = own && !thinking.text.empty();
  if (!own) {
    seal.add(std::move(thinking));
  } else if (!signs) {
    signature_ = std::move(thinking.signature);
  }
  return signs;
}

/// A part has one signature, and Google takes no other for its own.
void PartWriter::end_step() {
  std::string sealed = seal.take();
  if (!is_signed()) signature_ = std::move(sealed);
}

bool PartWriter::end_answer() {
  if (!seal.has_signed()) return false;
  end_step();
  return true;
}

}  // namespace llmproxy::gemini
