// Amazon Bedrock InvokeModel with Anthropic's body: what it can say, as the
// Messages API does but for what runs at Anthropic. Source: Amazon Bedrock
// user guide, "Anthropic Claude Messages API".
#include "dialects/bedrock/tables.h"

namespace llmproxy::bedrock {

const DialectLimits kLimits = {
    .target = "Bedrock",
    .family = claude::kBodyFamily,
    .max_tokens_required = true,
    .zero_max_tokens = true,
    .penalties = false,
    .seed = false,
    .sampling_beside_thinking = false,
    .blank_stop_sequences = false,
    .thinking = ThinkingWords::anthropic,
    .least_effort = Effort::low,
    .omits_thinking = true,
    .text_format = false,
    .json_object = false,
    .format_description = false,
    .closed_schemas = true,
    .format_fallback = FormatFallback::tool,
    .allowed_tools = false,
    .schema = SchemaShape::object,
    .hosted_tools = kTools,
    .system_turns = SystemTurns::placed,
    .cache_markers = true,
    .citations = true,
    .image_detail = false,
    .image_urls = false,
    .document_urls = false,
    .audio = false,
    .plain_texts = true,
    .thinking_of = ReasoningIssuer::anthropic,
    .unsigned_thinking = false,
    .opaque_parts = claude::kName,
    .opaque_types = kBlocks,
    // A header of its own, no member of the body.
    .service_tier = false,
    .tiers = claude::kTierWords,
    .used_tiers = claude::kUsedTiers,
    .family_fields = claude::kFamilyFields,
};

}  // namespace llmproxy::bedrock
