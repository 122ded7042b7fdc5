// Anthropic Messages: the turns of a request, both ways.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "dialects/anthropic_family/turn_builder.h"
#include "dialects/claude/body.h"

namespace llmproxy::claude {

/// `system` and `messages`, appended to the request's. Errors name the place.
Result<void> read_system(json::ObjectReader& reader, ChatRequest& request);
Result<void> read_messages(json::ObjectReader& reader, ChatRequest& request);
/// The cache marker of a block or a tool.
std::optional<CacheMarker> read_cache(json::ObjectReader& reader);

/// cache_control, if `cache` is set and within the limit; markers are counted
/// in the order of the prompt: tools, system, messages.
void write_cache(anthropic_family::TurnBuilder& builder,
                 const std::optional<CacheMarker>& cache,
                 const std::string& path, json::Writer& writer);
/// Writes `system` and `messages` of a fitted request. `title` is for losses:
/// "Anthropic".
Result<void> write_messages(anthropic_family::TurnBuilder& builder,
                            std::string_view title, json::Writer& writer);

}  // namespace llmproxy::claude
