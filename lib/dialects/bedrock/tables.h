// Bedrock InvokeModel with an Anthropic body: the wire around the claude
// dialect. Source: Amazon Bedrock API reference, "InvokeModel",
// "InvokeModelWithResponseStream"; user guide, "Anthropic Claude Messages
// API". The one dialect that knows another.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "dialects/claude/tables.h"

namespace llmproxy::bedrock {

inline constexpr std::string_view kName = "bedrock";

Result<ChatRequest> decode_request(const json::Value& body,
                                   const RequestHead& head);
Result<void> encode_request(const ChatRequest& request,
                            const EncodeOptions& options,
                            RequestContext& context, std::string& out,
                            Losses& losses);
std::unique_ptr<StreamDecoder> new_stream_decoder(
    const RequestContext& context);
std::unique_ptr<StreamEncoder> new_stream_encoder(
    const RequestContext& context);

}  // namespace llmproxy::bedrock
