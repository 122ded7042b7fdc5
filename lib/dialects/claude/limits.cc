// Anthropic Messages: what it can say. Source: Anthropic API reference,
// "Create a Message", "Extended thinking", "Structured outputs", and the types
// of npm @anthropic-ai/sdk 1.11.
#include <array>
#include <string_view>

#include "dialects/claude/tables.h"

namespace llmproxy::claude {
namespace {

// Those of the family run here, or at the client.
constexpr std::array<std::string_view, 1> kAllTools = {""};

}  // namespace

const DialectLimits kLimits = {
    .target = "Anthropic",
    .family = kBodyFamily,
    .max_tokens_required = true,
    // It fills the prompt cache and answers nothing.
    .zero_max_tokens = true,
    .penalties = false,
    .seed = false,
    .sampling_beside_thinking = false,
    .blank_stop_sequences = false,
    .thinking = ThinkingWords::anthropic,
    // `none` and `minimal` have no word here. [output_config.effort]
    .least_effort = Effort::low,
    .omits_thinking = true,
    .text_format = false,
    .json_object = false,
    .format_description = false,
    .closed_schemas = true,
    .format_fallback = FormatFallback::tool,
    .allowed_tools = false,
    .schema = SchemaShape::object,
    .hosted_tools = kAllTools,
    .system_turns = SystemTurns::placed,
    .cache_markers = true,
    .citations = true,
    .image_detail = false,
    .audio = false,
    .plain_texts = true,
    .thinking_of = ReasoningIssuer::anthropic,
    .unsigned_thinking = false,
    .opaque_parts = kName,
    .tiers = kTierWords,
    .used_tiers = kUsedTiers,
    .family_fields = kFamilyFields,
};

}  // namespace llmproxy::claude
