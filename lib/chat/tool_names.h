// Names and ids of tools that a target cannot take: one deterministic
// rewriting, so that the same history gives the same bytes on every turn
// (prompt caches, bound thinking) and the answer can be translated back.
#pragma once

#include <string>
#include <string_view>

#include "base/internal_api.h"
#include "llmproxy/chat.h"
#include "llmproxy/dialect.h"

LLMPROXY_INTERNAL_BEGIN
namespace llmproxy {

/// True for 1..max characters of [A-Za-z0-9_-].
bool valid_tool_name(std::string_view name, std::size_t max);

/// A valid name for `name`: itself where it is valid, else a readable prefix
/// and a hash of the whole name.
std::string tool_alias(std::string_view name, std::size_t max);

/// Renames tools, calls in the history and the tool choice so that every
/// name is valid; records what was renamed in `context`.
void alias_tool_names(ChatRequest& request, std::size_t max,
                      RequestContext& context);

/// The name the client knows.
std::string_view original_tool_name(const RequestContext& context,
                                    std::string_view sent);

/// Rewrites call ids to [A-Za-z0-9_-], calls and results alike, keeping
/// different ids different. Ids that are valid stay as they are.
void make_call_ids_safe(std::vector<Message>& messages);

/// Rewrites call ids to exactly nine letters and digits [Mistral], likewise.
void make_call_ids_nine(std::vector<Message>& messages);

}  // namespace llmproxy
LLMPROXY_INTERNAL_END
