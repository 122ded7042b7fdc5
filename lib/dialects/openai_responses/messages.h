// OpenAI Responses: the items of a request, both ways.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "dialects/openai_responses/tables.h"

namespace llmproxy::openai_responses {

/// The API's name in losses.
inline constexpr std::string_view kTarget = "OpenAI Responses";

/// `instructions` and `input`, appended to the request's messages (and, for
/// additional_tools, tools). Errors name the place.
Result<void> read_system(json::ObjectReader& reader, ChatRequest& request);
Result<void> read_messages(json::ObjectReader& reader, ChatRequest& request);
/// One entry of `tools`, which may be a namespace of several.
Result<void> read_tool(const json::Value& value, const std::string& path,
                       ChatRequest& request);
/// The cache marker of a part or a tool.
std::optional<CacheMarker> read_cache(json::ObjectReader& reader);
/// The texts of a summary as one.
std::string joined_texts(const json::Value& texts);
/// "<namespace>__<name>", or the name alone.
std::string full_tool_name(std::string_view name_space, std::string_view name);

/// The other way; the whole name where it does not begin with the namespace.
std::string_view name_within(const ToolDefinition& tool);

/// Writes `instructions` and `input` of a fitted request.
class MessagesWriter {
 public:
  MessagesWriter(const ChatRequest& request, json::Writer& writer,
                 Losses& losses);

  Result<void> write();

 private:
  /// Where a content part stands, which its type depends on.
  enum class Place {
    input,    ///< what the model reads
    output,   ///< what it wrote
    failure,  ///< input that begins the result of a tool that failed
  };

  std::size_t write_system();
  Result<void> write_message(const Message& message);
  Result<void> write_item(const Message& message, std::size_t& index);
  Result<void> write_part(const ContentPart& part, const std::string& path,
                          Place place);
  void write_text(const TextPart& text, Place place);
  void write_image(const ImagePart& image);
  void write_audio(const AudioPart& audio);
  Result<void> write_document(const DocumentPart& document,
                              const std::string& path);
  void write_tool_call(const ContentPart& part, const ToolCallPart& call,
                       const std::string& path);
  Result<void> write_tool_result(const ContentPart& part,
                                 const ToolResultPart& result,
                                 const std::string& path);
  Result<void> write_result_parts(const ToolResultPart& result,
                                  const std::string& path);
  void write_thinking(const ContentPart& part, const ThinkingPart& thinking,
                      const std::string& path);
  void write_refusal(const RefusalPart& refusal, Place place);
  void write_opaque(const OpaquePart& opaque);
  void write_cache(const CacheMarker& marker);
  void open_item(std::string_view type);
  void close_item(const ContentPart& part, const std::string& path);
  bool is_custom_call(std::string_view call_id) const;
  void lose(const std::string& path, std::string_view thing);

  const ChatRequest& request_;
  json::Writer& w_;
  Losses& losses_;
  bool wrote_item_ = false;  ///< `input` must not be empty
  /// Whether the arguments of a call are free text, by its id.
  std::map<std::string_view, bool> custom_calls_;
  /// Tools that were declared in a namespace, by their full names.
  std::map<std::string_view, const ToolDefinition*> namespaced_;
};

}  // namespace llmproxy::openai_responses
