// What models take that their dialect alone does not say. One row a family;
// the first pattern that fits counts. A `*` stands for any text, so that
// "anthropic/claude-opus-4-8" and dated names fit too.
//
// Sources: Anthropic "Models overview", "Migration guide", "Extended
// thinking", "Effort", "Structured outputs"; OpenAI "Reasoning models" and the
// pages of its models (which efforts each takes, and the API's own "Supported
// values are: ..." for gpt-5.1 and gpt-5.4); Google "Gemini thinking" (levels
// and budgets of each model); AWS "Supported foundation models". Read 2026-11.
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

/// Claude 3.x: tools stand in for structured output, which strict tools are
/// part of.
constexpr TargetTraits claude_3(ThinkingStyle thinking,
                                std::int64_t max_tokens) {
  TargetTraits traits = claude_base();
  traits.structured_output = false;
  traits.strict_tools = false;
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
  traits.strict_tools = structured_output;
  traits.thinking = ThinkingStyle::budget;
  traits.default_max_tokens = max_tokens;
  return traits;
}

/// Claude 4.6: budgets and adaptive thinking, `max` but no `xhigh` yet; no
/// prefill any more.
constexpr TargetTraits claude_4_6() {
  TargetTraits traits = claude_4(true, 64000);
  traits.thinking = ThinkingStyle::both;
  traits.xhigh_effort = false;
  traits.prefill = false;
  return traits;
}

/// Claude 4.7 and newer: adaptive only, no sampling parameters.
constexpr TargetTraits claude_new(bool system_in_messages) {
  TargetTraits traits = claude_4_6();
  traits.thinking = ThinkingStyle::adaptive;
  traits.xhigh_effort = true;
  traits.sampling = false;
  traits.system_in_messages = system_in_messages;
  return traits;
}

/// Claude Fable 5 cannot be kept from thinking.
constexpr TargetTraits claude_fable() {
  TargetTraits traits = claude_new(true);
  traits.thinking_off = false;
  return traits;
}

/// The o models, and GPT-5 with its kin: each takes another span of efforts.
constexpr TargetTraits openai_reasoning(Effort least, Effort most) {
  TargetTraits traits;
  traits.sampling = false;
  traits.penalties = false;
  traits.stop_sequences = false;
  traits.least_effort = least;
  traits.most_effort = most;
  return traits;
}

/// GPT-5.1 and newer: `none` has taken the place of `minimal`, and is what most
/// of them do unasked.
constexpr TargetTraits gpt_5_1(Effort most) {
  TargetTraits traits = openai_reasoning(Effort::none, most);
  traits.minimal_effort = false;
  traits.none_effort = true;
  return traits;
}

/// GPT-5.5 and newer take stop sequences again.
constexpr TargetTraits gpt_5_5(Effort most) {
  TargetTraits traits = gpt_5_1(most);
  traits.stop_sequences = true;
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
constexpr TargetTraits gemini_2_5(std::int64_t min_budget,
                                  std::int64_t max_budget) {
  TargetTraits traits = gemini_base(ThinkingStyle::budget);
  traits.penalties = false;
  traits.min_thinking_budget = min_budget;
  traits.max_thinking_budget = max_budget;
  return traits;
}

/// Gemini 2.5 Flash-Lite: a budget that is none is 512 at least.
constexpr TargetTraits gemini_2_5_lite() {
  TargetTraits traits = gemini_2_5(0, 24576);
  traits.least_thinking_budget = 512;
  return traits;
}

/// The most that all models with budgets take.
constexpr TargetTraits gemini_unknown() {
  TargetTraits traits = gemini_base(ThinkingStyle::budget);
  traits.max_thinking_budget = 24576;
  return traits;
}

/// Gemini 3 and newer: levels; functions beside a JSON format; files in
/// results of functions. They always think; the smaller ones next to nothing.
constexpr TargetTraits gemini_3(Effort least) {
  TargetTraits traits = gemini_base(ThinkingStyle::level);
  traits.least_effort = least;
  traits.penalties = false;
  traits.tools_with_format = true;
  traits.tool_result_images = true;
  return traits;
}

/// Models of other vendors on Bedrock: no prefixes, signatures or schemas, nor
/// what only Anthropic's models have.
constexpr TargetTraits bedrock_plain() {
  TargetTraits traits = claude_3(ThinkingStyle::none, 4096);
  traits.prefill = false;
  traits.anthropic_fields = false;
  return traits;
}

/// Stands for the ids of Bedrock that say whose the model is: a vendor, a dot
/// and a name, behind a region or within an ARN, too. The other ones (profiles
/// that an account has made) may stand for any model, mostly for one of
/// Anthropic's.
constexpr std::string_view kAnyVendor = "<vendor>.<model>";

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
    ModelRow{"claude", "*claude-fable-5*", claude_fable()},
    ModelRow{"claude", "*claude-*-5*", claude_new(true)},
    ModelRow{"bedrock-converse", "*anthropic.*", claude_base()},
    ModelRow{"bedrock-converse", kAnyVendor, bedrock_plain()},
    ModelRow{"claude", "*", claude_base()},
    ModelRow{"gemini", "*gemini-1*", gemini_base(ThinkingStyle::none)},
    ModelRow{"gemini", "*gemini-2.0*", gemini_base(ThinkingStyle::none)},
    ModelRow{"gemini", "*gemini-2.5-pro*", gemini_2_5(128, 32768)},
    ModelRow{"gemini", "*gemini-2.5-flash-lite*", gemini_2_5_lite()},
    ModelRow{"gemini", "*gemini-2.5*", gemini_2_5(0, 24576)},
    ModelRow{"gemini", "*gemini-3*flash*", gemini_3(Effort::minimal)},
    ModelRow{"gemini", "*gemini-3*", gemini_3(Effort::low)},
    ModelRow{"gemini", "*", gemini_unknown()},
    ModelRow{"openai-chat", "*gpt-5-chat*", openai_plain()},
    ModelRow{"openai-chat", "*gpt-3.5*", openai_plain()},
    ModelRow{"openai-chat", "*gpt-4*", openai_plain()},
    ModelRow{"openai-chat", "*gpt-5-pro*",
             openai_reasoning(Effort::high, Effort::high)},
    ModelRow{"openai-chat", "*gpt-5-codex*",
             openai_reasoning(Effort::low, Effort::high)},
    ModelRow{"openai-chat", "*gpt-5.1-codex-max*",
             openai_reasoning(Effort::low, Effort::xhigh)},
    ModelRow{"openai-chat", "*gpt-5.1-codex*",
             openai_reasoning(Effort::low, Effort::high)},
    ModelRow{"openai-chat", "*gpt-5.1*", gpt_5_1(Effort::high)},
    ModelRow{"openai-chat", "*gpt-5.*-codex*",
             openai_reasoning(Effort::low, Effort::xhigh)},
    ModelRow{"openai-chat", "*gpt-5.2*", gpt_5_1(Effort::xhigh)},
    ModelRow{"openai-chat", "*gpt-5.3*", gpt_5_1(Effort::xhigh)},
    ModelRow{"openai-chat", "*gpt-5.4*", gpt_5_1(Effort::xhigh)},
    ModelRow{"openai-chat", "*gpt-5.5*", gpt_5_5(Effort::xhigh)},
    ModelRow{"openai-chat", "*gpt-5.*", gpt_5_5(Effort::max)},
    ModelRow{"openai-chat", "*gpt-5*",
             openai_reasoning(Effort::minimal, Effort::high)},
    ModelRow{"openai-chat", "*gpt-6*", gpt_5_5(Effort::max)},
    ModelRow{"openai-chat", "o1*", openai_reasoning(Effort::low, Effort::high)},
    ModelRow{"openai-chat", "o3*", openai_reasoning(Effort::low, Effort::high)},
    ModelRow{"openai-chat", "o4*", openai_reasoning(Effort::low, Effort::high)},
};

/// Glob with `*` only: each piece between stars as early as it comes, the last
/// one at the end.
bool fits(std::string_view pattern, std::string_view text) {
  for (bool first = true;; first = false) {
    const std::size_t star = pattern.find('*');
    const std::string_view piece = pattern.substr(0, star);
    if (star == std::string_view::npos) {
      return first ? text == piece : text.ends_with(piece);
    }
    const std::size_t at = text.find(piece);
    if (at == std::string_view::npos || (first && at != 0)) return false;
    text.remove_prefix(at + piece.size());
    pattern.remove_prefix(star + 1);
  }
}

constexpr bool is_letter(char c) { return c >= 'a' && c <= 'z'; }

/// "meta.llama4", "us.meta.llama4", "arn:.../meta.llama4"; not "gpt-5.5".
bool names_vendor(std::string_view id) {
  id.remove_prefix(id.rfind('/') + 1);
  const std::size_t dot = id.find('.');
  if (dot == 0 || dot == std::string_view::npos || dot + 1 == id.size()) {
    return false;
  }
  const bool word = std::all_of(id.begin(), id.begin() + dot, [](char c) {
    return is_letter(c) || c == '-' || (c >= '0' && c <= '9');
  });
  return word && is_letter(id[dot + 1]);
}

bool is_of(const ModelRow& row, std::string_view model) {
  return row.pattern == kAnyVendor ? names_vendor(model)
                                   : fits(row.pattern, model);
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
    if (!counts || !is_of(row, model)) continue;
    TargetTraits traits = row.traits;
    traits.image_urls = traits.image_urls && dialect.image_urls;
    return traits;
  }
  return {};
}

}  // namespace llmproxy
