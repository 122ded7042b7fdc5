// What wishes become for Anthropic's models, whoever hosts them and in
// whatever body: thinking by budget or effort, structured output natively, by
// a private tool or in words.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "llmproxy/chat.h"
#include "llmproxy/dialect.h"
#include "llmproxy/loss.h"

namespace llmproxy {

inline constexpr std::int64_t kMinThinkingBudget = 1024;  // tokens

struct ThinkingPlan {
  std::optional<ReasoningMode> mode;
  std::optional<std::int64_t> budget;
  std::optional<Effort> effort;

  bool thinks() const { return mode && *mode != ReasoningMode::off; }
};

/// Decided before anything is written: sampling and tool choice depend on it.
/// `max_tokens` is the limit that will be sent.
ThinkingPlan plan_thinking(const ChatRequest& request,
                           const TargetTraits& traits, std::int64_t max_tokens,
                           Losses& losses);

struct FormatPlan {
  /// The schema is sent as it is.
  bool native = false;
  /// The private tool (RequestContext::json_tool) must be called.
  bool force_tool = false;
  /// To be told to the model; empty = nothing.
  std::string words;
};

/// Names the private tool in `context` where one is needed. `provider` is
/// for the losses.
FormatPlan plan_format(const ChatRequest& request, const TargetTraits& traits,
                       bool thinks, std::string_view provider,
                       RequestContext& context, Losses& losses);

/// The wish comes in the words of the first or the second kind of dialect.
std::string_view reasoning_path(const ChatRequest& request);

/// Brings temperature, top_p and top_k to what the model takes. Error:
/// invalid_request for a temperature out of range that may not be clamped.
Result<void> fit_sampling(ChatRequest& sampling, const EncodeOptions& options,
                          bool thinks, Losses& losses);

}  // namespace llmproxy
