// Rules of a conversation's turns that every target shares.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/internal_api.h"
#include "llmproxy/chat.h"
#include "llmproxy/loss.h"
#include "llmproxy/result.h"

LLMPROXY_INTERNAL_BEGIN
namespace llmproxy {

/// What the client tells the model beforehand, in either role.
inline bool is_system(const Message& message) {
  return message.role == Role::system || message.role == Role::developer;
}

/// Brings tool results to where providers demand them: in the user turn right
/// behind their call, each call answered once.
///  - a result without a call becomes user text;
///  - a call without a result gets a synthetic error result;
///  - a result that stands later is moved up.
/// Every change is a Loss. Error: a tool result before any other turn.
Result<void> pair_tool_results(std::vector<Message>& messages, Losses& losses);

/// Drops turns that say nothing, whoever speaks: without a part, or with empty
/// texts only. One of the user's is a Loss; clients send back empty ones of the
/// model's as they got them. Error: none is left of those there were.
Result<void> drop_empty_turns(std::vector<Message>& messages, Losses& losses);

/// Gives tools their places in the canonical list (ToolDefinition::source), as
/// some may be taken out from then on. What those places are called in the
/// client's body is FieldNames' business.
void place_tools(std::vector<ToolDefinition>& tools);

/// Gives messages and parts that no body was read for their places in the
/// canonical request, for losses and errors.
void place_by_hand(ChatRequest& request);

/// Puts system turns that stand between others into the user turn before
/// them, as reminders, for targets that take them at the top only.
void fold_system_turns(std::vector<Message>& messages, Losses& losses);
/// What such a reminder looks like.
std::string reminder(std::string_view text);
inline constexpr std::string_view kReminderLoss =
    "a system turn between others became a reminder in the user turn";

/// JSON pointer of a message in the client's body.
std::string path_of(const Message& message);
/// ... of one of its parts.
std::string path_of(const Message& message, std::size_t part);
/// ... of a part within the tool result at `result`.
std::string path_of(const std::string& result, const ContentPart& part,
                    std::size_t index);
/// ... of the cache marker of the part or tool at `part`.
std::string path_of(const CacheMarker& marker, const std::string& part);

/// Texts of all text parts, joined by `separator`.
std::string joined_text(const std::vector<ContentPart>& content,
                        std::string_view separator);

/// The text of a failed tool result, for APIs without a flag for it: it says
/// that it is an error, as such texts do.
std::string marked_as_error(std::string_view text);

/// True when there is nothing but white space.
bool blank(std::string_view text);

/// Nothing of the request's messages has a place in `target`.
Error nothing_to_send(const ChatRequest& request, std::string_view target);

/// Error (unsupported) when a field is there that may not be left out; for
/// every target that is not the provider the field is meant for.
Result<void> refuse_essential(const Extensions& extensions);

}  // namespace llmproxy
LLMPROXY_INTERNAL_END
