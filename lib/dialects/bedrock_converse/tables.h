// Bedrock Converse: the vocabulary. One row per spelling and scalar, read and
// written alike. Source: Amazon Bedrock API reference, "Converse" and
// "ConverseStream", and the types of npm @aws-sdk/client-bedrock-runtime.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/enum_table.h"
#include "json/fields.h"
#include "llmproxy/chat.h"
#include "llmproxy/dialect.h"

namespace llmproxy::bedrock_converse {

inline constexpr std::string_view kName = "bedrock-converse";
inline constexpr std::string_view kTitle = "Bedrock Converse";

inline constexpr auto kRoles = enum_table<Role>({
    {Role::user, "user"},
    {Role::assistant, "assistant"},
    {Role::system, "system"},
});

inline constexpr auto kEfforts = enum_table<Effort>({
    {Effort::low, "low"},
    {Effort::medium, "medium"},
    {Effort::high, "high"},
    {Effort::xhigh, "xhigh"},
    {Effort::max, "max"},
});

inline constexpr auto kStopReasons = enum_table<StopReason>({
    {StopReason::end_turn, "end_turn"},
    {StopReason::max_tokens, "max_tokens"},
    {StopReason::stop_sequence, "stop_sequence"},
    {StopReason::tool_use, "tool_use"},
    {StopReason::refusal, "content_filtered"},
    {StopReason::refusal, "guardrail_intervened"},
    {StopReason::context_window, "model_context_window_exceeded"},
    {StopReason::pause, "end_turn"},
    {StopReason::other, "malformed_model_output"},
    {StopReason::other, "malformed_tool_use"},
});
static_assert(covers(kStopReasons, kLastStopReason));

inline constexpr std::array kScalars = {
    json::ScalarField<ChatRequest>{"temperature", &ChatRequest::temperature, 0,
                                   1},
    json::ScalarField<ChatRequest>{"topP", &ChatRequest::top_p, 0, 1},
};

/// service_tier: this dialect's word and the canonical one.
struct ServiceTier {
  std::string_view wire;
  std::string_view canonical;
};
inline constexpr std::array kServiceTiers = {
    ServiceTier{"default", "default"},
    ServiceTier{"priority", "priority"},
    ServiceTier{"flex", "flex"},
};

/// Formats of files and their MIME types; of a type the first is written.
struct Format {
  std::string_view wire;
  std::string_view media_type;
};
inline constexpr std::array kImageFormats = {
    Format{"png", "image/png"}, Format{"jpeg", "image/jpeg"},
    Format{"gif", "image/gif"}, Format{"webp", "image/webp"}};
inline constexpr std::array kDocumentFormats = {
    Format{"pdf", "application/pdf"},
    Format{"txt", "text/plain"},
    Format{"csv", "text/csv"},
    Format{"html", "text/html"},
    Format{"md", "text/markdown"},
    Format{"doc", "application/msword"},
    Format{"docx",
           "application/vnd.openxmlformats-officedocument."
           "wordprocessingml.document"},
    Format{"xls", "application/vnd.ms-excel"},
    Format{"xlsx",
           "application/vnd.openxmlformats-officedocument."
           "spreadsheetml.sheet"},
};

inline constexpr std::size_t kMaxCachePoints = 4;
inline constexpr std::size_t kMaxCallId = 64;
inline constexpr std::int64_t kMinBudget = 1024;  // tokens

/// Marks extensions that stood in nested objects.
inline constexpr std::string_view kModelPrefix =
    "additionalModelRequestFields/";
inline constexpr std::string_view kInferencePrefix = "inferenceConfig/";

Result<ChatRequest> decode_request(const json::Value& body,
                                   const RequestHead& head);
Result<void> encode_request(const ChatRequest& request,
                            const EncodeOptions& options,
                            RequestContext& context, std::string& out,
                            Losses& losses);
Result<ChatResponse> decode_response(const json::Value& body, Losses& losses);
void encode_response(const ChatResponse& response,
                     const RequestContext& context, std::string& out,
                     Losses& losses);
std::unique_ptr<StreamDecoder> new_stream_decoder(
    const RequestContext& context);
std::unique_ptr<StreamEncoder> new_stream_encoder(
    const RequestContext& context);

// Pieces that requests, answers and streams share.

/// One content block. Cache points are no part: nullopt, see read_cache.
Result<std::optional<ContentPart>> read_block(const json::Value& block,
                                              const std::string& path);
/// The marker of a {"cachePoint": ...} block.
std::optional<CacheMarker> read_cache(const json::Value& block);
/// A reasoningContent block.
ThinkingPart read_reasoning(const json::Value& reasoning);
void write_reasoning(const ThinkingPart& thinking, json::Writer& writer);
/// {"toolUse": ...} without braces; true when the arguments had to be wrapped.
bool write_tool_use(const ToolCallPart& call, json::Writer& writer);

Usage read_usage(const json::Value& usage);
void write_usage(const Usage& usage, json::Writer& writer);
/// Adds what this API cannot say of an answer.
void lose_answer_details(StopReason reason, std::string_view stop_sequence,
                         Losses& losses);

}  // namespace llmproxy::bedrock_converse
