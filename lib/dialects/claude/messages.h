// Anthropic Messages: the turns of a request, both ways.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "chat/turn_builder.h"
#include "dialects/claude/body.h"

namespace llmproxy::claude {

/// `system` and `messages`, appended to the request's. Errors name the place.
Result<void> read_system(json::ObjectReader& reader, ChatRequest& request);
Result<void> read_messages(json::ObjectReader& reader, ChatRequest& request);
/// The cache marker of a block or a tool.
std::optional<CacheMarker> read_cache(json::ObjectReader& reader);

/// Writes `system` and `messages`, after the rules of TurnBuilder.
class MessagesWriter {
 public:
  MessagesWriter(const ChatRequest& request, const EncodeOptions& options,
                 const Host& host, json::Writer& writer, Losses& losses);

  /// `extra_system` is appended to the system blocks; empty = nothing.
  Result<void> write(std::string_view extra_system);
  /// cache_control, if `cache` is set and within the limit; markers are
  /// counted in the order of the prompt: tools, system, messages.
  void write_cache(const std::optional<CacheMarker>& cache,
                   const std::string& path);
  void write_extensions(const Extensions& extensions, const std::string& path);

 private:
  using Item = TurnBuilder::Item;
  using Turn = TurnBuilder::Turn;

  void lose(std::string path, std::string what,
            LossKind kind = LossKind::dropped);
  bool takes(const OpaquePart& part) const;
  void write_system(const std::vector<Item>& items);
  Result<void> write_turn(const Turn& turn);
  Result<void> write_item(const Item& item);
  Result<void> write_block(const ContentPart& part, const std::string& path);
  void write_text(const TextPart& text);
  Result<void> write_image(const ImagePart& image, const std::string& path);
  Result<void> write_document(const DocumentPart& document,
                              const std::string& path);
  void write_tool_use(const ToolCallPart& call, const std::string& path);
  Result<void> write_tool_result(const ToolResultPart& result,
                                 const std::string& path);

  const Host& host_;
  json::Writer& w_;
  Losses& losses_;
  const Kinship kin_;
  TurnBuilder builder_;
};

}  // namespace llmproxy::claude
