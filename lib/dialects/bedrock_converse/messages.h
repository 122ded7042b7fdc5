// Amazon Bedrock Converse: the turns of a request, both ways.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dialects/anthropic_family/turn_builder.h"
#include "dialects/bedrock_converse/tables.h"

namespace llmproxy::bedrock_converse {

/// `system` and `messages`, appended to the request's. Errors name the place.
Result<void> read_system(json::ObjectReader& reader, ChatRequest& request);
Result<void> read_messages(json::ObjectReader& reader, ChatRequest& request);
/// Content blocks of a message or an answer; they stand in `member`.
Result<std::vector<ContentPart>> read_blocks(json::Value blocks,
                                             const std::string& path,
                                             std::string_view member);
/// The marker in the cachePoint of the element at `path`.
CacheMarker read_cache(json::Value point, const std::string& path);

/// A cachePoint, if `cache` is set and within the limit; an element of its own
/// behind what it covers.
void write_cache(anthropic_family::TurnBuilder& builder,
                 const std::optional<CacheMarker>& cache,
                 const std::string& path, json::Writer& writer);
/// Writes `system` and `messages` of a fitted request.
Result<void> write_messages(anthropic_family::TurnBuilder& builder,
                            json::Writer& writer);

}  // namespace llmproxy::bedrock_converse
