// What the APIs of Amazon Bedrock have in common beside their bodies.
// Source: Amazon Bedrock API reference, "InvokeModel", "Converse".
#pragma once

#include <array>
#include <string_view>

#include "llmproxy/dialect_serving.h"

namespace llmproxy::aws_family {

inline constexpr std::array<std::string_view, 8> kRequestHeaders = {
    "x-amzn-bedrock-accept",
    "x-amzn-bedrock-trace",
    "x-amzn-bedrock-guardrailidentifier",
    "x-amzn-bedrock-guardrailversion",
    "x-amzn-bedrock-performanceconfig-latency",
    "x-amzn-bedrock-service-tier",
    "x-amzn-bedrock-request-metadata",
    "anthropic-beta"};
inline constexpr std::array<std::string_view, 1> kListHeaders = {
    "anthropic-beta"};
// Token counts and the type of an error: SDKs and bills read them.
inline constexpr std::array<std::string_view, 2> kAnswerHeaders = {
    "x-amzn-bedrock-", "x-amzn-error"};

inline constexpr DialectHeaders kHeaders = {.request_id = "x-amzn-requestid",
                                            .request = kRequestHeaders,
                                            .lists = kListHeaders,
                                            .answer = kAnswerHeaders};

inline constexpr std::string_view kBaseUrl =
    "the endpoint URL of a Bedrock client has no path";

}  // namespace llmproxy::aws_family
