// OpenAI Chat Completions: the vocabulary. One row per spelling and scalar,
// read and written alike. Source: OpenAI API reference, "Chat", and the types
// of npm openai 7.55.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/enum_table.h"
#include "chat/answer_end.h"
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
inline constexpr StopWords kStopWords = {kTarget, "finish_reason is stop",
                                         "finish_reason is length"};

using Scalar = json::ScalarField<ChatRequest>;
inline constexpr std::array kScalars = {
    Scalar{"temperature", &ChatRequest::temperature, 0, 2},
    Scalar{"top_p", &ChatRequest::top_p, 0, 1},
    Scalar{"frequency_penalty", &ChatRequest::frequency_penalty, -2, 2},
    Scalar{"presence_penalty", &ChatRequest::presence_penalty, -2, 2},
    Scalar{"seed", &ChatRequest::seed, -9.3e18, 9.3e18},
};

/// Fields whose value here is what leaving them out means: no loss.
using openai_family::Default;
inline constexpr std::array kDefaults = {
    Default{"logprobs", "false"},        Default{"top_logprobs", "0"},
    Default{"store", "false"},           Default{"modalities", R"(["text"])"},
    Default{"verbosity", R"("medium")"}, Default{"logit_bias", "{}"},
    Default{"metadata", "{}"},
};

/// Marks the extensions of a tool that stood inside its `function`.
inline constexpr std::string_view kInner = "function/";

LLMPROXY_DIALECT_FUNCTIONS;

// Pieces that the plain answer and the stream share.

/// Members of a choice and of its message, or delta, that are read, or say once
/// more what others do, as imitators of the API spell it.
inline constexpr std::string_view kChoice[] = {
    "index",        "message",     "delta",
    "logprobs",     "stop_reason", "finish_reason",
    "matched_stop", "text",        "native_finish_reason"};
inline constexpr std::string_view kMessage[] = {
    "role",         "content",   "refusal",           "tool_calls",
    "audio",        "name",      "function_call",     "annotations",
    "tool_call_id", "reasoning", "reasoning_content", "reasoning_details"};
/// What the model thought, in the spelling that says something; empty = none.
std::string_view reasoning_text(const json::Value& message);
Usage read_usage(const json::Value& usage);
void write_usage(const Usage& usage, json::Writer& writer);
/// One entry of `tool_calls`, but for its end: the call at `place`.
void begin_tool_call(const std::vector<ContentPart>& content, std::size_t place,
                     json::Writer& writer);
// Gemini signs its function calls and wants the signatures back. Google's own
// endpoint of this dialect has a place for them, which clients send back as
// they got it: extra_content.google.thought_signature of a tool call. Source:
// Gemini API documentation, "Thought signatures", OpenAI compatibility.

/// The signature of a tool call, as the part before the call; nullopt = none,
/// or something else beside it.
std::optional<ThinkingPart> read_call_signature(const json::Value& call);
/// The member extra_content; nothing for an empty signature.
void write_call_signature(std::string_view signature, json::Writer& writer);
/// The part at `index` is the signature of the call behind it.
bool signs_a_call(const std::vector<ContentPart>& content, std::size_t index);

/// The tier of an answer; "auto" is none.
std::string_view tier_of(const json::Value& tier);
/// The word for a stop, given what was answered.
std::string_view finish_reason(StopReason reason, bool refusal_text,
                               bool legacy_functions);
/// What no canonical answer has, as losses call it.
inline constexpr std::string_view kOtherChoice = "a second choice";
/// "chatcmpl-..." for any response id.
std::string completion_id(std::string_view id);

}  // namespace llmproxy::openai_chat
