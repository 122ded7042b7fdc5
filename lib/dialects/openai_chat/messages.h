// OpenAI Chat Completions: the messages of a request, both ways.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dialects/openai_chat/tables.h"

namespace llmproxy::openai_chat {

/// `messages`, appended to the request's. Errors name the place.
Result<void> read_messages(json::ObjectReader& reader, ChatRequest& request);
/// The cache marker of a part or a tool.
std::optional<CacheMarker> read_cache(json::ObjectReader& reader);

/// Writes the array `messages`. The API wants: text only in system, assistant
/// and tool messages; tool messages directly behind the call they answer.
class MessagesWriter {
 public:
  MessagesWriter(const ChatRequest& request, const EncodeOptions& options,
                 json::Writer& writer, Losses& losses);

  Result<void> write();

 private:
  using Parts = std::vector<const ContentPart*>;
  /// A part of a tool result that stands in a later user message.
  struct Moved {
    const ContentPart* part;
    std::string path;
  };

  void lose(std::string path, std::string what,
            LossKind kind = LossKind::dropped);
  void open_message(const Message& message, std::string_view role);
  void close_message(const Message& message);
  void write_system(const Message& message);
  void write_text_content(const Parts& texts);
  void write_text_part(const ContentPart& part);
  bool keeps_fields(const ContentPart& part) const;
  void write_part_fields(const ContentPart& part);
  void lose_part_fields(const Message& message, std::size_t index);
  Result<void> write_user(const Message& message);
  Result<void> write_user_parts(const Message& message, const Parts& parts);
  Result<void> write_user_part(const ContentPart& part,
                               const std::string& path);
  Result<void> write_image(const ImagePart& image, const ContentPart& part,
                           const std::string& path);
  Result<void> write_document(const DocumentPart& document,
                              const ContentPart& part, const std::string& path);
  Result<void> write_tool_result(const Message& message, std::size_t index);
  std::string result_text(const ToolResultPart& result,
                          const std::string& path);
  Result<void> write_moved();
  void write_assistant(const Message& message);
  void keep_reasoning(const ThinkingPart& thinking, const std::string& path,
                      std::string& reasoning);
  void write_calls(const Parts& calls,
                   const std::vector<std::string_view>& signatures);

  const ChatRequest& request_;
  const TargetTraits& traits_;
  json::Writer& w_;
  Losses& losses_;
  const bool same_dialect_;
  std::vector<Moved> moved_;
  bool wrote_message_ = false;
};

}  // namespace llmproxy::openai_chat
