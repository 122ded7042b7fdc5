// OpenAI Chat Completions: the messages of a request, both ways.
#pragma once

#include <optional>

#include "dialects/openai_chat/tables.h"

namespace llmproxy::openai_chat {

/// `messages`, appended to the request's. Errors name the place.
Result<void> read_messages(json::ObjectReader& reader, ChatRequest& request);
/// The cache marker of a part or a tool.
std::optional<CacheMarker> read_cache(json::ObjectReader& reader);

/// The array `messages` of a fitted request.
Result<void> write_messages(const ChatRequest& request,
                            const TargetTraits& traits, json::Writer& writer,
                            Losses& losses);

}  // namespace llmproxy::openai_chat
