// OpenAI Chat Completions: what it can say. Source: OpenAI API reference,
// "Create chat completion", and the types of npm openai 7.55.
#include <array>

#include "dialects/openai_chat/tables.h"

namespace llmproxy::openai_chat {
namespace {

// The canonical words are those of this dialect. [service_tier]
constexpr std::array kTiers = {
    TierWord{"auto", "auto"},         TierWord{"default", "default"},
    TierWord{"flex", "flex"},         TierWord{"scale", "scale"},
    TierWord{"priority", "priority"}, TierWord{"fast", "fast"}};

}  // namespace

const DialectLimits kLimits = {
    .target = kTarget,
    // Dozens of providers serve it, each without something.
    .traits_for_own = true,
    .top_k = false,
    .max_stop_sequences = 4,
    .thinking = ThinkingWords::effort,
    // Reasoning is not part of its answers.
    .shows_thinking = false,
    // "'messages' must contain the word 'json' in some form".
    .json_by_word = true,
    .format_fallback = FormatFallback::json_mode,
    .cache_breakpoints = true,
    .document_urls = false,
    .document_context = false,
    .message_names = true,
    .thinking_text = false,
    // [safety_identifier]
    .max_user_id = 64,
    .tiers = kTiers,
    .used_tiers = kTiers,
};

}  // namespace llmproxy::openai_chat
