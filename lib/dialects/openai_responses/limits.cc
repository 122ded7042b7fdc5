// OpenAI Responses: what it can say. Source: OpenAI API reference, "Create a
// model response", and the types of npm openai 7.55.
#include <array>

#include "dialects/openai_responses/tables.h"

namespace llmproxy::openai_responses {
namespace {

// The canonical words are those of this dialect. [service_tier]
constexpr std::array kTiers = {
    TierWord{"auto", "auto"},          TierWord{"default", "default"},
    TierWord{"flex", "flex"},          TierWord{"scale", "scale"},
    TierWord{"priority", "priority"},  TierWord{"fast", "fast"},
    TierWord{"ultrafast", "ultrafast"}};

// Clients of other APIs send the whole conversation each time and expect
// nothing to be kept; reasoning then travels encrypted through them.
constexpr std::array kAdded = {
    FixedField{"store", "false"},
    FixedField{"include", R"(["reasoning.encrypted_content"])"}};

}  // namespace

const DialectLimits kLimits = {
    .target = kTarget,
    // Below it the API answers 400. [max_output_tokens]
    .least_max_tokens = 16,
    .top_k = false,
    .penalties = false,
    .seed = false,
    .max_stop_sequences = 0,
    .thinking = ThinkingWords::effort,
    .summary_lengths = true,
    // "'messages' must contain the word 'json' in some form".
    .json_by_word = true,
    .format_fallback = FormatFallback::json_mode,
    // Left out it means strict where the schema fits, unlike elsewhere.
    .strict_unless_said = true,
    .name_spaces = true,
    .schema = SchemaShape::required,
    .cache_breakpoints = true,
    .citations = true,
    .audio = false,
    .document_context = false,
    // Items take what is their own; there are no messages around them.
    .message_extensions = false,
    .thinking_of = ReasoningIssuer::openai,
    .unsigned_thinking = false,
    // What is stored there is known by it.
    .thinking_ids = true,
    .opaque_parts = kName,
    // [safety_identifier]
    .max_user_id = 64,
    .tiers = kTiers,
    .used_tiers = kTiers,
    .added_fields = kAdded,
};

}  // namespace llmproxy::openai_responses
