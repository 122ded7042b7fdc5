// Anthropic Messages: the turns of a request, both ways.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "dialects/claude/tables.h"

namespace llmproxy::claude {

/// `system` and `messages`, appended to the request's. Errors name the place.
Result<void> read_system(json::ObjectReader& reader, ChatRequest& request);
Result<void> read_messages(json::ObjectReader& reader, ChatRequest& request);
/// The cache marker of a block or a tool.
std::optional<CacheMarker> read_cache(json::ObjectReader& reader);

/// Writes `system` and `messages`. The API wants: system on top; user first;
/// roles alternating; tool results before everything else in their turn; no
/// blank text; at most four cache markers.
class MessagesWriter {
 public:
  MessagesWriter(const ChatRequest& request, const EncodeOptions& options,
                 json::Writer& writer, Losses& losses);

  /// `extra_system` is appended to the system blocks; empty = nothing.
  Result<void> write(std::string_view extra_system);
  /// cache_control, if `cache` is set and within the limit; markers are
  /// counted in the order of the prompt: tools, system, messages.
  void write_cache(const std::optional<CacheMarker>& cache,
                   const std::string& path);
  void write_extensions(const Extensions& extensions, const std::string& path);

 private:
  /// A part and where it came from.
  struct Item {
    const ContentPart* part;
    std::string path;
  };
  struct Turn {
    Role role;
    std::vector<Item> items;
    const Message* message;
  };

  void lose(std::string path, std::string what,
            LossKind kind = LossKind::dropped);
  void count_cache_markers();
  std::size_t leading_system() const;
  void write_system(std::size_t count, std::string_view extra);
  Result<std::vector<Turn>> build_turns(std::size_t first);
  bool system_may_stand(std::size_t index,
                        const std::vector<Turn>& turns) const;
  void add_message(const Message& message, Role role, std::vector<Turn>& turns);
  void add_reminder(const Message& message, std::vector<Turn>& turns);
  bool sendable(const Message& message, std::size_t index);
  Result<void> fix_ends(std::vector<Turn>& turns);
  Result<void> write_turn(const Turn& turn);
  Result<void> write_item(const Item& item);
  Result<void> write_block(const ContentPart& part, const std::string& path);
  Result<void> write_image(const ImagePart& image, const std::string& path);
  Result<void> write_document(const DocumentPart& document,
                              const std::string& path);
  void write_tool_use(const ToolCallPart& call, const std::string& path);
  Result<void> write_tool_result(const ToolResultPart& result,
                                 const std::string& path);
  const ContentPart* own_text(std::string text);

  const ChatRequest& request_;
  const EncodeOptions& options_;
  json::Writer& w_;
  Losses& losses_;
  const bool same_dialect_;
  std::size_t markers_to_skip_ = 0;
  std::deque<ContentPart> made_;  // parts that no message of the client holds
};

}  // namespace llmproxy::claude
