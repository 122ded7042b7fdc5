// Gemini generateContent: what it can say. Source: Gemini API reference,
// "GenerationConfig", "Thinking", "Structured outputs", and the types of npm
// @google/genai 2.32.
#include <cstdint>

#include "dialects/gemini/tables.h"

namespace llmproxy::gemini {

const DialectLimits kLimits = {
    .target = "Gemini",
    // The API's own integer. [maxOutputTokens]
    .most_max_tokens = INT32_MAX,
    .seed_32_bits = true,
    .max_stop_sequences = 5,
    .thinking = ThinkingWords::level_or_budget,
    // The words that thinkingLevel has.
    .least_effort = Effort::minimal,
    .most_effort = Effort::high,
    .text_format = false,
    .strict_format = false,
    .format_description = false,
    // "Function calling mode ANY" with a JSON type is refused.
    .format_beside_forced = false,
    .allowed_tools = false,
    .parallel_calls = false,
    .strict_tools = false,
    // FunctionDeclaration.name
    .letter_first = true,
    .system_turns = SystemTurns::on_top,
    .image_detail = false,
    .image_urls = false,
    .document_urls = false,
    .own_urls = true,
    .document_context = false,
    .message_extensions = false,
    .file_names = false,
    .thinking_of = ReasoningIssuer::google,
    .opaque_parts = kName,
    .user_id = false,
    .tiers = kTiers,
};

}  // namespace llmproxy::gemini
