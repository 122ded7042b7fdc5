// Amazon Bedrock Converse: the vocabulary. One row per spelling and scalar,
// read and written alike. Source: Amazon Bedrock API reference, "Converse",
// "ConverseStream", and the types of npm @aws-sdk/client-bedrock-runtime 3.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "base/enum_table.h"
#include "dialects/anthropic_family/tables.h"
#include "dialects/functions.h"
#include "json/fields.h"
#include "llmproxy/chat.h"
#include "llmproxy/dialect.h"

namespace llmproxy::bedrock_converse {

inline constexpr std::string_view kName = "bedrock-converse";
inline constexpr std::string_view kTitle = "Bedrock Converse";

/// What it can say: limits.cc.
extern const DialectLimits kLimits;

inline constexpr auto kRoles = enum_table<Role>({
    {Role::user, "user"},
    {Role::assistant, "assistant"},
    {Role::system, "system"},
    {Role::developer, "system"},
});
static_assert(covers(kRoles, kLastRole));

using anthropic_family::kEfforts;
// In additionalModelRequestFields.
using anthropic_family::kThinkingTypes;

// Members of the union toolChoice; there is none that forbids.
inline constexpr auto kToolChoices = enum_table<ToolChoiceMode>({
    {ToolChoiceMode::automatic, "auto"},
    {ToolChoiceMode::required, "any"},
    {ToolChoiceMode::named, "tool"},
});

inline constexpr auto kStopReasons = enum_table<StopReason>({
    {StopReason::end_turn, "end_turn"},
    {StopReason::max_tokens, "max_tokens"},
    {StopReason::stop_sequence, "stop_sequence"},
    {StopReason::tool_use, "tool_use"},
    {StopReason::refusal, "content_filtered"},
    {StopReason::refusal, "guardrail_intervened"},
    {StopReason::refusal, "refusal"},
    {StopReason::context_window, "model_context_window_exceeded"},
    {StopReason::pause, "end_turn"},
    {StopReason::other, "end_turn"},
});
static_assert(covers(kStopReasons, kLastStopReason));

/// Members of inferenceConfig.
inline constexpr std::array kLimitScalars = {
    json::ScalarField<ChatRequest>{"maxTokens", &ChatRequest::max_output_tokens,
                                   1, 2147483647},
};
inline constexpr std::array kScalars = {
    json::ScalarField<ChatRequest>{"temperature", &ChatRequest::temperature, 0,
                                   1},
    json::ScalarField<ChatRequest>{"topP", &ChatRequest::top_p, 0, 1},
};
/// Members of additionalModelRequestFields.
inline constexpr std::array kModelScalars = {
    json::ScalarField<ChatRequest>{"top_k", &ChatRequest::top_k, 0, 2147483647},
};

struct FormatRow {
  std::string_view format;
  std::string_view media_type;
};
inline constexpr std::array kImageFormats = {
    FormatRow{"png", "image/png"}, FormatRow{"jpeg", "image/jpeg"},
    FormatRow{"gif", "image/gif"}, FormatRow{"webp", "image/webp"}};
inline constexpr std::array kDocumentFormats = {
    FormatRow{"pdf", "application/pdf"},
    FormatRow{"csv", "text/csv"},
    FormatRow{"doc", "application/msword"},
    FormatRow{"docx",
              "application/vnd.openxmlformats-officedocument.wordprocessingml."
              "document"},
    FormatRow{"xls", "application/vnd.ms-excel"},
    FormatRow{"xlsx",
              "application/vnd.openxmlformats-officedocument.spreadsheetml."
              "sheet"},
    FormatRow{"html", "text/html"},
    FormatRow{"txt", "text/plain"},
    FormatRow{"md", "text/markdown"}};

inline std::string_view media_type_of(std::span<const FormatRow> rows,
                                      std::string_view format) {
  for (const FormatRow& row : rows) {
    if (row.format == format) return row.media_type;
  }
  return {};
}
inline std::string_view format_of(std::span<const FormatRow> rows,
                                  std::string_view media_type) {
  for (const FormatRow& row : rows) {
    if (row.media_type == media_type) return row.format;
  }
  return {};
}

/// Objects of a request whose unknown members are kept as extensions, their
/// names with this in front.
inline constexpr std::string_view kInference = "inferenceConfig/";
inline constexpr std::string_view kModelFields =
    "additionalModelRequestFields/";
inline constexpr std::string_view kToolConfig = "toolConfig/";
inline constexpr std::string_view kOutputConfig = "outputConfig/";
inline constexpr std::string_view kToolSpec = "toolSpec/";

using anthropic_family::is_foreign;

/// Words in the `type` of a toolUse or toolResult that say that the tool runs
/// at the provider: of the API's enum, and what Nova's system tools answer
/// with. Amazon writes a `type` for Claude's calls of the client's tools too:
/// any other word is one of those and says nothing new.
inline constexpr std::array<std::string_view, 3> kServerTypes = {
    "server_tool_use", "nova_grounding_result", "nova_code_interpreter_result"};
bool runs_at_provider(const json::Value& block);

inline constexpr std::size_t kMaxCallId = 64;

/// Extension of a text that stands in a guardContent; `[]` = without any.
inline constexpr std::string_view kQualifiers = "guardContent/text/qualifiers";

LLMPROXY_DIALECT_FUNCTIONS;
/// An exception within a stream; `data` may be anything.
Error read_error(std::string_view name, std::string_view data);

// Pieces that the plain answer and the stream share.

/// Three disjoint input numbers, added up.
Usage read_usage(const json::Value& usage);
void write_usage(const Usage& usage, json::Writer& writer);
/// `serviceTier`, and `metrics`, which must be there.
void write_answer_facts(std::string_view service_tier, json::Writer& writer);
/// additionalModelResponseFields with the stop sequence; nothing without one.
void write_stop_sequence(std::string_view stop_sequence, json::Writer& writer);
/// Base64 for a reasoningContent.redactedContent.
std::string redacted_blob(ReasoningIssuer issuer, std::string_view id,
                          std::string_view data);
/// What such a blob holds; nullopt = no text.
std::optional<ThinkingPart> read_redacted_blob(std::string_view blob);
}  // namespace llmproxy::bedrock_converse
