// Turns as Anthropic's models take them, in whatever body: system on top;
// user first; roles alternating; tool results before everything else in their
// turn; no blank text; no thinking of other models; at most four cache markers.
//
// Reads a request that was fitted: what else the target does not take is gone.
// Sources: Anthropic API reference, "Messages"; "Prompt caching", "Extended
// thinking"; Amazon Bedrock API reference, "Converse".
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "llmproxy/chat.h"
#include "llmproxy/dialect.h"
#include "llmproxy/loss.h"
#include "llmproxy/result.h"

namespace llmproxy::anthropic_family {

inline constexpr std::size_t kMaxCacheMarkers = 4;

/// Whose turns they become.
struct TurnRules {
  std::string_view target;  ///< for losses: "Anthropic"; outlives the builder
  /// Thinking without a signature can be sent, too.
  bool unsigned_thinking = false;
};

class TurnBuilder {
 public:
  /// A part and where it came from.
  struct PlacedPart {
    const ContentPart* part;
    std::string path;
  };
  struct Turn {
    Role role;
    std::vector<PlacedPart> parts;
    const Message* message;  ///< the first it was made of; may be null
  };

  TurnBuilder(const ChatRequest& request, const EncodeOptions& options,
              const TurnRules& rules, Losses& losses);

  /// What goes to the top.
  std::vector<PlacedPart> system();
  /// The rest. Error: unsupported for a prefill the model does not take.
  Result<std::vector<Turn>> turns();
  /// The marker if it is within the limit, else a loss and nullptr. Must be
  /// asked in the order of the prompt: tools, system, messages.
  const CacheMarker* take_marker(const std::optional<CacheMarker>& cache,
                                 const std::string& path);
  /// How long the marker's prefix is kept, where it is a time that the API
  /// has; else empty, and a loss.
  std::string_view lifetime(const CacheMarker& marker, const std::string& path);
  /// A text that no message of the client holds; lives as long as this.
  const ContentPart* own_text(std::string text);
  /// The arguments of a call as an object; tells where they were none.
  std::string input_of(const ToolCallPart& call, const std::string& path);
  /// "<target> does not take <thing>; dropped", or what it became.
  void lose(std::string path, std::string_view thing);
  void lose(std::string path, std::string_view thing, std::string_view became);

 private:
  void count_cache_markers();
  bool sendable(const Message& message, std::size_t index);
  bool sendable(const ThinkingPart& thinking, const std::string& path);
  void add_parts(const Message& message, std::vector<PlacedPart>& parts);
  std::size_t behind_system(std::size_t index);
  bool system_may_stand(std::size_t index, const std::vector<Turn>& turns);
  void add_message(const Message& message, Role role, std::vector<Turn>& turns);
  void add_reminder(const Message& message, std::vector<Turn>& turns);
  void begin_with_user(std::vector<Turn>& turns);
  Result<void> end_as_taken(std::vector<Turn>& turns);

  const ChatRequest& request_;
  const EncodeOptions& options_;
  const TurnRules rules_;
  Losses& losses_;
  std::size_t leading_ = 0;        // system messages at the start
  std::size_t behind_system_ = 0;  // the last answer of behind_system()
  std::size_t markers_to_skip_ = 0;
  std::deque<ContentPart> made_;  // parts that no message of the client holds
};

/// A lone text part without anything around it: may be written as a string.
const TextPart* plain_text(const std::vector<TurnBuilder::PlacedPart>& parts);

}  // namespace llmproxy::anthropic_family
