// Amazon Bedrock InvokeModel with Anthropic's body: what is not as in the
// Messages API. Sources: Amazon Bedrock user guide, "Anthropic Claude Messages
// API"; API reference, "InvokeModel", "InvokeModelWithResponseStream".
#pragma once

#include <array>
#include <string_view>

#include "dialects/claude/body.h"

namespace llmproxy::bedrock {

inline constexpr std::string_view kName = "bedrock";

/// What it can say: limits.cc.
extern const DialectLimits kLimits;

inline constexpr std::string_view kVersion = "bedrock-2023-05-31";

/// Versions that say nothing about the request: what our answers are made of
/// is the same in all of them.
inline constexpr std::array<std::string_view, 3> kKnownVersions = {
    kVersion, "2026-10-21", "2023-06-01"};

/// Tools that Anthropic defines and the client runs. Those that run at
/// Anthropic are not there.
inline constexpr std::array<std::string_view, 4> kTools = {
    "bash_", "text_editor_", "computer_", "memory_"};

/// Blocks without a canonical form that are there too. Agents send their
/// billing line here as well.
inline constexpr std::array<std::string_view, 3> kBlocks = {
    "document", "search_result", claude::kBillingType};

inline constexpr claude::Host kHost = {
    .dialect = kName, .title = "Bedrock", .version = kVersion};

/// What AWS adds to the last event of a stream; no part of the answer.
inline constexpr std::string_view kMetrics = "amazon-bedrock-invocationMetrics";

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

}  // namespace llmproxy::bedrock
