// Amazon Bedrock Converse: the turns of a request, both ways.
#pragma once

#include <string>
#include <vector>

#include "dialects/anthropic_family/turn_builder.h"
#include "dialects/bedrock_converse/document_names.h"
#include "dialects/bedrock_converse/tables.h"

namespace llmproxy::bedrock_converse {

/// `system` and `messages`, appended to the request's. Errors name the place.
Result<void> read_system(json::ObjectReader& reader, ChatRequest& request);
Result<void> read_messages(json::ObjectReader& reader, ChatRequest& request);
/// Content blocks of a message or an answer.
Result<std::vector<ContentPart>> read_blocks(json::Value blocks,
                                             const std::string& path);
/// The marker in a cachePoint.
CacheMarker read_cache(json::Value point);

/// Writes `system` and `messages` of a fitted request, after the rules of
/// TurnBuilder. A cache point is an element of its own behind what it covers.
class MessagesWriter {
 public:
  MessagesWriter(const ChatRequest& request, const EncodeOptions& options,
                 json::Writer& writer, Losses& losses);

  Result<void> write();
  /// A cachePoint, if `cache` is set and within the limit.
  void write_cache(const std::optional<CacheMarker>& cache,
                   const std::string& path);

 private:
  using PlacedPart = anthropic_family::TurnBuilder::PlacedPart;
  using Parts = std::vector<PlacedPart>;
  using Turn = anthropic_family::TurnBuilder::Turn;

  Result<void> write_system(const Parts& parts);
  void add_text_beside_documents(Turn& turn);
  Result<void> write_message(const Turn& turn);
  Result<void> write_content(const Parts& parts);
  Result<void> write_part(const ContentPart& part, const std::string& path);
  Result<void> write_value(const ContentPart& part, const std::string& path);
  void write_text(const ContentPart& part, const TextPart& text);
  void write_cited_text(const ContentPart& part, const TextPart& text);
  Result<void> write_image(const ImagePart& image, const std::string& path);
  Result<void> write_audio(const AudioPart& audio, const std::string& path);
  Result<void> write_document(const DocumentPart& document,
                              const std::string& path);
  Result<void> write_media(const MediaSource& source, const std::string& path);
  void write_tool_call(const ToolCallPart& call, const std::string& path);
  Result<void> write_tool_result(const ToolResultPart& result,
                                 const std::string& path);
  void write_thinking(const ThinkingPart& thinking);
  void write_refusal(const RefusalPart& refusal, const std::string& path);
  void write_opaque(const OpaquePart& part);
  std::optional<CacheMarker> marker_of(const PlacedPart& placed);

  json::Writer& w_;
  anthropic_family::TurnBuilder builder_;
  DocumentNames names_;
};

}  // namespace llmproxy::bedrock_converse
