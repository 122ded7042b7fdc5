// Amazon Bedrock Converse: what it can say. Source: Amazon Bedrock API
// reference, "Converse", and the types of npm
// @aws-sdk/client-bedrock-runtime 3.
#include <array>
#include <cstdint>

#include "dialects/bedrock_converse/tables.h"

namespace llmproxy::bedrock_converse {
namespace {

// [serviceTier.type]
constexpr std::array kTiers = {
    TierWord{"default", "default"}, TierWord{"priority", "priority"},
    TierWord{"flex", "flex"}, TierWord{"reserved", "reserved"}};

}  // namespace

const DialectLimits kLimits = {
    .target = kTitle,
    // The API's own integer. [inferenceConfig.maxTokens]
    .most_max_tokens = INT32_MAX,
    .penalties = false,
    .seed = false,
    .sampling_beside_thinking = false,
    .blank_stop_sequences = false,
    .thinking = ThinkingWords::anthropic,
    // [outputConfig.effort]
    .least_effort = Effort::low,
    .omits_thinking = true,
    .text_format = false,
    .json_object = false,
    .closed_schemas = true,
    .format_fallback = FormatFallback::tool,
    .allowed_tools = false,
    // toolChoice has no member that forbids calls, or several of them.
    .forbids_calls = false,
    .parallel_calls = false,
    .tools_of_history = true,
    .schema = SchemaShape::object,
    .system_turns = SystemTurns::placed,
    .cache_markers = true,
    .citations = true,
    .image_detail = false,
    .image_urls = false,
    .document_urls = false,
    .thinking_of = ReasoningIssuer::anthropic,
    .unsigned_thinking = false,
    .opaque_parts = kName,
    .tiers = kTiers,
    .used_tiers = kTiers,
};

}  // namespace llmproxy::bedrock_converse
