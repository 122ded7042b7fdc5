// OpenAI Chat Completions: the vocabulary. One row per spelling and scalar,
// read and written alike. Source: OpenAI API reference, "Chat", and the types
// of npm openai 7.55.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "base/enum_table.h"
#include "dialects/functions.h"
#include "dialects/openai_family/errors.h"
#include "dialects/openai_family/tables.h"
#include "json/fields.h"
#include "llmproxy/chat.h"
#include "llmproxy/dialect.h"

namespace llmproxy::openai_chat {

inline constexpr std::string_view kName = "openai-chat";
/// The API's name in losses.
inline constexpr std::string_view kTarget = "OpenAI Chat";

/// What it can say: limits.cc.
extern const DialectLimits kLimits;

using openai_family::kEfforts;
using openai_family::kFormats;
using openai_family::kRoles;
using openai_family::read_error;

// "any" is what some clients send for "required".
inline constexpr auto kToolChoices = enum_table<ToolChoiceMode>({
    {ToolChoiceMode::automatic, "auto"},
    {ToolChoiceMode::none, "none"},
    {ToolChoiceMode::required, "required"},
    {ToolChoiceMode::required, "any"},
});

// The first row of a value is written. `stop` stands for a natural end and
// for a stop sequence; refusals of a filter are content_filter.
inline constexpr auto kStopReasons = enum_table<StopReason>({
    {StopReason::end_turn, "stop"},
    {StopReason::stop_sequence, "stop"},
    {StopReason::max_tokens, "length"},
    {StopReason::context_window, "length"},
    {StopReason::tool_use, "tool_calls"},
    {StopReason::tool_use, "function_call"},
    {StopReason::refusal, "content_filter"},
    {StopReason::pause, "stop"},
    {StopReason::other, "stop"},
});
static_assert(covers(kStopReasons, kLastStopReason));

inline constexpr std::array kScalars = {
    json::ScalarField<ChatRequest>{"temperature", &ChatRequest::temperature, 0,
                                   2},
    json::ScalarField<ChatRequest>{"top_p", &ChatRequest::top_p, 0, 1},
    json::ScalarField<ChatRequest>{"frequency_penalty",
                                   &ChatRequest::frequency_penalty, -2, 2},
    json::ScalarField<ChatRequest>{"presence_penalty",
                                   &ChatRequest::presence_penalty, -2, 2},
    json::ScalarField<ChatRequest>{"seed", &ChatRequest::seed, -9.3e18, 9.3e18},
};

/// Fields whose value here is what leaving them out means: no loss.
using openai_family::Default;
inline constexpr std::array kDefaults = {
    Default{"n", "1"},
    Default{"logprobs", "false"},
    Default{"top_logprobs", "0"},
    Default{"store", "false"},
    Default{"modalities", R"(["text"])"},
    Default{"verbosity", R"("medium")"},
    Default{"logit_bias", "{}"},
    Default{"metadata", "{}"},
};

/// Marks the extensions of a tool that stood inside its `function`.
inline constexpr std::string_view kInner = "function/";

LLMPROXY_DIALECT_FUNCTIONS;

// Pieces that the plain answer and the stream share.

/// What the model thought, in the spelling that says something; empty = none.
std::string_view reasoning_text(const json::Value& message);
Usage read_usage(const json::Value& usage);
void write_usage(const Usage& usage, json::Writer& writer);
/// One entry of `tool_calls`, but for its end.
void begin_tool_call(const ToolCallPart& call, std::string_view signature,
                     json::Writer& writer);
/// The word for a stop, given what was answered.
std::string_view finish_reason(StopReason reason, bool refusal_text,
                               bool legacy_functions);
/// What a finish_reason means; see settled_stop() for answers with calls.
StopReason stop_reason(std::string_view finish_reason);
inline constexpr std::string_view kOneChoice =
    "the canonical form does not take a second choice; dropped";
/// Adds what finish_reason cannot say of a stop.
void lose_stop_details(StopReason reason, std::string_view stop_sequence,
                       Losses& losses);
/// "chatcmpl-..." for any response id.
std::string completion_id(std::string_view id);

}  // namespace llmproxy::openai_chat
