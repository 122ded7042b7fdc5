// Names and ids of tools that a target cannot take: one deterministic
// rewriting, so that the same history gives the same bytes on every turn
// (prompt caches, bound thinking) and the answer can be translated back.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/internal_api.h"
#include "llmproxy/chat.h"
#include "llmproxy/dialect.h"
#include "llmproxy/loss.h"
#include "llmproxy/result.h"

LLMPROXY_INTERNAL_BEGIN
namespace llmproxy {

/// The first tool that has the name of one before it. Hosted tools do not
/// count: their names are their provider's, and elsewhere they are dropped.
std::optional<std::size_t> repeated_tool(
    const std::vector<ToolDefinition>& tools);
/// Error: invalid_request for two tools of one name. An answer could not say
/// which of them is meant. Anthropic refuses them as well; what is passed on
/// as it is stays unchecked.
Result<void> check_tool_names(const std::vector<ToolDefinition>& tools);

/// True for 1..max characters of [A-Za-z0-9_-].
bool valid_tool_name(std::string_view name, std::size_t max);

/// A valid name for `name`: itself where it is valid, else a readable prefix
/// that begins with a letter or '_', and a hash of the whole name.
std::string tool_alias(std::string_view name, std::size_t max);

/// What a target takes as a name.
struct NameRule {
  std::size_t max;            ///< characters
  bool letter_first = false;  ///< begins with a letter or '_'
};

/// Renames tools, calls in the history and the tool choice so that every
/// name is valid; records what was renamed in `context`.
void alias_tool_names(ChatRequest& request, NameRule rule,
                      RequestContext& context);

/// Rewrites call ids to [A-Za-z0-9_-], calls and results alike, keeping
/// different ids different. Ids that are valid stay as they are.
void make_call_ids_safe(std::vector<Message>& messages);

/// Servers that count calls within an answer give the same id in every turn,
/// which Anthropic and Amazon refuse in a history: the first call keeps it, the
/// others and their results get a number behind. Results stand behind their
/// calls, in their order.
void make_call_ids_unique(std::vector<Message>& messages, Losses& losses);

/// Rewrites call ids to exactly nine letters and digits [Mistral], likewise.
void make_call_ids_nine(std::vector<Message>& messages);

}  // namespace llmproxy
LLMPROXY_INTERNAL_END
