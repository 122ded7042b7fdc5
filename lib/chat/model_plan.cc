#include "chat/model_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/bounded.h"
#include "base/enum_table.h"

namespace llmproxy {
namespace {

/// Told to the model where structured output has no native form.
constexpr std::string_view kJsonOnly =
    "Respond with a single valid JSON object and nothing else.";

/// docs/dialects.md, "Effort and budgets". Tokens.
struct BudgetRow {
  Effort effort;
  std::string_view word;
  std::int64_t tokens;
};
constexpr std::array kBudgets = {
    BudgetRow{Effort::low, "low", 4096},
    BudgetRow{Effort::medium, "medium", 8192},
    BudgetRow{Effort::high, "high", 16384},
    BudgetRow{Effort::xhigh, "xhigh", 24576},
    BudgetRow{Effort::max, "max", 32000},
};

const BudgetRow& row_of(Effort effort) {
  for (const BudgetRow& row : kBudgets) {
    if (row.effort == effort) return row;
  }
  return kBudgets.front();
}

Effort effort_of(std::int64_t budget) {
  if (budget < 4096) return Effort::low;
  if (budget < 16384) return Effort::medium;
  return Effort::high;
}

void lose(Losses& losses, std::string_view path, std::string what,
          LossKind kind = LossKind::dropped) {
  add_loss(losses, {std::string(path), std::move(what), kind});
}

bool choice_is_forced(const ChatRequest& request) {
  return request.tool_choice &&
         (request.tool_choice->mode == ToolChoiceMode::required ||
          request.tool_choice->mode == ToolChoiceMode::named);
}

bool has_call(const ContentPart& part) {
  return part.as<ToolCallPart>() != nullptr;
}

bool is_signed_thinking(const ContentPart& part) {
  const auto* thinking = part.as<ThinkingPart>();
  return thinking != nullptr && thinking->issuer == ReasoningIssuer::anthropic;
}

/// The last model turn calls tools without signed thinking before them:
/// the API then refuses to think by budget in the same loop.
bool within_unsigned_tool_loop(const ChatRequest& request) {
  for (auto message = request.messages.rbegin();
       message != request.messages.rend(); ++message) {
    if (message->role != Role::assistant) continue;
    const auto& content = message->content;
    return std::any_of(content.begin(), content.end(), has_call) &&
           std::none_of(content.begin(), content.end(), is_signed_thinking);
  }
  return false;
}

/// Why the model cannot think by budget in this request; empty = it can.
std::string budget_obstacle(const ChatRequest& request,
                            std::int64_t max_tokens) {
  if (choice_is_forced(request)) {
    return "thinking is off: it cannot be used when a tool call is forced";
  }
  if (max_tokens <= kMinThinkingBudget) {
    return fmt::format("thinking is off: it needs more than {} max_tokens",
                       kMinThinkingBudget);
  }
  if (within_unsigned_tool_loop(request)) {
    return "thinking is off: the tool calls before carry no signed thinking";
  }
  return {};
}

/// 1024 <= budget < max_tokens, and never together with a forced choice.
/// max_tokens is not raised: that would cost what nobody asked for.
ThinkingPlan plan_budget(const ChatRequest& request, std::int64_t max_tokens,
                         Losses& losses) {
  const Reasoning& asked = request.reasoning;
  if (std::string why = budget_obstacle(request, max_tokens); !why.empty()) {
    lose(losses, reasoning_path(request), std::move(why));
    return {};
  }
  ThinkingPlan plan;
  plan.mode = ReasoningMode::budget;
  // A quarter is left for the answer.
  const std::int64_t most = std::max(kMinThinkingBudget, max_tokens / 4 * 3);
  if (asked.budget_tokens && *asked.budget_tokens < kMinThinkingBudget) {
    plan.budget = kMinThinkingBudget;
    lose(losses, reasoning_path(request),
         fmt::format("this model takes no budget below {} tokens; they are "
                     "used",
                     kMinThinkingBudget),
         LossKind::approximated);
    return plan;
  }
  if (asked.budget_tokens && *asked.budget_tokens < max_tokens) {
    plan.budget = asked.budget_tokens;
  } else if (asked.budget_tokens) {
    plan.budget = most;
  } else {
    plan.budget =
        std::min(row_of(asked.effort.value_or(Effort::medium)).tokens, most);
  }
  if (asked.effort || plan.budget != asked.budget_tokens) {
    lose(losses, reasoning_path(request),
         fmt::format("this model takes a budget; {} tokens are used",
                     *plan.budget),
         LossKind::approximated);
  }
  return plan;
}

std::string free_tool_name(const ChatRequest& request, std::string name) {
  const auto taken = [&](const ToolDefinition& tool) {
    return tool.name == name;
  };
  while (std::any_of(request.tools.begin(), request.tools.end(), taken)) {
    name += '_';
  }
  return name;
}

Result<void> fit_temperature(ChatRequest& sampling,
                             const EncodeOptions& options, Losses& losses) {
  const double most = options.traits.max_temperature;
  if (!sampling.temperature || !options.traits.sampling ||
      *sampling.temperature <= most) {
    return {};
  }
  if (!options.clamp_sampling) {
    return invalid_request(
        fmt::format("temperature must be between 0 and {} for this model",
                    most),
        "/temperature");
  }
  lose(losses, "/temperature", fmt::format("brought down to {}", most),
       LossKind::approximated);
  sampling.temperature = most;
  return {};
}

void drop_sampling(ChatRequest& sampling, std::string_view why,
                   Losses& losses) {
  const auto drop = [&](std::string_view path, auto& value) {
    if (!value) return;
    value.reset();
    lose(losses, path, std::string(why));
  };
  drop("/temperature", sampling.temperature);
  drop("/top_p", sampling.top_p);
  drop("/top_k", sampling.top_k);
}

}  // namespace

std::string_view reasoning_path(const ChatRequest& request) {
  return request.reasoning.effort ? "/reasoning_effort" : "/thinking";
}

ThinkingPlan plan_thinking(const ChatRequest& request,
                           const TargetTraits& traits, std::int64_t max_tokens,
                           Losses& losses) {
  const Reasoning& asked = request.reasoning;
  const bool off = asked.mode == ReasoningMode::off ||
                   asked.effort == Effort::none ||
                   asked.effort == Effort::minimal;
  const bool on = !off && (asked.mode || asked.effort || asked.budget_tokens);
  const ThinkingStyle style = traits.thinking;
  ThinkingPlan plan;
  if (off) {
    // Models that think by default must be told; the others need nothing.
    if (style == ThinkingStyle::adaptive || style == ThinkingStyle::both) {
      plan.mode = ReasoningMode::off;
    }
    return plan;
  }
  if (!on) return plan;
  if (style == ThinkingStyle::none) {
    lose(losses, reasoning_path(request), "this model does not think");
    return plan;
  }
  const bool by_budget =
      style == ThinkingStyle::budget ||
      (style == ThinkingStyle::both && asked.budget_tokens.has_value());
  if (by_budget) return plan_budget(request, max_tokens, losses);
  plan.mode = ReasoningMode::adaptive;
  plan.effort = asked.effort;
  if (!plan.effort && asked.budget_tokens) {
    plan.effort = effort_of(*asked.budget_tokens);
    lose(losses, reasoning_path(request),
         fmt::format("this model takes no budget; effort {} is used",
                     row_of(*plan.effort).word),
         LossKind::approximated);
  }
  return plan;
}

FormatPlan plan_format(const ChatRequest& request, const TargetTraits& traits,
                       bool thinks, std::string_view provider,
                       RequestContext& context, Losses& losses) {
  FormatPlan plan;
  if (!request.response_format) return plan;
  const ResponseFormat& format = *request.response_format;
  if (format.kind == FormatKind::text) return plan;
  if (format.kind == FormatKind::json_object || format.schema.empty()) {
    plan.words = kJsonOnly;
    lose(losses, "/response_format",
         fmt::format("{} has no JSON mode; the model is told in words",
                     provider),
         LossKind::approximated);
    return plan;
  }
  plan.native = traits.structured_output;
  if (plan.native) return plan;
  context.json_tool = free_tool_name(request, "json_response");
  lose(losses, "/response_format",
       "this model has no structured output; a private tool stands in",
       LossKind::approximated);
  // Forcing the private tool would make the client's own tools unreachable,
  // and is refused while the model thinks.
  plan.force_tool = request.tools.empty() && !thinks;
  if (!plan.force_tool) {
    plan.words = fmt::format(
        "Give your final answer by calling the tool {} exactly "
        "once.",
        context.json_tool);
  }
  return plan;
}

Result<void> fit_sampling(ChatRequest& sampling, const EncodeOptions& options,
                          bool thinks, Losses& losses) {
  LLMPROXY_TRY(fit_temperature(sampling, options, losses));
  if (!options.traits.sampling) {
    drop_sampling(sampling, "this model takes no sampling parameters", losses);
  } else if (thinks) {
    drop_sampling(sampling, "not taken while the model thinks", losses);
  } else if (sampling.temperature && sampling.top_p &&
             !options.traits.sampling_pair) {
    sampling.top_p.reset();
    lose(losses, "/top_p", "this model takes temperature or top_p, not both");
  }
  return {};
}

}  // namespace llmproxy
