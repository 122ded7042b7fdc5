// OpenAI Chat Completions: fitted messages to what an upstream gets.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/text.h"
#include "chat/losses.h"
#include "chat/turns.h"
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

/// There is something to send that no text can say.
bool is_more_than_text(const std::vector<ContentPart>& content) {
  return !std::all_of(content.begin(), content.end(), is_text) &&
         std::any_of(content.begin(), content.end(), user_may_say);
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
  /// What a message says, by the member it stands in, whatever its order was;
  /// places in the message's content.
  struct Said {
    Places content;
    Texts thinking;
    Texts refusals;
    Places calls;
  };
  /// A part of a tool result that stands in a later user message.
  struct Moved {
    const ContentPart* part;
    std::string path;
  };

  // --- messages --------------------------------------------------------------

  Result<void> write_message(const Message& message) {
    const std::string_view role =
        is_system(message) ? "system" : to_wire(kRoles, message.role);
    Said said;
    for (std::size_t i = 0; i < message.content.size(); ++i) {
      const ContentPart& part = message.content[i];
      if (message.role == Role::user && part.as<ToolResultPart>()) {
        LLMPROXY_TRY(write_tool_result(message, i));
      } else if (!take(message, i, said)) {
        lose(path_of(message, i),
             parts_in(part, fmt::format("{} messages", role)));
      }
    }
    return write_said(message, said);
  }

  /// Notes what is said, but for empty texts; false for what such a message
  /// cannot hold.
  bool take(const Message& message, std::size_t place, Said& said) {
    const ContentPart& part = message.content[place];
    if (message.role == Role::user) {
      if (!user_may_say(part)) return false;
      said.content.push_back(place);
    } else if (const auto* text = part.as<TextPart>()) {
      if (!text->text.empty()) said.content.push_back(place);
    } else if (message.role != Role::assistant) {
      return false;
    } else if (part.as<ToolCallPart>()) {
      said.calls.push_back(place);
    } else if (const auto* refusal = part.as<RefusalPart>()) {
      if (!refusal->text.empty()) said.refusals.push_back(refusal->text);
    } else if (const auto* thinking = part.as<ThinkingPart>()) {
      if (signs_a_call(message.content, place)) return true;
      if (!thinking->text.empty()) said.thinking.push_back(thinking->text);
      if (!thinking->signature.empty() || !thinking->redacted_data.empty()) {
        lose(path_of(message, place), "signatures of thinking");
      }
    } else {
      return false;
    }
    return true;
  }

  Result<void> write_said(const Message& message, const Said& said) {
    const bool is_mute = said.calls.empty() && said.refusals.empty();
    const bool is_empty =
        is_mute && said.content.empty() && said.thinking.empty();
    const bool of_model = message.role == Role::assistant;
    if (is_empty && (!of_model || message.extensions.empty())) return {};
    // Tool messages directly follow their call; images they brought and the
    // rest of the turn come behind all of them.
    LLMPROXY_TRY(write_moved());
    open_message(to_wire(kRoles, message.role));
    w_.member_if("name", message.name);
    if (!said.content.empty()) {
      LLMPROXY_TRY(write_content(message, said.content));
    } else if (is_mute) {
      w_.member("content", "");
    } else {
      w_.member_null("content");
    }
    write_thinking(said.thinking);
    write_refusal(said.refusals);
    write_tool_calls(message, said.calls);
    w_.extensions(message.extensions);
    w_.end_object();
    return {};
  }

  void open_message(std::string_view role) {
    wrote_message_ = true;
    w_.begin_object();
    w_.member("role", role);
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
    if (const auto* text = part.as<TextPart>()) {
      write_text(*text);
    } else if (const auto* image = part.as<ImagePart>()) {
      LLMPROXY_TRY(write_image(*image, path));
    } else if (const auto* audio = part.as<AudioPart>()) {
      LLMPROXY_TRY(write_audio(*audio, path));
    } else if (const auto* document = part.as<DocumentPart>()) {
      LLMPROXY_TRY(write_document(*document, path));
    }
    if (part.cache) write_cache(*part.cache);
    w_.extensions(part.extensions);
    w_.end_object();
    return {};
  }

  void write_text(const TextPart& text) {
    w_.begin_typed("text");
    w_.member("text", text.text);
  }

  Result<void> write_image(const ImagePart& image, const std::string& path) {
    if (image.source.kind == MediaKind::file_id) {
      return unsupported(
          "OpenAI Chat takes images as bytes or by URL, not by file id", path);
    }
    w_.begin_typed("image_url");
    w_.begin_object("image_url");
    openai_family::write_source("url", image.source, w_);
    w_.member_if("detail", image.detail);
    w_.end_object();
    return {};
  }

  Result<void> write_audio(const AudioPart& audio, const std::string& path) {
    constexpr std::string_view kFormats[] = {"wav", "mp3"};
    if (!listed(kFormats, audio.format)) {
      return unsupported(fmt::format("{} takes wav and mp3 audio, no {}",
                                     kTarget, audio.format),
                         path);
    }
    w_.begin_object();
    openai_family::write_audio(audio, w_);
    return {};
  }

  Result<void> write_document(const DocumentPart& document,
                              const std::string& path) {
    const MediaSource& source = document.source;
    w_.begin_object();
    LLMPROXY_ASSIGN(const bool is_text,
                    openai_family::write_as_text(document, "text", path,
                                                 kTarget, w_, losses_));
    if (is_text) return {};
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
      return w_.end_object();
    }
    w_.begin_array("tool_calls");
    for (const std::size_t place : calls) write_tool_call(message, place);
    w_.end_array();
  }

  void write_tool_call(const Message& message, std::size_t place) {
    const ContentPart& part = message.content[place];
    if (part.cache) {
      lose(path_of(*part.cache, path_of(message, place)),
           "cache markers on tool calls");
    }
    begin_tool_call(message.content, place, w_);
    w_.extensions(part.extensions);
    w_.end_object();
  }

  Result<void> write_tool_result(const Message& message, std::size_t place) {
    const ContentPart& part = message.content[place];
    const auto& result = *part.as<ToolResultPart>();
    const std::string path = path_of(message, place);
    open_message("tool");
    w_.member("tool_call_id", result.call_id);
    w_.key("content");
    if (traits_.tool_result_images && is_more_than_text(result.content)) {
      if (part.cache) {
        lose(path_of(*part.cache, path),
             "cache markers on tool results with images");
      }
      LLMPROXY_TRY(write_result_parts(result, path));
    } else if (part.cache) {
      w_.begin_array();
      LLMPROXY_TRY(write_part(
          {TextPart{result_text(result, path), {}}, part.cache, {}, {}}, path));
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
      const std::string child_path = path_of(path, child, index++);
      const bool moves = child.as<ImagePart>() || child.as<DocumentPart>();
      if (child.cache && !moves) {
        lose(path_of(*child.cache, child_path),
             "cache markers within tool results");
      }
      const auto* said = child.as<TextPart>();
      const std::string label =
          said != nullptr ? "" : put_aside(child, child_path);
      const std::string_view piece = said != nullptr ? said->text : label;
      if (!text.empty() && !piece.empty()) text += '\n';
      text += piece;
    }
    return result.is_error ? marked_as_error(text) : text;
  }

  /// What stands for a part in the text of its result; empty = it is lost.
  std::string put_aside(const ContentPart& part, const std::string& path) {
    const bool is_image = part.as<ImagePart>() != nullptr;
    if (!is_image && !part.as<DocumentPart>()) {
      lose(path, parts_in(part, "tool results"));
      return {};
    }
    moved_.push_back({&part, path});
    llmproxy::lose(losses_, path, kTarget, parts_in(part, "tool results"),
                   "the part moved to a user message behind them");
    return fmt::format("[{} {} attached in the next user message]",
                       is_image ? "image" : "document", moved_.size());
  }

  /// Images and documents of tool results, behind the tool messages.
  Result<void> write_moved() {
    if (moved_.empty()) return {};
    open_message("user");
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
