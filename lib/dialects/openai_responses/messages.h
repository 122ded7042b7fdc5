// OpenAI Responses: the items of a request, both ways.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "dialects/openai_responses/tables.h"

namespace llmproxy::openai_responses {

/// `instructions` and `input`, appended to the request's messages (and, for
/// additional_tools, tools). Errors name the place.
Result<void> read_system(json::ObjectReader& reader, ChatRequest& request);
Result<void> read_messages(json::ObjectReader& reader, ChatRequest& request);
/// One entry of `tools`, which may be a namespace of several.
Result<void> read_tool(const json::Value& value, const std::string& path,
                       ChatRequest& request);
/// The cache marker of a part or a tool.
std::optional<CacheMarker> read_cache(json::ObjectReader& reader);
/// "<namespace>__<name>", or the name alone.
std::string full_tool_name(std::string_view name_space, std::string_view name);

/// The other way; the whole name where it does not begin with the namespace.
std::string_view name_within(const ToolDefinition& tool);

/// Writes `instructions` and `input`.
class ItemsWriter {
 public:
  ItemsWriter(const ChatRequest& request, const EncodeOptions& options,
              json::Writer& writer, Losses& losses);
  Result<void> write();

 private:
  void lose(std::string path, std::string what,
            LossKind kind = LossKind::dropped);
  std::size_t write_instructions();
  Result<void> write_message(const Message& message);
  void write_head(const Message& message, const ContentPart* first);
  Result<void> write_texts(const Message& message, std::size_t& index);
  Result<void> write_part(const ContentPart& part, const std::string& path,
                          bool of_model);
  Result<void> write_image(const ImagePart& image, const std::string& path);
  Result<void> write_document(const DocumentPart& document,
                              const std::string& path);
  void write_thinking(const ContentPart& part, const ThinkingPart& thinking,
                      const std::string& path);
  void write_call(const ContentPart& part, const ToolCallPart& call);
  Result<void> write_result(const ContentPart& part,
                            const ToolResultPart& result,
                            const std::string& path);
  void write_item_fields(const ContentPart& part);
  bool is_custom_call(std::string_view call_id) const;
  void lose_part_fields(const ContentPart& part, const std::string& path);

  const ChatRequest& request_;
  const EncodeOptions& options_;
  json::Writer& w_;
  Losses& losses_;
  const bool same_dialect_;
  bool wrote_item_ = false;  ///< `input` must not be empty
  /// Whether the arguments of a call are free text, by its id.
  std::map<std::string_view, bool> custom_calls_;
  /// Tools that were declared in a namespace, by their full names.
  std::map<std::string_view, const ToolDefinition*> namespaced_;
};

}  // namespace llmproxy::openai_responses
