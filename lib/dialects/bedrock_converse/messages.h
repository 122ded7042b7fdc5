// Amazon Bedrock Converse: the turns of a request, both ways.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "chat/turn_builder.h"
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

/// Writes `system` and `messages`, after the rules of TurnBuilder. A cache
/// point is an element of its own behind what it covers.
class MessagesWriter {
 public:
  MessagesWriter(const ChatRequest& request, const EncodeOptions& options,
                 json::Writer& writer, Losses& losses);

  /// `extra_system` is appended to the system blocks; empty = nothing.
  Result<void> write(std::string_view extra_system);
  void write_cache_point(const std::optional<CacheMarker>& cache,
                         const std::string& path);
  /// The extensions whose names begin with `prefix`, without it.
  void write_extensions(const Extensions& extensions, std::string_view prefix);

 private:
  using Item = TurnBuilder::Item;
  using Turn = TurnBuilder::Turn;

  void lose(std::string path, std::string what,
            LossKind kind = LossKind::dropped);
  void write_system(const std::vector<Item>& items);
  void add_text_beside_documents(Turn& turn);
  Result<void> write_turn(const Turn& turn);
  Result<void> write_item(const Item& item);
  Result<void> write_block(const ContentPart& part, const std::string& path);
  void write_text(const ContentPart& part, const TextPart& text);
  Result<void> write_media(const MediaSource& source, const std::string& path);
  Result<void> write_image(const ImagePart& image, const std::string& path);
  Result<void> write_document(const ContentPart& part,
                              const DocumentPart& document,
                              const std::string& path);
  std::string document_name(const std::string& title, const std::string& path);
  void write_thinking(const ThinkingPart& thinking);
  void write_tool_use(const ToolCallPart& call, const std::string& path);
  Result<void> write_tool_result(const ToolResultPart& result,
                                 const std::string& path);
  std::optional<CacheMarker> marker_of(const Item& item);

  const bool own_;
  json::Writer& w_;
  Losses& losses_;
  TurnBuilder builder_;
  std::set<std::string, std::less<>> names_;  // of documents so far
  int unnamed_ = 0;
};

}  // namespace llmproxy::bedrock_converse
