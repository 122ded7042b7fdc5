// OpenAI Chat Completions: fitted messages to what an upstream gets.
#include "chat/losses.h"
#include "chat/turns.h"
#include "dialects/openai_chat/call_signatures.h"
#include "dialects/openai_chat/messages.h"
#include "dialects/openai_family/body.h"

namespace llmproxy::openai_chat {

bool user_may_say(const ContentPart& part) {
  return part.as<TextPart>() || part.as<ImagePart>() || part.as<AudioPart>() ||
         part.as<DocumentPart>();
}

MessagesWriter::MessagesWriter(const ChatRequest& request,
                               const TargetTraits& traits, json::Writer& writer,
                               Losses& losses)
    : request_(request), traits_(traits), w_(writer), losses_(losses) {}

Result<void> MessagesWriter::write() {
  w_.begin_array();
  for (const Message& message : request_.messages) {
    if (message.role != Role::user) LLMPROXY_TRY(write_moved());
    LLMPROXY_TRY(write_message(message));
  }
  LLMPROXY_TRY(write_moved());
  w_.end_array();
  if (wrote_message_) return {};
  return unsupported("nothing of these messages can be sent to OpenAI Chat",
                     request_.messages.empty()
                         ? std::string("/messages")
                         : path_of(request_.messages.back()));
}

// --- messages ---------------------------------------------------------------

Result<void> MessagesWriter::write_system(const Message& message) {
  Places texts;
  for (std::size_t i = 0; i < message.content.size(); ++i) {
    const ContentPart& part = message.content[i];
    const auto* text = part.as<TextPart>();
    if (text == nullptr) {
      lose(path_of(message, i),
           openai_family::parts_in(part, "system messages"));
    } else if (!text->text.empty()) {
      texts.push_back(i);
    }
  }
  if (texts.empty()) return {};
  open_message(message, to_wire(kRoles, message.role));
  LLMPROXY_TRY(write_content(message, texts));
  close_message(message);
  return {};
}

Result<void> MessagesWriter::write_message(const Message& message) {
  switch (message.role) {
    case Role::system:
    case Role::developer:
      return write_system(message);
    case Role::user:
      return write_user(message);
    case Role::assistant:
      return write_assistant(message);
  }
  return {};
}

Result<void> MessagesWriter::write_user(const Message& message) {
  Places rest;
  for (std::size_t i = 0; i < message.content.size(); ++i) {
    const ContentPart& part = message.content[i];
    if (part.as<ToolResultPart>() != nullptr) {
      LLMPROXY_TRY(write_tool_result(message, i));
    } else if (user_may_say(part)) {
      rest.push_back(i);
    } else {
      lose(path_of(message, i), openai_family::parts_in(part, "user messages"));
    }
  }
  // Tool messages directly follow their call; images they brought and the
  // rest of the turn come behind all of them.
  if (rest.empty()) return {};
  LLMPROXY_TRY(write_moved());
  open_message(message, "user");
  LLMPROXY_TRY(write_content(message, rest));
  close_message(message);
  return {};
}

Result<void> MessagesWriter::write_assistant(const Message& message) {
  const Answer answer = sorted(message);
  const bool is_mute = answer.calls.empty() && answer.refusals.empty();
  if (is_mute && answer.texts.empty() && answer.thinking.empty() &&
      message.extensions.empty()) {
    return {};
  }
  open_message(message, "assistant");
  if (!answer.texts.empty()) {
    LLMPROXY_TRY(write_content(message, answer.texts));
  } else if (is_mute) {
    w_.member("content", "");
  } else {
    w_.member_null("content");
  }
  write_thinking(answer.thinking);
  write_refusal(answer.refusals);
  write_tool_calls(message, answer.calls);
  close_message(message);
  return {};
}

/// What stands in members of its own, whatever its order was.
MessagesWriter::Answer MessagesWriter::sorted(const Message& message) {
  Answer answer;
  for (std::size_t i = 0; i < message.content.size(); ++i) {
    const ContentPart& part = message.content[i];
    if (const auto* text = part.as<TextPart>()) {
      if (!text->text.empty()) answer.texts.push_back(i);
    } else if (part.as<ToolCallPart>()) {
      answer.calls.push_back(i);
    } else if (const auto* refusal = part.as<RefusalPart>()) {
      if (!refusal->text.empty()) answer.refusals.push_back(refusal->text);
    } else if (const auto* thinking = part.as<ThinkingPart>()) {
      if (signs_a_call(message.content, i)) continue;
      if (!thinking->text.empty()) answer.thinking.push_back(thinking->text);
      if (!thinking->signature.empty() || !thinking->redacted_data.empty()) {
        lose(path_of(message, i), "signatures of thinking");
      }
    } else {
      lose(path_of(message, i),
           openai_family::parts_in(part, "assistant messages"));
    }
  }
  return answer;
}

void MessagesWriter::open_message(const Message& message,
                                  std::string_view role) {
  wrote_message_ = true;
  w_.begin_object();
  w_.member("role", role);
  w_.member_if("name", message.name);
}

void MessagesWriter::close_message(const Message& message) {
  w_.extensions(message.extensions);
  w_.end_object();
}

/// One plain text is a string, several or marked ones stay parts.
Result<void> MessagesWriter::write_content(const Message& message,
                                           const Places& places) {
  w_.key("content");
  const ContentPart& first = message.content[places.front()];
  const auto* text = first.as<TextPart>();
  if (places.size() == 1 && text != nullptr && !first.cache &&
      first.extensions.empty()) {
    w_.string(text->text);
    return {};
  }
  w_.begin_array();
  for (const std::size_t place : places) {
    LLMPROXY_TRY(write_part(message.content[place], path_of(message, place)));
  }
  w_.end_array();
  return {};
}

// --- parts ------------------------------------------------------------------

/// One that user_may_say().
Result<void> MessagesWriter::write_part(const ContentPart& part,
                                        const std::string& path) {
  w_.begin_object();
  if (const auto* text = part.as<TextPart>()) {
    write_text(*text);
  } else if (const auto* image = part.as<ImagePart>()) {
    LLMPROXY_TRY(write_image(*image, path));
  } else if (const auto* audio = part.as<AudioPart>()) {
    write_audio(*audio);
  } else if (const auto* document = part.as<DocumentPart>()) {
    LLMPROXY_TRY(write_document(*document, path));
  }
  if (part.cache) write_cache(*part.cache);
  w_.extensions(part.extensions);
  w_.end_object();
  return {};
}

void MessagesWriter::write_text(const TextPart& text) {
  w_.member("type", "text");
  w_.member("text", text.text);
}

Result<void> MessagesWriter::write_image(const ImagePart& image,
                                         const std::string& path) {
  if (image.source.kind == MediaKind::file_id) {
    return unsupported(
        "OpenAI Chat takes images as bytes or by URL, not by file id", path);
  }
  w_.member("type", "image_url");
  w_.begin_object("image_url");
  openai_family::write_source("url", image.source, w_);
  w_.member_if("detail", image.detail);
  w_.end_object();
  return {};
}

void MessagesWriter::write_audio(const AudioPart& audio) {
  openai_family::write_input_audio(audio, w_);
}

Result<void> MessagesWriter::write_document(const DocumentPart& document,
                                            const std::string& path) {
  const MediaSource& source = document.source;
  LLMPROXY_TRY(openai_family::check_document(document, path, kTarget, losses_));
  if (source.kind == MediaKind::text) {
    w_.member("type", "text");
    openai_family::write_document_text(document, w_);
    return {};
  }
  w_.member("type", "file");
  w_.begin_object("file");
  if (source.kind == MediaKind::file_id) {
    w_.member("file_id", source.data);
  } else {
    w_.member("filename", openai_family::name_of(document));
    openai_family::write_source("file_data", source, w_);
  }
  w_.end_object();
  return {};
}

void MessagesWriter::write_tool_calls(const Message& message,
                                      const Places& calls) {
  if (calls.empty()) return;
  if (request_.legacy_functions && calls.size() == 1) {
    const auto& call = *message.content[calls[0]].as<ToolCallPart>();
    w_.begin_object("function_call");
    w_.member("name", call.name);
    w_.member("arguments", call.arguments);
    w_.end_object();
    return;
  }
  w_.begin_array("tool_calls");
  for (const std::size_t place : calls) write_tool_call(message, place);
  w_.end_array();
}

void MessagesWriter::write_tool_call(const Message& message,
                                     std::size_t place) {
  const ContentPart& part = message.content[place];
  const auto& call = *part.as<ToolCallPart>();
  const std::string_view type = openai_family::type_of(call.custom);
  if (part.cache) {
    lose(path_of(*part.cache, path_of(message, place)),
         "cache markers on tool calls");
  }
  w_.begin_object();
  w_.member("id", call.id);
  w_.member("type", type);
  w_.begin_object(type);
  w_.member("name", call.name);
  openai_family::write_arguments(call, w_);
  w_.end_object();
  write_call_signature(call_signature(message.content, place), w_);
  w_.extensions(part.extensions);
  w_.end_object();
}

void MessagesWriter::write_thinking(const Texts& texts) {
  if (texts.empty()) return;
  w_.key("reasoning_content");
  w_.joined(texts);
}

void MessagesWriter::write_refusal(const Texts& texts) {
  if (texts.empty()) return;
  w_.key("refusal");
  w_.joined(texts);
}

void MessagesWriter::write_cache(const CacheMarker& marker) {
  if (!traits_.cache_markers) {
    return openai_family::write_breakpoint(marker, w_);
  }
  w_.begin_object("cache_control");
  w_.member("type", "ephemeral");
  w_.member_if("ttl", marker.ttl);
  w_.end_object();
}

void MessagesWriter::lose(const std::string& path, std::string_view thing) {
  llmproxy::lose(losses_, path, kTarget, thing);
}

}  // namespace llmproxy::openai_chat
