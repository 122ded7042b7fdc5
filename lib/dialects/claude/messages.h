// Anthropic Messages: the turns of a request, both ways.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dialects/anthropic_family/turn_builder.h"
#include "dialects/claude/body.h"

namespace llmproxy::claude {

/// `system` and `messages`, appended to the request's. Errors name the place.
Result<void> read_system(json::ObjectReader& reader, ChatRequest& request);
Result<void> read_messages(json::ObjectReader& reader, ChatRequest& request);
/// The cache marker of a block or a tool.
std::optional<CacheMarker> read_cache(json::ObjectReader& reader);

/// Writes `system` and `messages` of a fitted request, after the rules of
/// TurnBuilder.
class MessagesWriter {
 public:
  /// `title` is for losses: "Anthropic". All of them outlive this.
  MessagesWriter(const ChatRequest& request, const EncodeOptions& options,
                 std::string_view title, json::Writer& writer, Losses& losses);

  Result<void> write();
  /// cache_control, if `cache` is set and within the limit; markers are
  /// counted in the order of the prompt: tools, system, messages.
  void write_cache(const std::optional<CacheMarker>& cache,
                   const std::string& path);

 private:
  using PlacedPart = anthropic_family::TurnBuilder::PlacedPart;
  using Parts = std::vector<PlacedPart>;
  using Turn = anthropic_family::TurnBuilder::Turn;

  Result<void> write_system(const Parts& parts);
  Result<void> write_message(const Turn& turn);
  Result<void> write_content(const Parts& parts);
  Result<void> write_part(const PlacedPart& placed);
  Result<void> write_value(const ContentPart& part, const std::string& path);
  void write_text(const TextPart& text);
  Result<void> write_image(const ImagePart& image, const std::string& path);
  Result<void> write_document(const DocumentPart& document,
                              const std::string& path);
  void write_source(MediaKind kind, std::string_view media_type,
                    std::string_view data);
  void write_tool_call(const ToolCallPart& call, const std::string& path);
  Result<void> write_tool_result(const ToolResultPart& result,
                                 const std::string& path);
  void write_thinking(const ThinkingPart& thinking);
  void write_refusal(const RefusalPart& refusal, const std::string& path);
  void write_opaque(const OpaquePart& part);

  const std::string_view title_;
  json::Writer& w_;
  anthropic_family::TurnBuilder builder_;
};

}  // namespace llmproxy::claude
