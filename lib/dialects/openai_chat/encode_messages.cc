// OpenAI Chat Completions: fitted messages to what an upstream gets.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "chat/losses.h"
#include "chat/turns.h"
#include "dialects/openai_chat/call_signatures.h"
#include "dialects/openai_chat/messages.h"
#include "dialects/openai_family/body.h"

namespace llmproxy::openai_chat {
namespace {

using openai_family::parts_in;

bool is_text(const ContentPart& part) { return part.as<TextPart>(); }

/// Parts that a user message can hold here.
bool user_may_say(const ContentPart& part) {
  return is_text(part) || part.as<ImagePart>() || part.as<AudioPart>() ||
         part.as<DocumentPart>();
}

/// The API wants: text only in system, assistant and tool messages; tool
/// messages directly behind the call they answer.
class MessagesWriter {
 public:
  MessagesWriter(const ChatRequest& request, const TargetTraits& traits,
                 json::Writer& writer, Losses& losses)
      : request_(request), traits_(traits), w_(writer), losses_(losses) {}

  Result<void> write() {
    w_.begin_array();
    for (const Message& message : request_.messages) {
      if (message.role != Role::user) LLMPROXY_TRY(write_moved());
      LLMPROXY_TRY(write_message(message));
    }
    LLMPROXY_TRY(write_moved());
    w_.end_array();
    if (wrote_message_) return {};
    return nothing_to_send(request_, kTarget);
  }

 private:
  using Texts = std::vector<std::string_view>;
  using Places = std::vector<std::size_t>;
  /// What an assistant message is written from; places in its content.
  struct Answer {
    Places texts;
    Places calls;
    Texts thinking;
    Texts refusals;
  };
  /// A part of a tool result that stands in a later user message.
  struct Moved {
    const ContentPart* part;
    std::string path;
  };

  // --- messages --------------------------------------------------------------

  Result<void> write_system(const Message& message) {
    Places texts;
    for (std::size_t i = 0; i < message.content.size(); ++i) {
      const ContentPart& part = message.content[i];
      const auto* text = part.as<TextPart>();
      if (text == nullptr) {
        lose(path_of(message, i), parts_in(part, "system messages"));
      } else if (!text->text.empty()) {
        texts.push_back(i);
      }
    }
    return write_said(message, texts);
  }

  Result<void> write_message(const Message& message) {
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

  Result<void> write_user(const Message& message) {
    Places rest;
    for (std::size_t i = 0; i < message.content.size(); ++i) {
      const ContentPart& part = message.content[i];
      if (part.as<ToolResultPart>() != nullptr) {
        LLMPROXY_TRY(write_tool_result(message, i));
      } else if (user_may_say(part)) {
        rest.push_back(i);
      } else {
        lose(path_of(message, i), parts_in(part, "user messages"));
      }
    }
    // Tool messages directly follow their call; images they brought and the
    // rest of the turn come behind all of them.
    if (rest.empty()) return {};
    LLMPROXY_TRY(write_moved());
    return write_said(message, rest);
  }

  Result<void> write_assistant(const Message& message) {
    const Answer answer = sorted(message);
    const bool is_mute = answer.calls.empty() && answer.refusals.empty();
    if (is_mute && answer.texts.empty() && answer.thinking.empty() &&
        message.extensions.empty()) {
      return {};
    }
    open_message(message);
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
  Answer sorted(const Message& message) {
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
        lose(path_of(message, i), parts_in(part, "assistant messages"));
      }
    }
    return answer;
  }

  Result<void> write_said(const Message& message, const Places& places) {
    if (places.empty()) return {};
    open_message(message);
    LLMPROXY_TRY(write_content(message, places));
    close_message(message);
    return {};
  }

  void open_message(const Message& message) {
    wrote_message_ = true;
    w_.begin_object();
    w_.member("role", to_wire(kRoles, message.role));
    w_.member_if("name", message.name);
  }

  void close_message(const Message& message) {
    w_.extensions(message.extensions);
    w_.end_object();
  }

  /// One plain text is a string, several or marked ones stay parts.
  Result<void> write_content(const Message& message, const Places& places) {
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

  // --- parts -----------------------------------------------------------------

  /// One that user_may_say().
  Result<void> write_part(const ContentPart& part, const std::string& path) {
    w_.begin_object();
    if (const auto* text = part.as<TextPart>()) {
      write_text(*text);
    } else if (const auto* image = part.as<ImagePart>()) {
      LLMPROXY_TRY(write_image(*image, path));
    } else if (const auto* audio = part.as<AudioPart>()) {
      openai_family::write_audio(*audio, w_);
    } else if (const auto* document = part.as<DocumentPart>()) {
      LLMPROXY_TRY(write_document(*document, path));
    }
    if (part.cache) write_cache(*part.cache);
    w_.extensions(part.extensions);
    w_.end_object();
    return {};
  }

  void write_text(const TextPart& text) {
    w_.member("type", "text");
    w_.member("text", text.text);
  }

  Result<void> write_image(const ImagePart& image, const std::string& path) {
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

  Result<void> write_document(const DocumentPart& document,
                              const std::string& path) {
    const MediaSource& source = document.source;
    LLMPROXY_TRY(
        openai_family::check_document(document, path, kTarget, losses_));
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

  void write_tool_calls(const Message& message, const Places& calls) {
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

  void write_tool_call(const Message& message, std::size_t place) {
    const ContentPart& part = message.content[place];
    const auto& call = *part.as<ToolCallPart>();
    if (part.cache) {
      lose(path_of(*part.cache, path_of(message, place)),
           "cache markers on tool calls");
    }
    begin_tool_call(call, call_signature(message.content, place), w_);
    w_.extensions(part.extensions);
    w_.end_object();
  }

  Result<void> write_tool_result(const Message& message, std::size_t place) {
    const ContentPart& part = message.content[place];
    const auto& result = *part.as<ToolResultPart>();
    const std::string path = path_of(message, place);
    const auto& content = result.content;
    const bool only_text = std::all_of(content.begin(), content.end(), is_text);
    const bool sendable =
        std::any_of(content.begin(), content.end(), user_may_say);
    wrote_message_ = true;
    w_.begin_object();
    w_.member("role", "tool");
    w_.member("tool_call_id", result.call_id);
    w_.key("content");
    if (traits_.tool_result_images && !only_text && sendable) {
      if (part.cache) {
        lose(path_of(*part.cache, path),
             "cache markers on tool results with images");
      }
      LLMPROXY_TRY(write_result_parts(result, path));
    } else if (part.cache) {
      w_.begin_array();
      w_.begin_typed("text");
      w_.member("text", result_text(result, path));
      write_cache(*part.cache);
      w_.end_object();
      w_.end_array();
    } else {
      w_.string(result_text(result, path));
    }
    w_.extensions(message.extensions);
    w_.end_object();
    return {};
  }

  Result<void> write_result_parts(const ToolResultPart& result,
                                  const std::string& path) {
    w_.begin_array();
    std::size_t index = 0;
    for (const ContentPart& child : result.content) {
      const std::string child_path = path_of(path, child, index++);
      if (user_may_say(child)) {
        LLMPROXY_TRY(write_part(child, child_path));
      } else {
        lose(child_path, parts_in(child, "tool results"));
      }
    }
    w_.end_array();
    return {};
  }

  /// The text of a tool result; images and documents are put aside for a user
  /// message behind the results, and named in the text.
  std::string result_text(const ToolResultPart& result,
                          const std::string& path) {
    std::string text;
    std::size_t index = 0;
    for (const ContentPart& child : result.content) {
      append_result(child, path_of(path, child, index++), text);
    }
    return result.is_error ? marked_as_error(text) : text;
  }

  void append_result(const ContentPart& part, const std::string& path,
                     std::string& text) {
    const bool is_image = part.as<ImagePart>() != nullptr;
    const auto append = [&](std::string_view piece) {
      if (!text.empty() && !piece.empty()) text += '\n';
      text += piece;
    };
    if (is_image || part.as<DocumentPart>()) {
      moved_.push_back({&part, path});
      append(fmt::format("[{} {} attached in the next user message]",
                         is_image ? "image" : "document", moved_.size()));
      return llmproxy::lose(losses_, path, kTarget,
                            parts_in(part, "tool results"),
                            "the part moved to a user message behind them");
    }
    if (part.cache) {
      lose(path_of(*part.cache, path), "cache markers within tool results");
    }
    if (const auto* said = part.as<TextPart>()) {
      append(said->text);
    } else {
      lose(path, parts_in(part, "tool results"));
    }
  }

  /// Images and documents of tool results, behind the tool messages.
  Result<void> write_moved() {
    if (moved_.empty()) return {};
    w_.begin_object();
    w_.member("role", "user");
    w_.begin_array("content");
    for (const auto& [part, path] : moved_) {
      LLMPROXY_TRY(write_part(*part, path));
    }
    w_.end_array();
    w_.end_object();
    moved_.clear();
    return {};
  }

  void write_thinking(const Texts& texts) {
    write_texts("reasoning_content", texts);
  }
  void write_refusal(const Texts& texts) { write_texts("refusal", texts); }

  void write_cache(const CacheMarker& marker) {
    if (!traits_.cache_markers) {
      return openai_family::write_breakpoint(marker, w_);
    }
    w_.begin_typed("cache_control", "ephemeral");
    w_.member_if("ttl", marker.ttl);
    w_.end_object();
  }

  void write_texts(std::string_view member, const Texts& texts) {
    if (texts.empty()) return;
    w_.key(member);
    w_.joined(texts);
  }

  void lose(const std::string& path, std::string_view thing) {
    llmproxy::lose(losses_, path, kTarget, thing);
  }

  const ChatRequest& request_;
  const TargetTraits& traits_;
  json::Writer& w_;
  Losses& losses_;
  std::vector<Moved> moved_;
  bool wrote_message_ = false;
};

}  // namespace

Result<void> write_messages(const ChatRequest& request,
                            const TargetTraits& traits, json::Writer& writer,
                            Losses& losses) {
  return MessagesWriter(request, traits, writer, losses).write();
}

}  // namespace llmproxy::openai_chat
