// Anthropic Messages: the vocabulary. One row per spelling and scalar, read
// and written alike. Source: Anthropic API reference, "Messages", and the
// types of npm @anthropic-ai/sdk 1.11.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string_view>

#include "base/enum_table.h"
#include "dialects/anthropic_family/tables.h"
#include "dialects/functions.h"
#include "json/fields.h"
#include "llmproxy/chat.h"
#include "llmproxy/dialect.h"
#include "wire/framer.h"

namespace llmproxy::claude {

inline constexpr std::string_view kName = "claude";

/// What it can say: limits.cc.
extern const DialectLimits kLimits;

// System and developer turns between others; at the top they are `system`.
inline constexpr auto kRoles = enum_table<Role>({
    {Role::user, "user"},
    {Role::assistant, "assistant"},
    {Role::system, "system"},
    {Role::developer, "system"},
    {Role::developer, "developer"},
});
static_assert(covers(kRoles, kLastRole));

using anthropic_family::kEfforts;
using anthropic_family::kThinkingTypes;

inline constexpr auto kToolChoices = enum_table<ToolChoiceMode>({
    {ToolChoiceMode::automatic, "auto"},
    {ToolChoiceMode::none, "none"},
    {ToolChoiceMode::required, "any"},
    {ToolChoiceMode::named, "tool"},
});
static_assert(covers(kToolChoices, kLastToolChoiceMode));

inline constexpr auto kStopReasons = enum_table<StopReason>({
    {StopReason::end_turn, "end_turn"},
    {StopReason::max_tokens, "max_tokens"},
    {StopReason::stop_sequence, "stop_sequence"},
    {StopReason::tool_use, "tool_use"},
    {StopReason::refusal, "refusal"},
    {StopReason::pause, "pause_turn"},
    {StopReason::context_window, "model_context_window_exceeded"},
    {StopReason::other, "end_turn"},
});
static_assert(covers(kStopReasons, kLastStopReason));

using Scalar = json::ScalarField<ChatRequest>;
inline constexpr std::array kScalars = {
    Scalar{"temperature", &ChatRequest::temperature, 0, 1},
    Scalar{"top_p", &ChatRequest::top_p, 0, 1},
    Scalar{"top_k", &ChatRequest::top_k, 0, 2147483647},
};

/// service_tier of requests, shared by the hosts of the body.
inline constexpr std::array kTierWords = {TierWord{"auto", "auto"},
                                          TierWord{"default", "standard_only"}};
/// The same of answers.
inline constexpr std::array kUsedTiers = {TierWord{"default", "standard"},
                                          TierWord{"priority", "priority"},
                                          TierWord{"flex", "batch"}};

/// Its unknown members are kept as extensions, their names with this in front.
inline constexpr std::string_view kOutputConfig = "output_config/";

/// Members of the `source` of images and documents.
struct SourceRow {
  MediaKind kind;
  std::string_view type;
  std::string_view member;  ///< that holds MediaSource::data
};
inline constexpr std::array kSources = {
    SourceRow{MediaKind::base64, "base64", "data"},
    SourceRow{MediaKind::url, "url", "url"},
    SourceRow{MediaKind::file_id, "file", "file_id"},
    SourceRow{MediaKind::text, "text", "data"},
};

inline constexpr std::array<std::string_view, 4> kImageTypes = {
    "image/jpeg", "image/png", "image/gif", "image/webp"};

using anthropic_family::is_foreign;

/// The dialects whose body this is. Bedrock's wraps it.
inline constexpr std::string_view kBodyFamily = "anthropic";
/// Fields without a canonical form that every host of the body takes:
/// thinking of newer models, citations of a document.
inline constexpr std::array<std::string_view, 2> kFamilyFields = {"thinking",
                                                                  "citations"};
/// Type of the part that holds an agent's billing line.
inline constexpr std::string_view kBillingType = "billing line";

/// Canonical names of fields that are called otherwise here.
inline constexpr std::array kFieldNames = {
    FieldName{"/stop", "/stop_sequences"},
    FieldName{"/reasoning_effort", "/output_config/effort"},
    FieldName{"/response_format/json_schema/schema",
              "/output_config/format/schema"},
    FieldName{"/response_format", "/output_config/format"},
    FieldName{"/user", "/metadata/user_id"},
    FieldName{"/parallel_tool_calls", "/tool_choice/disable_parallel_tool_use"},
};

/// First line of Claude Code's system prompt: its hash changes with every
/// request and is read by Anthropic alone.
inline constexpr std::string_view kBillingPrefix =
    "x-anthropic-billing-header:";

LLMPROXY_DIALECT_FUNCTIONS;
/// The object inside "error", shared by error bodies and stream errors.
Error read_error(const json::Value& object, int status);

// Pieces that the plain answer and the stream share.

/// Counts as this dialect reports them: three disjoint input numbers. A
/// later report replaces the fields it has.
struct UsageCounts {
  std::optional<std::int64_t> input, cache_read, cache_write, output, thinking;
  void update(const json::Value& usage);
  Usage usage() const;
};
void write_usage(const Usage& usage, std::string_view service_tier,
                 json::Writer& writer);
/// Null for what is not known: a zero would overwrite what clients were told
/// before.
void write_final_usage(const Usage& usage, std::string_view service_tier,
                       json::Writer& writer);
/// stop_reason, stop_sequence and stop_details.
void write_stop(StopReason reason, std::string_view stop_sequence,
                std::string_view refusal_explanation, json::Writer& writer);
/// A code container that the answer used; of answers and their last event.
inline constexpr std::string_view kContainer = "container";
/// Who called a tool: the model itself.
void write_caller(json::Writer& writer);
/// The category of a refusal, which no other dialect has, as losses call it.
inline constexpr std::string_view kCategory = "the category of a refusal";
/// "msg_..." for any response id.
std::string message_id(std::string_view id);

}  // namespace llmproxy::claude
