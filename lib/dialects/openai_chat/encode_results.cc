// OpenAI Chat Completions: results of tools, which are messages of their own
// here and mostly of text only.
#include <fmt/format.h>

#include <algorithm>

#include "chat/losses.h"
#include "chat/turns.h"
#include "dialects/openai_chat/messages.h"
#include "dialects/openai_family/body.h"

namespace llmproxy::openai_chat {

Result<void> MessagesWriter::write_tool_result(const Message& message,
                                               std::size_t place) {
  const ContentPart& part = message.content[place];
  const auto& result = *part.as<ToolResultPart>();
  const std::string path = path_of(message, place);
  const auto& content = result.content;
  const bool only_text = std::all_of(
      content.begin(), content.end(),
      [](const ContentPart& child) { return child.as<TextPart>() != nullptr; });
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
    w_.begin_object();
    w_.member("type", "text");
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

Result<void> MessagesWriter::write_result_parts(const ToolResultPart& result,
                                                const std::string& path) {
  w_.begin_array();
  std::size_t index = 0;
  for (const ContentPart& child : result.content) {
    const std::string child_path = path_of(path, child, index++);
    if (user_may_say(child)) {
      LLMPROXY_TRY(write_part(child, child_path));
    } else {
      lose(child_path, openai_family::parts_in(child, "tool results"));
    }
  }
  w_.end_array();
  return {};
}

/// The text of a tool result; images and documents are put aside for a user
/// message behind the results, and named in the text.
std::string MessagesWriter::result_text(const ToolResultPart& result,
                                        const std::string& path) {
  std::string text;
  std::size_t index = 0;
  for (const ContentPart& child : result.content) {
    append_result(child, path_of(path, child, index++), text);
  }
  return result.is_error ? marked_as_error(text) : text;
}

void MessagesWriter::append_result(const ContentPart& part,
                                   const std::string& path, std::string& text) {
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
                          openai_family::parts_in(part, "tool results"),
                          "the part moved to a user message behind them");
  }
  if (part.cache) {
    lose(path_of(*part.cache, path), "cache markers within tool results");
  }
  if (const auto* said = part.as<TextPart>()) {
    append(said->text);
  } else {
    lose(path, openai_family::parts_in(part, "tool results"));
  }
}

/// Images and documents of tool results, behind the tool messages.
Result<void> MessagesWriter::write_moved() {
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

}  // namespace llmproxy::openai_chat
