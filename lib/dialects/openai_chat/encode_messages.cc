#include "base/bounded.h"
#include "dialects/openai_chat/call_signatures.h"
#include "dialects/openai_chat/messages.h"

#include <fmt/format.h>

#include <algorithm>

#include "chat/media.h"
#include "chat/turns.h"

namespace llmproxy::openai_chat {
namespace {

/// Parts that a user message can hold here.
bool user_may_say(const ContentPart& part) {
  return part.as<TextPart>() || part.as<ImagePart>() || part.as<AudioPart>() ||
         part.as<DocumentPart>();
}

}  // namespace

MessagesWriter::MessagesWriter(const ChatRequest& request,
                               const EncodeOptions& options,
                               json::Writer& writer, Losses& losses)
    : request_(request),
      traits_(options.traits),
      w_(writer),
      losses_(losses),
      same_dialect_(request.dialect.empty() || request.dialect == kName) {}

void MessagesWriter::lose(std::string path, std::string what, LossKind kind) {
  add_loss(losses_, {std::move(path), std::move(what), kind});
}

Result<void> MessagesWriter::write() {
  w_.begin_array();
  for (std::size_t i = 0; i < request_.messages.size(); ++i) {
    const Message& message = request_.messages[i];
    if (message.role != Role::user) LLMPROXY_TRY(write_moved());
    switch (message.role) {
      case Role::system:
      case Role::developer:
        write_system(message);
        break;
      case Role::user:
        LLMPROXY_TRY(write_user(message));
        break;
      case Role::assistant:
        write_assistant(message);
        break;
    }
  }
  LLMPROXY_TRY(write_moved());
  w_.end_array();
  if (!wrote_message_) {
    return unsupported("nothing of these messages can be sent to OpenAI Chat",
                       request_.messages.empty()
                           ? std::string("/messages")
                           : path_of(request_.messages.back()));
  }
  return {};
}

void MessagesWriter::open_message(const Message& message,
                                  std::string_view role) {
  wrote_message_ = true;
  w_.begin_object();
  w_.member("role", role);
  if (traits_.message_names) {
    w_.member_if("name", message.name);
  } else if (!message.name.empty()) {
    lose(path_of(message) + "/name", "this provider takes no speaker names");
  }
}

void MessagesWriter::close_message(const Message& message) {
  if (same_dialect_) {
    w_.extensions(message.extensions);
  } else {
    lose_extensions(message.extensions, path_of(message), "OpenAI Chat",
                    losses_);
  }
  w_.end_object();
}

void MessagesWriter::write_system(const Message& message) {
  Parts texts;
  for (std::size_t i = 0; i < message.content.size(); ++i) {
    const ContentPart& part = message.content[i];
    if (const auto* text = part.as<TextPart>()) {
      if (!text->text.empty()) texts.push_back(&part);
      lose_part_fields(message, i);
    } else {
      const auto* opaque = part.as<OpaquePart>();
      lose(path_of(message, i),
           opaque != nullptr
               ? fmt::format("only Anthropic reads the {}", opaque->type)
               : "system messages take text only");
    }
  }
  if (texts.empty()) return;
  open_message(message, to_wire(kRoles, message.role));
  write_text_content(texts);
  close_message(message);
}

/// One plain text is a string, several or marked ones stay parts.
void MessagesWriter::write_text_content(const Parts& texts) {
  w_.key("content");
  if (texts.size() == 1 && !keeps_fields(*texts[0])) {
    w_.string(texts[0]->as<TextPart>()->text);
    return;
  }
  w_.begin_array();
  for (const ContentPart* part : texts) write_text_part(*part);
  w_.end_array();
}

void MessagesWriter::write_text_part(const ContentPart& part) {
  w_.begin_object();
  w_.member("type", "text");
  w_.member("text", part.as<TextPart>()->text);
  write_part_fields(part);
  w_.end_object();
}

bool MessagesWriter::keeps_fields(const ContentPart& part) const {
  return (part.cache && (same_dialect_ || traits_.cache_markers)) ||
         (same_dialect_ && !part.extensions.empty());
}

void MessagesWriter::write_part_fields(const ContentPart& part) {
  if (part.cache && traits_.cache_markers) {
    w_.key("cache_control");
    w_.begin_object();
    w_.member("type", "ephemeral");
    w_.member_if("ttl", part.cache->ttl);
    w_.end_object();
  } else if (part.cache && same_dialect_) {
    w_.key("prompt_cache_breakpoint");
    w_.begin_object();
    w_.member("mode", "explicit");
    w_.member_if("ttl", part.cache->ttl);
    w_.end_object();
  }
  if (same_dialect_) w_.extensions(part.extensions);
}

/// What a part carried beside its content and cannot keep here.
void MessagesWriter::lose_part_fields(const Message& message,
                                      std::size_t index) {
  const ContentPart& part = message.content[index];
  const std::string path = path_of(message, index);
  if (part.cache && !same_dialect_ && !traits_.cache_markers) {
    lose(path_of(*part.cache, path),
         "OpenAI caches by itself and takes no cache markers");
  }
  if (const auto* text = part.as<TextPart>();
      text != nullptr && !text->citations.empty()) {
    lose(path + "/citations", "OpenAI Chat has no citations in requests");
  }
  if (const auto* document = part.as<DocumentPart>();
      document != nullptr && !document->context.empty()) {
    lose(path + "/context", "OpenAI Chat has no document context");
  }
  if (!same_dialect_) {
    lose_extensions(part.extensions, path, "OpenAI Chat", losses_);
  }
}

Result<void> MessagesWriter::write_user(const Message& message) {
  Parts rest;
  for (std::size_t i = 0; i < message.content.size(); ++i) {
    const ContentPart& part = message.content[i];
    if (part.as<ToolResultPart>() != nullptr) {
      LLMPROXY_TRY(write_tool_result(message, i));
    } else if (user_may_say(part)) {
      rest.push_back(&part);
    } else {
      lose(path_of(message, i), "OpenAI Chat user messages have no such part");
    }
  }
  // Tool messages directly follow their call; images they brought and the
  // rest of the turn come behind all of them.
  if (rest.empty()) return {};
  LLMPROXY_TRY(write_moved());
  return write_user_parts(message, rest);
}

Result<void> MessagesWriter::write_user_parts(const Message& message,
                                              const Parts& parts) {
  bool only_text = true;
  for (const ContentPart* part : parts) {
    only_text = only_text && part->as<TextPart>() != nullptr;
    lose_part_fields(message,
                     static_cast<std::size_t>(part - message.content.data()));
  }
  open_message(message, "user");
  if (only_text && parts.size() == 1) {
    write_text_content(parts);
  } else {
    w_.key("content");
    w_.begin_array();
    for (const ContentPart* part : parts) {
      LLMPROXY_TRY(write_user_part(
          *part, path_of(message, static_cast<std::size_t>(
                                      part - message.content.data()))));
    }
    w_.end_array();
  }
  close_message(message);
  return {};
}

Result<void> MessagesWriter::write_user_part(const ContentPart& part,
                                             const std::string& path) {
  if (part.as<TextPart>()) {
    write_text_part(part);
  } else if (const auto* image = part.as<ImagePart>()) {
    return write_image(*image, part, path);
  } else if (const auto* audio = part.as<AudioPart>()) {
    w_.begin_object();
    w_.member("type", "input_audio");
    w_.key("input_audio");
    w_.begin_object();
    w_.member("data", audio->source.data);
    w_.member("format", audio->format);
    w_.end_object();
    write_part_fields(part);
    w_.end_object();
  } else if (const auto* document = part.as<DocumentPart>()) {
    return write_document(*document, part, path);
  }
  return {};
}

Result<void> MessagesWriter::write_image(const ImagePart& image,
                                         const ContentPart& part,
                                         const std::string& path) {
  if (image.source.kind == MediaKind::file_id) {
    return unsupported(
        "an image given by a file id of another provider cannot be sent on; "
        "send its bytes or a URL",
        path);
  }
  w_.begin_object();
  w_.member("type", "image_url");
  w_.key("image_url");
  w_.begin_object();
  w_.member("url", data_url(image.source));
  w_.member_if("detail", image.detail);
  w_.end_object();
  write_part_fields(part);
  w_.end_object();
  return {};
}

Result<void> MessagesWriter::write_document(const DocumentPart& document,
                                            const ContentPart& part,
                                            const std::string& path) {
  const MediaSource& source = document.source;
  if (source.kind == MediaKind::text && !same_dialect_) {
    // Plain text needs no file: the model reads it in place.
    w_.begin_object();
    w_.member("type", "text");
    w_.member("text",
              document.title.empty()
                  ? source.data
                  : fmt::format("{}\n\n{}", document.title, source.data));
    w_.end_object();
    lose(path, "the text document became a text part", LossKind::approximated);
    return {};
  }
  if (is_sound_or_film(source.media_type) && !same_dialect_) {
    return unsupported(fmt::format("unsupported document type {}; OpenAI "
                                   "takes PDF, office documents and text",
                                   source.media_type),
                       path);
  }
  if (source.kind == MediaKind::url) {
    return unsupported(
        "OpenAI Chat takes documents as bytes, not by URL; send base64 data",
        path);
  }
  if (source.kind == MediaKind::file_id && !same_dialect_) {
    return unsupported(
        "a document given by a file id of another provider cannot be sent "
        "on; send its bytes",
        path);
  }
  w_.begin_object();
  w_.member("type", "file");
  w_.key("file");
  w_.begin_object();
  if (source.kind == MediaKind::file_id) {
    w_.member("file_id", source.data);
  } else {
    w_.member("filename",
              document.title.empty() ? "document.pdf" : document.title);
    w_.member("file_data", data_url(source));
  }
  w_.end_object();
  write_part_fields(part);
  w_.end_object();
  return {};
}

/// The text of a tool result; images and documents are put aside for a user
/// message behind the results, and named in the text.
std::string MessagesWriter::result_text(const ToolResultPart& result,
                                        const std::string& path) {
  std::string text;
  std::size_t index = 0;
  for (const ContentPart& part : result.content) {
    const std::string part_path = path_of(path, part, index++);
    std::string piece;
    if (part.cache) {
      lose(path_of(*part.cache, part_path),
           "OpenAI caches by itself and takes no cache markers");
    }
    if (const auto* text_part = part.as<TextPart>()) {
      piece = text_part->text;
    } else if (part.as<ImagePart>() || part.as<DocumentPart>()) {
      moved_.push_back({&part, part_path});
      piece = fmt::format("[{} {} attached in the next user message]",
                          part.as<ImagePart>() ? "image" : "document",
                          moved_.size());
      lose(part_path,
           "OpenAI Chat takes text only in tool results; the part moved to a "
           "user message behind them",
           LossKind::approximated);
    } else {
      lose(part_path, "OpenAI Chat tool results take text only");
    }
    if (!text.empty() && !piece.empty()) text += '\n';
    text += piece;
  }
  return result.is_error ? marked_as_error(text) : text;
}

Result<void> MessagesWriter::write_tool_result(const Message& message,
                                               std::size_t index) {
  const ContentPart& part = message.content[index];
  const auto& result = *part.as<ToolResultPart>();
  const std::string path = path_of(message, index);
  lose_part_fields(message, index);
  wrote_message_ = true;
  w_.begin_object();
  w_.member("role", "tool");
  w_.member("tool_call_id", result.call_id);
  w_.key("content");
  const bool only_text = std::all_of(
      result.content.begin(), result.content.end(),
      [](const ContentPart& child) { return child.as<TextPart>() != nullptr; });
  const bool sendable =
      std::any_of(result.content.begin(), result.content.end(), user_may_say);
  if (traits_.tool_result_images && !only_text && sendable) {
    w_.begin_array();
    std::size_t place = 0;
    for (const ContentPart& child : result.content) {
      const std::string child_path = path_of(path, child, place++);
      if (!user_may_say(child)) {
        lose(child_path, "OpenAI Chat tool results have no such part");
        continue;
      }
      LLMPROXY_TRY(write_user_part(child, child_path));
    }
    w_.end_array();
  } else {
    w_.string(result_text(result, path));
  }
  if (same_dialect_) w_.extensions(message.extensions);
  w_.end_object();
  return {};
}

/// Images and documents of tool results, behind the tool messages.
Result<void> MessagesWriter::write_moved() {
  if (moved_.empty()) return {};
  w_.begin_object();
  w_.member("role", "user");
  w_.key("content");
  w_.begin_array();
  for (const auto& [part, path] : moved_) {
    LLMPROXY_TRY(write_user_part(*part, path));
  }
  w_.end_array();
  w_.end_object();
  moved_.clear();
  return {};
}

void MessagesWriter::write_assistant(const Message& message) {
  Parts texts;
  Parts calls;
  std::vector<std::string_view> signatures;  // of `calls`
  std::string reasoning;
  std::string refusal;
  for (std::size_t i = 0; i < message.content.size(); ++i) {
    const ContentPart& part = message.content[i];
    const std::string path = path_of(message, i);
    if (const auto* text = part.as<TextPart>()) {
      lose_part_fields(message, i);
      if (!text->text.empty()) texts.push_back(&part);
    } else if (part.as<ToolCallPart>()) {
      lose_part_fields(message, i);
      calls.push_back(&part);
      signatures.push_back(call_signature(message.content, i));
    } else if (const auto* thinking = part.as<ThinkingPart>()) {
      if (same_dialect_ && signs_a_call(message.content, i)) continue;
      keep_reasoning(*thinking, path, reasoning);
    } else if (const auto* refused = part.as<RefusalPart>()) {
      refusal += refused->text;
    } else if (const auto* opaque = part.as<OpaquePart>()) {
      lose(path, fmt::format("OpenAI Chat has no {} parts", opaque->type));
    } else {
      lose(path, "OpenAI Chat assistant messages take text only");
    }
  }
  if (texts.empty() && calls.empty() && refusal.empty()) {
    if (!same_dialect_) return;
  }
  open_message(message, "assistant");
  if (texts.empty()) {
    w_.key("content");
    if (calls.empty() && refusal.empty()) {
      w_.string("");
    } else {
      w_.null();
    }
  } else {
    write_text_content(texts);
  }
  w_.member_if("reasoning_content", reasoning);
  w_.member_if("refusal", refusal);
  write_calls(calls, signatures);
  close_message(message);
}

void MessagesWriter::keep_reasoning(const ThinkingPart& thinking,
                                    const std::string& path,
                                    std::string& reasoning) {
  if (same_dialect_ || traits_.reasoning_content) {
    reasoning += thinking.text;
    if (thinking.signature.empty() && thinking.redacted_data.empty()) return;
    lose(path, "the signature of the thinking has no field in OpenAI Chat");
    return;
  }
  lose(path, "OpenAI Chat has no field for earlier thinking");
}

void MessagesWriter::write_calls(
    const Parts& calls, const std::vector<std::string_view>& signatures) {
  if (calls.empty()) return;
  if (request_.legacy_functions && calls.size() == 1) {
    const auto& call = *calls[0]->as<ToolCallPart>();
    w_.key("function_call");
    w_.begin_object();
    w_.member("name", call.name);
    w_.member("arguments", call.arguments);
    w_.end_object();
    return;
  }
  w_.key("tool_calls");
  w_.begin_array();
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const auto& call = *calls[i]->as<ToolCallPart>();
    w_.begin_object();
    w_.member("id", call.id);
    w_.member("type", call.custom ? "custom" : "function");
    w_.key(call.custom ? "custom" : "function");
    w_.begin_object();
    w_.member("name", call.name);
    // A call without arguments must say {}: an empty text is no JSON.
    if (call.custom) {
      w_.member("input", call.arguments);
    } else {
      w_.member("arguments", call.arguments.empty() && !same_dialect_
                                 ? "{}"
                                 : std::string_view(call.arguments));
    }
    w_.end_object();
    if (same_dialect_) {
      write_call_signature(signatures[i], w_);
      w_.extensions(calls[i]->extensions);
    }
    w_.end_object();
  }
  w_.end_array();
}

}  // namespace llmproxy::openai_chat
