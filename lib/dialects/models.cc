// What models take that their dialect alone does not say. One row a family;
// the first pattern that fits counts. A `*` stands for any text, so that
// "anthropic/claude-opus-4-8" and dated names fit too.
//
// Sources: Anthropic "Models overview", "Migration guide", "Extended
// thinking", "Structured outputs"; OpenAI "Reasoning models". Read 2026-11.
#include <algorithm>
#include <array>
#include <span>

#include "llmproxy/dialect.h"

namespace llmproxy {
namespace {

constexpr TargetTraits claude_base() {
  TargetTraits traits;
  traits.max_temperature = 1.0;
  traits.system_in_messages = false;
  traits.thinking = ThinkingStyle::both;
  return traits;
}

/// Claude 3.x: tools stand in for structured output.
constexpr TargetTraits claude_3(ThinkingStyle thinking,
                                std::int64_t max_tokens) {
  TargetTraits traits = claude_base();
  traits.structured_output = false;
  traits.thinking = thinking;
  traits.default_max_tokens = max_tokens;
  return traits;
}

/// Claude 4.0 to 4.5: budgets; temperature or top_p, not both.
constexpr TargetTraits claude_4(bool structured_output,
                                std::int64_t max_tokens) {
  TargetTraits traits = claude_base();
  traits.sampling_pair = false;
  traits.structured_output = structured_output;
  traits.thinking = ThinkingStyle::budget;
  traits.default_max_tokens = max_tokens;
  return traits;
}

/// Claude 4.6: budgets and adaptive thinking; no prefill any more.
constexpr TargetTraits claude_4_6() {
  TargetTraits traits = claude_4(true, 64000);
  traits.thinking = ThinkingStyle::both;
  traits.prefill = false;
  return traits;
}

/// Claude 4.7 and newer: adaptive only, no sampling parameters.
constexpr TargetTraits claude_new(bool system_in_messages) {
  TargetTraits traits = claude_4_6();
  traits.thinking = ThinkingStyle::adaptive;
  traits.sampling = false;
  traits.system_in_messages = system_in_messages;
  return traits;
}

constexpr TargetTraits openai_reasoning() {
  TargetTraits traits;
  traits.sampling = false;
  return traits;
}

constexpr TargetTraits openai_plain() {
  TargetTraits traits;
  traits.thinking = ThinkingStyle::none;
  return traits;
}

constexpr TargetTraits gemini_base(ThinkingStyle thinking) {
  TargetTraits traits;
  traits.system_in_messages = false;
  traits.image_urls = false;
  traits.thinking = thinking;
  traits.tools_with_format = false;
  return traits;
}

/// Gemini 2.5: budgets, of which the larger models need some; no penalties.
constexpr TargetTraits gemini_2_5(std::int64_t min_budget) {
  TargetTraits traits = gemini_base(ThinkingStyle::budget);
  traits.penalties = false;
  traits.min_thinking_budget = min_budget;
  return traits;
}

/// Gemini 3 and newer: levels; functions beside a JSON format; files in
/// results of functions.
constexpr TargetTraits gemini_3() {
  TargetTraits traits = gemini_base(ThinkingStyle::level);
  traits.penalties = false;
  traits.tools_with_format = true;
  traits.tool_result_images = true;
  return traits;
}

/// Models of other vendors on Bedrock: no prefixes, signatures or schemas.
constexpr TargetTraits bedrock_plain() {
  TargetTraits traits = claude_3(ThinkingStyle::none, 4096);
  traits.prefill = false;
  return traits;
}

struct ModelRow {
  std::string_view dialect;
  std::string_view pattern;
  TargetTraits traits;
};

constexpr std::array kModels = {
    ModelRow{"claude", "*claude-2*", claude_3(ThinkingStyle::none, 4096)},
    ModelRow{"claude", "*claude-3-5*", claude_3(ThinkingStyle::none, 8192)},
    ModelRow{"claude", "*claude-3-7*", claude_3(ThinkingStyle::budget, 64000)},
    ModelRow{"claude", "*claude-3*", claude_3(ThinkingStyle::none, 4096)},
    ModelRow{"claude", "*claude-*-4-5*", claude_4(true, 64000)},
    ModelRow{"claude", "*claude-*-4-6*", claude_4_6()},
    ModelRow{"claude", "*claude-*-4-7*", claude_new(false)},
    ModelRow{"claude", "*claude-*-4-8*", claude_new(true)},
    ModelRow{"claude", "*claude-opus-4*", claude_4(false, 32000)},
    ModelRow{"claude", "*claude-sonnet-4*", claude_4(false, 64000)},
    ModelRow{"claude", "*claude-sonnet-5-5*", claude_new(true)},
    ModelRow{"claude", "*claude-sonnet-5*", claude_new(false)},
    ModelRow{"claude", "*claude-*-5*", claude_new(true)},
    ModelRow{"bedrock-converse", "*amazon.nova*", bedrock_plain()},
    ModelRow{"bedrock-converse", "*meta.llama*", bedrock_plain()},
    ModelRow{"bedrock-converse", "*mistral.*", bedrock_plain()},
    ModelRow{"bedrock-converse", "*cohere.*", bedrock_plain()},
    ModelRow{"bedrock-converse", "*deepseek.*", bedrock_plain()},
    ModelRow{"bedrock-converse", "*openai.gpt-oss*", bedrock_plain()},
    ModelRow{"bedrock-converse", "*qwen.*", bedrock_plain()},
    ModelRow{"claude", "*", claude_base()},
    ModelRow{"openai-chat", "*gpt-5-chat*", openai_plain()},
    ModelRow{"openai-chat", "*gpt-3.5*", openai_plain()},
    ModelRow{"openai-chat", "*gpt-4*", openai_plain()},
    ModelRow{"openai-chat", "*gpt-5*", openai_reasoning()},
    ModelRow{"openai-chat", "*gpt-6*", openai_reasoning()},
    ModelRow{"openai-chat", "o1*", openai_reasoning()},
    ModelRow{"openai-chat", "o3*", openai_reasoning()},
    ModelRow{"openai-chat", "o4*", openai_reasoning()},
    ModelRow{"openai-responses", "*gpt-5-chat*", openai_plain()},
    ModelRow{"openai-responses", "*gpt-4*", openai_plain()},
    ModelRow{"openai-responses", "*gpt-5*", openai_reasoning()},
    ModelRow{"openai-responses", "*gpt-6*", openai_reasoning()},
    ModelRow{"openai-responses", "o1*", openai_reasoning()},
    ModelRow{"openai-responses", "o3*", openai_reasoning()},
    ModelRow{"openai-responses", "o4*", openai_reasoning()},
    ModelRow{"gemini", "*gemini-1*", gemini_base(ThinkingStyle::none)},
    ModelRow{"gemini", "*gemini-2.0*", gemini_base(ThinkingStyle::none)},
    ModelRow{"gemini", "*gemini-2.5-pro*", gemini_2_5(128)},
    ModelRow{"gemini", "*gemini-2.5*", gemini_2_5(0)},
    ModelRow{"gemini", "*gemini-3*", gemini_3()},
    ModelRow{"gemini", "*", gemini_base(ThinkingStyle::budget)},
};

/// Glob with `*` only; linear in practice, patterns are short.
bool fits(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace

TargetTraits traits_for(const Dialect& dialect, std::string_view model) {
  const std::string_view own[] = {dialect.wire_name()};
  const std::span<const std::string_view> rows =
      dialect.model_rows.empty() ? own : dialect.model_rows;
  // Most rows follow another one of the same dialect.
  const char* judged = nullptr;
  bool counts = false;
  for (const ModelRow& row : kModels) {
    if (row.dialect.data() != judged) {
      judged = row.dialect.data();
      counts = std::find(rows.begin(), rows.end(), row.dialect) != rows.end();
    }
    if (!counts || !fits(row.pattern, model)) continue;
    TargetTraits traits = row.traits;
    traits.image_urls = traits.image_urls && dialect.image_urls;
    return traits;
  }
  return {};
}

}  // namespace llmproxy
