// OpenAI Responses: the items of a request, both ways.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "dialects/openai_family/body.h"
#include "dialects/openai_responses/tables.h"

namespace llmproxy::openai_responses {

/// `instructions` and `input`, appended to the request's messages (and, for
/// additional_tools, tools). Errors name the place.
Result<void> read_system(json::ObjectReader& reader, ChatRequest& request);
Result<void> read_messages(json::ObjectReader& reader, ChatRequest& request);
/// One entry of `tools`, which may be a namespace of several, or of those.
Result<void> read_tool(const json::Value& value, const std::string& path,
                       ChatRequest& request, std::string_view name_space = {});
/// The cache marker of a part or a tool.
std::optional<CacheMarker> read_cache(json::ObjectReader& reader);
/// What a reasoning item says.
ThinkingPart thinking_of(const json::Value& item);
/// "<namespace>__<name>", or the name alone.
std::string full_tool_name(std::string_view name_space, std::string_view name);

/// The other way; the whole name where it does not begin with the namespace.
std::string_view name_within(const ToolDefinition& tool);

/// `instructions` and `input` of a fitted request.
Result<void> write_messages(const ChatRequest& request,
                            openai_family::ToolIndex& tools,
                            json::Writer& writer, Losses& losses);
/// The members `namespace` and `name` of a tool by its full name.
void write_tool_name(std::string_view name, openai_family::ToolIndex& tools,
                     json::Writer& writer);

}  // namespace llmproxy::openai_responses
