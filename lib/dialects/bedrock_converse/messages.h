// Bedrock Converse: the messages of a request, both ways.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dialects/bedrock_converse/tables.h"

namespace llmproxy::bedrock_converse {

/// `system` and `messages`, appended to the request's.
Result<void> read_system(json::ObjectReader& reader, ChatRequest& request);
Result<void> read_messages(json::ObjectReader& reader, ChatRequest& request);

/// Writes `system` and `messages`. The API wants: user first, roles
/// alternating, tool results before everything else in their turn, no blank
/// text, cache points as blocks behind what they cover.
class MessagesWriter {
 public:
  MessagesWriter(const ChatRequest& request, const EncodeOptions& options,
                 json::Writer& writer, Losses& losses);
  /// `extra_system` is appended to the system blocks; empty = nothing.
  Result<void> write(std::string_view extra_system);
  /// A cachePoint block, if `cache` is set and within the limit.
  void write_cache(const std::optional<CacheMarker>& cache,
                   const std::string& path);

 private:
  struct Item {
    const ContentPart* part;
    std::string path;
  };
  struct Turn {
    Role role;
    std::vector<Item> items;
  };

  void lose(std::string path, std::string what,
            LossKind kind = LossKind::dropped);
  std::size_t write_system(std::string_view extra);
  std::vector<Turn> build_turns(std::size_t first);
  bool sendable(const ContentPart& part, const std::string& path);
  void lose_fields(const ContentPart& part, const std::string& path);
  Result<void> write_block(const ContentPart& part, const std::string& path);
  Result<void> write_image(const ImagePart& image, const std::string& path);
  Result<void> write_document(const DocumentPart& document,
                              const std::string& path);
  Result<void> write_result(const ToolResultPart& result,
                            const std::string& path);
  void write_source(const MediaSource& source);

  const ChatRequest& request_;
  const EncodeOptions& options_;
  json::Writer& w_;
  Losses& losses_;
  const bool same_dialect_;
  std::size_t cache_points_ = 0;
  std::size_t documents_ = 0;
};

}  // namespace llmproxy::bedrock_converse
