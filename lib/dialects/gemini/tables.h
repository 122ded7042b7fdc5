// Gemini generateContent: the vocabulary. One row per spelling, read and
// written alike. Source: Gemini API reference, "Generating content", and the
// types of npm @google/genai 2.32.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/enum_table.h"
#include "chat/answer_end.h"
#include "chat/step_seal.h"
#include "dialects/functions.h"
#include "json/fields.h"
#include "llmproxy/chat.h"
#include "llmproxy/dialect.h"

namespace llmproxy::gemini {

inline constexpr std::string_view kName = "gemini";
inline constexpr std::string_view kTitle = "Gemini";

/// What it can say: limits.cc.
extern const DialectLimits kLimits;

// Results of functions stood in a role of their own in old clients.
inline constexpr auto kRoles = enum_table<Role>({
    {Role::user, "user"},
    {Role::user, "function"},
    {Role::assistant, "model"},
    {Role::assistant, "assistant"},
});

inline constexpr auto kLevels = enum_table<Effort>({
    {Effort::minimal, "minimal"},
    {Effort::low, "low"},
    {Effort::medium, "medium"},
    {Effort::high, "high"},
});

inline constexpr auto kStopReasons = enum_table<StopReason>({
    {StopReason::end_turn, "STOP"},
    {StopReason::tool_use, "STOP"},
    {StopReason::stop_sequence, "STOP"},
    {StopReason::pause, "STOP"},
    {StopReason::max_tokens, "MAX_TOKENS"},
    {StopReason::context_window, "MAX_TOKENS"},
    {StopReason::refusal, "SAFETY"},
    {StopReason::refusal, "RECITATION"},
    {StopReason::refusal, "BLOCKLIST"},
    {StopReason::refusal, "PROHIBITED_CONTENT"},
    {StopReason::refusal, "SPII"},
    {StopReason::refusal, "LANGUAGE"},
    {StopReason::refusal, "IMAGE_SAFETY"},
    {StopReason::refusal, "IMAGE_PROHIBITED_CONTENT"},
    {StopReason::refusal, "IMAGE_RECITATION"},
    {StopReason::other, "OTHER"},
});
static_assert(covers(kStopReasons, kLastStopReason));
inline constexpr StopWords kStopWords = {kTitle, "finishReason is STOP",
                                         "finishReason is MAX_TOKENS"};

/// serviceTier.
inline constexpr std::array kTiers = {TierWord{"default", "standard"},
                                      TierWord{"flex", "flex"},
                                      TierWord{"priority", "priority"}};

// Both spellings of a name count, "topP" and "top_p" (proto3 JSON mapping);
// what is written is camelCase.

bool is_snake_of(std::string_view name, std::string_view camel);
/// The member, in either spelling; both then count as known.
json::Value take(json::ObjectReader& reader, std::string_view camel);
json::Value get(const json::Value& object, std::string_view camel);

/// Mark extensions that stood in an object of the request, as the client
/// spells it.
inline constexpr std::string_view kConfigPrefix = "generationConfig/";
inline constexpr std::string_view kSnakeConfigPrefix = "generation_config/";
inline constexpr std::string_view kToolConfigPrefix = "toolConfig/";
/// Set where the client asks for a mode that has no canonical form.
inline constexpr std::string_view kModeField =
    "toolConfig/functionCallingConfig/mode";
inline constexpr std::string_view kJson = "application/json";
/// What Google documents for calls of a history that its models did not make;
/// the first one is written. Its Python client sends them as bytes: base64.
inline constexpr std::array<std::string_view, 4> kNoSignatures = {
    "skip_thought_signature_validator",
    "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=",
    "context_engineering_is_the_way_to_go",
    "Y29udGV4dF9lbmdpbmVlcmluZ19pc190aGVfd2F5X3RvX2dv"};

LLMPROXY_DIALECT_FUNCTIONS;
/// The object inside "error", shared by error bodies and stream errors.
Error read_error(const json::Value& object, int status);

// Pieces that requests, answers and streams share.

/// One part of a turn: a canonical part, and a signature before it where it
/// carries one (see ThinkingPart), but for what read_step() reads. Empty texts
/// give nothing.
Result<std::vector<ContentPart>> read_part(const json::Value& part,
                                           const std::string& path);
/// The thinking of a step that is sealed into a part's signature; nothing
/// where there is no such seal.
std::vector<StepThought> read_step(const json::Value& part);
/// Google's own signature of a thought or of the part behind it; all other
/// thinking is sealed for the step it belongs to.
bool is_own(const ThinkingPart& thinking);
/// A schema in Google's own form as JSON Schema.
RawJson json_schema_of(const json::Value& schema);

Usage read_usage(const json::Value& usage);
void write_usage(const Usage& usage, json::Writer& writer);
/// What a finishReason means; see settled_stop() for answers with calls.
StopReason stop_reason(std::string_view finish_reason);
/// What the client of a blocked prompt is told.
std::string block_explanation(const json::Value& prompt_feedback);
/// The model's call could not be read: without another one that could be it is
/// a failure, whatever was said before it: who waits for a call would take the
/// answer for finished.
std::optional<Error> broken_call(const json::Value& candidate, bool called);
/// Adds what usageMetadata cannot say.
void lose_usage_details(const Usage& usage, Losses& losses);
/// Writes {"functionCall": ...} without its braces; `args` is an object.
void write_call(const ToolCallPart& call, std::string_view args,
                json::Writer& writer);

}  // namespace llmproxy::gemini
