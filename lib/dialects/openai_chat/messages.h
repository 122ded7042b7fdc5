// OpenAI Chat Completions: the messages of a request, both ways.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dialects/openai_chat/tables.h"

namespace llmproxy::openai_chat {

/// The API's name in losses.
inline constexpr std::string_view kTarget = "OpenAI Chat";

/// `messages`, appended to the request's. Errors name the place.
Result<void> read_messages(json::ObjectReader& reader, ChatRequest& request);
/// The cache marker of a part or a tool.
std::optional<CacheMarker> read_cache(json::ObjectReader& reader);

/// Parts that a user message can hold here.
bool user_may_say(const ContentPart& part);

/// Writes the array `messages` of a fitted request. The API wants: text only in
/// system, assistant and tool messages; tool messages directly behind the call
/// they answer.
class MessagesWriter {
 public:
  MessagesWriter(const ChatRequest& request, const TargetTraits& traits,
                 json::Writer& writer, Losses& losses);

  Result<void> write();

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

  Result<void> write_system(const Message& message);
  Result<void> write_message(const Message& message);
  Result<void> write_user(const Message& message);
  Result<void> write_assistant(const Message& message);
  Answer sorted(const Message& message);
  void open_message(const Message& message, std::string_view role);
  void close_message(const Message& message);
  Result<void> write_content(const Message& message, const Places& places);
  Result<void> write_moved();

  Result<void> write_part(const ContentPart& part, const std::string& path);
  void write_text(const TextPart& text);
  Result<void> write_image(const ImagePart& image, const std::string& path);
  void write_audio(const AudioPart& audio);
  Result<void> write_document(const DocumentPart& document,
                              const std::string& path);
  void write_tool_calls(const Message& message, const Places& calls);
  void write_tool_call(const Message& message, std::size_t place);
  Result<void> write_tool_result(const Message& message, std::size_t place);
  Result<void> write_result_parts(const ToolResultPart& result,
                                  const std::string& path);
  std::string result_text(const ToolResultPart& result,
                          const std::string& path);
  void append_result(const ContentPart& part, const std::string& path,
                     std::string& text);
  void write_thinking(const Texts& texts);
  void write_refusal(const Texts& texts);
  void write_cache(const CacheMarker& marker);
  void lose(const std::string& path, std::string_view thing);

  const ChatRequest& request_;
  const TargetTraits& traits_;
  json::Writer& w_;
  Losses& losses_;
  std::vector<Moved> moved_;
  bool wrote_message_ = false;
};

}  // namespace llmproxy::openai_chat
