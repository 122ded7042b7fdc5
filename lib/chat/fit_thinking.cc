// fit: thinking, from the words it was asked for in to those of the target.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/text.h"
#include "chat/fit_steps.h"
#include "chat/thinking_budget.h"

namespace llmproxy {
namespace {

constexpr std::string_view kEffortPath = "/reasoning_effort";
constexpr std::string_view kThinkingPath = "/thinking";
constexpr std::string_view kBudgetPath = "/thinking/budget_tokens";
constexpr std::string_view kDisplayPath = "/thinking/display";
constexpr std::string_view kSummarized = "summarized";
constexpr std::array<std::string_view, 2> kSummaryLengths = {"concise",
                                                             "detailed"};
constexpr std::string_view kBudget = "a budget for thinking";
constexpr std::string_view kOff = "thinking switched off";

/// What was asked, kept while the request's own is written anew.
struct Wish {
  Reasoning asked;
  /// Where it was asked for, or switched off.
  std::string path;
  bool off;
  bool on;
};

Wish wish_of(const FitStep& step) {
  const Reasoning& asked = step.request.reasoning;
  const auto& effort = asked.effort;
  // An effort beside it is one for the answer.
  const bool switched_off =
      asked.mode == ReasoningMode::off ||
      (asked.budget_tokens == 0 && asked.mode != ReasoningMode::adaptive);
  const bool off = switched_off || effort == Effort::none ||
                   (effort && *effort < step.limits().least_effort);
  const bool on = !off && (asked.mode || effort || asked.budget_tokens);
  const bool by_effort = effort && !switched_off;
  return {asked, std::string(by_effort ? kEffortPath : kThinkingPath), off, on};
}

/// What may be shown of it. A mode that asks for thinking asks to see it
/// where that has to be said, unless it says otherwise.
std::string shown(FitStep& step, const Wish& wish) {
  const std::string& display = wish.asked.display;
  const DialectLimits& limits = step.limits();
  const bool must_be_told = limits.shows_thinking && !limits.omits_thinking;
  if (display.empty()) {
    return wish.on && wish.asked.mode && must_be_told ? std::string(kSummarized)
                                                      : "";
  }
  // What is not asked for is not shown.
  if (display == "omitted" && !limits.omits_thinking) return {};
  const bool length = listed(kSummaryLengths, display);
  const bool summary = length || display == kSummarized;
  const bool taken = summary ? limits.shows_thinking : limits.omits_thinking;
  if (taken && length && !limits.summary_lengths) {
    step.change(std::string(kDisplayPath), limits.target,
                "a length of the thinking's summary", "it is as long as usual");
    return std::string(kSummarized);
  }
  if (taken) return display;
  step.drop(
      std::string(kDisplayPath), limits.target,
      summary ? "a summary of the thinking" : "such a display of the thinking");
  return {};
}

Effort least_effort(const FitStep& step) {
  return std::max(step.limits().least_effort, step.traits().least_effort);
}

/// The nearest effort that dialect and model take.
Effort nearest_effort(const FitStep& step, Effort asked) {
  const TargetTraits& traits = step.traits();
  const Effort most = std::min(step.limits().most_effort, traits.most_effort);
  const Effort effort = std::min(std::max(asked, least_effort(step)), most);
  if (effort == Effort::minimal && !traits.minimal_effort) return Effort::low;
  if (effort == Effort::xhigh && !traits.xhigh_effort) return Effort::high;
  return effort;
}

Effort fit_effort(FitStep& step, Effort asked) {
  const Effort effort = nearest_effort(step, asked);
  if (effort == asked) return effort;
  const DialectLimits& limits = step.limits();
  const bool said = asked >= limits.least_effort && asked <= limits.most_effort;
  step.change(std::string(kEffortPath),
              said ? step.model() : std::string(limits.target),
              fmt::format("effort {}", row_of(asked).word),
              fmt::format("effort {} is used", row_of(effort).word));
  return effort;
}

/// The effort that was asked for, or the one a budget stands for.
std::optional<Effort> effort_for(FitStep& step, const Wish& wish,
                                 std::string_view who) {
  const auto& budget = wish.asked.budget_tokens;
  if (wish.asked.effort) {
    if (budget) step.drop(std::string(kBudgetPath), who, kBudget);
    return fit_effort(step, *wish.asked.effort);
  }
  if (!budget) return std::nullopt;
  const Effort effort = nearest_effort(step, effort_of(*budget));
  step.change(std::string(kBudgetPath), who, kBudget,
              fmt::format("effort {} is used", row_of(effort).word));
  return effort;
}

/// Where thinking is switched off in another member than the effort's, that
/// one is for the answer; few have a word for it.
void drop_effort(FitStep& step, const Wish& wish, std::string_view who) {
  const auto& effort = wish.asked.effort;
  if (!effort || *effort == Effort::none || wish.path == kEffortPath) return;
  step.drop(std::string(kEffortPath), who,
            "an effort beside thinking that is switched off");
}

/// For models that cannot be kept from thinking.
void think_least(FitStep& step, const Wish& wish) {
  drop_effort(step, wish, step.model());
  const Effort effort = nearest_effort(step, Effort::none);
  step.request.reasoning.effort = effort;
  step.change(wish.path, step.model(), kOff,
              fmt::format("effort {} is used", row_of(effort).word));
}

// --- an effort alone --------------------------------------------------------

/// Models that may not think unasked are told how much; the others just do.
std::optional<Effort> effort_unsaid(FitStep& step, const Wish& wish) {
  if (!wish.on || !step.traits().none_effort) return std::nullopt;
  const Effort effort = nearest_effort(step, Effort::medium);
  step.change(wish.path, step.model(), "thinking without an effort",
              fmt::format("effort {} is used", row_of(effort).word));
  return effort;
}

void switch_effort_off(FitStep& step, const Wish& wish) {
  if (wish.asked.effort == Effort::none) {
    step.request.reasoning.effort = fit_effort(step, Effort::none);
  } else if (step.traits().none_effort) {
    step.request.reasoning.effort = Effort::none;
  } else {
    // Not every model takes `none`, and those that do are not all known.
    step.drop(std::string(kThinkingPath), step.limits().target,
              "thinking switched off with every model");
  }
}

void fit_effort_alone(FitStep& step, const Wish& wish) {
  Reasoning& fitted = step.request.reasoning;
  if (wish.off) {
    drop_effort(step, wish, step.limits().target);
    return switch_effort_off(step, wish);
  }
  fitted.effort = effort_for(step, wish, step.limits().target);
  if (!fitted.effort) fitted.effort = effort_unsaid(step, wish);
  fitted.display = shown(step, wish);
}

// --- mode, budget and effort ------------------------------------------------

bool has_call(const ContentPart& part) {
  return part.as<ToolCallPart>() != nullptr;
}

bool is_signed_thinking(const ContentPart& part) {
  const auto* thinking = part.as<ThinkingPart>();
  return thinking != nullptr &&
         thinking->issuer == ReasoningIssuer::anthropic &&
         !(thinking->signature.empty() && thinking->redacted_data.empty());
}

/// The last model turn calls tools without signed thinking before them:
/// the API then refuses to think by budget in the same loop.
bool within_unsigned_tool_loop(const ChatRequest& request) {
  const auto last = std::find_if(
      request.messages.rbegin(), request.messages.rend(),
      [](const Message& message) { return message.role == Role::assistant; });
  if (last == request.messages.rend()) return false;
  const auto& content = last->content;
  return std::any_of(content.begin(), content.end(), has_call) &&
         std::none_of(content.begin(), content.end(), is_signed_thinking);
}

std::int64_t max_tokens(const FitStep& step) {
  return step.request.max_output_tokens.value_or(
      step.traits().default_max_tokens);
}

/// Beside what the model does not think by budget; empty = it does.
std::string budget_obstacle(const FitStep& step) {
  if (step.forces_call()) return "thinking beside a forced tool call";
  if (max_tokens(step) <= kMinThinkingBudget) {
    return fmt::format("thinking within {} max_tokens or less",
                       kMinThinkingBudget);
  }
  if (within_unsigned_tool_loop(step.request)) {
    return "thinking after tool calls without signed thinking";
  }
  return {};
}

/// 1024 <= budget < max_tokens. max_tokens is not raised: that would cost what
/// nobody asked for.
std::int64_t budget_below_limit(const FitStep& step, const Reasoning& asked) {
  const std::int64_t limit = max_tokens(step);
  // A quarter is left for the answer.
  const std::int64_t most = std::max(kMinThinkingBudget, limit / 4 * 3);
  if (!asked.budget_tokens) {
    return std::min(row_of(asked.effort.value_or(Effort::medium)).budget, most);
  }
  if (*asked.budget_tokens >= limit) return most;
  return std::max(*asked.budget_tokens, kMinThinkingBudget);
}

/// One of both is used where a model takes one: the budget says more.
void tell_budget(FitStep& step, const Wish& wish, std::int64_t tokens) {
  const auto& asked = wish.asked.budget_tokens;
  const std::string used = fmt::format("a budget of {} tokens is used", tokens);
  if (!asked) {
    return step.change(wish.path, step.model(), "thinking without a budget",
                       used);
  }
  if (wish.asked.effort && !step.request.reasoning.effort) {
    step.drop(std::string(kEffortPath), step.model(),
              "an effort beside a budget");
  }
  if (*asked == tokens) return;
  step.change(std::string(kBudgetPath), step.model(),
              fmt::format("a budget of {} tokens here", *asked), used);
}

void think_by_budget(FitStep& step, const Wish& wish) {
  Reasoning& fitted = step.request.reasoning;
  if (const std::string obstacle = budget_obstacle(step); !obstacle.empty()) {
    return step.drop(wish.path, step.model(), obstacle);
  }
  fitted.mode = ReasoningMode::budget;
  // Models that know efforts take one beside a budget, too.
  if (step.traits().thinking == ThinkingStyle::both && wish.asked.effort) {
    fitted.effort = fit_effort(step, *wish.asked.effort);
  }
  fitted.budget_tokens = budget_below_limit(step, wish.asked);
  tell_budget(step, wish, *fitted.budget_tokens);
}

/// Models that think by default must be told not to; the others need nothing.
/// An effort is one for the answer, too.
void switch_off(FitStep& step, const Wish& wish) {
  if (!step.traits().thinking_off) return think_least(step, wish);
  const auto& effort = wish.asked.effort;
  const bool too_low = effort && *effort < step.limits().least_effort;
  // It was not asked for, only next to nothing.
  if (too_low && *effort != Effort::none && wish.path == kEffortPath) {
    step.change(std::string(kEffortPath), step.limits().target,
                fmt::format("effort {}", row_of(*effort).word),
                "thinking is switched off");
  }
  Reasoning& fitted = step.request.reasoning;
  const bool by_budget = step.traits().thinking == ThinkingStyle::budget;
  if (!by_budget) fitted.mode = ReasoningMode::off;
  if (by_budget || too_low) return drop_effort(step, wish, step.model());
  if (effort) fitted.effort = fit_effort(step, *effort);
}

void fit_anthropic(FitStep& step, const Wish& wish) {
  Reasoning& fitted = step.request.reasoning;
  if (wish.off) return switch_off(step, wish);
  if (!wish.on) {
    return step.drop(std::string(kDisplayPath), step.limits().target,
                     "a display of thinking that is not asked for");
  }
  const ThinkingStyle style = step.traits().thinking;
  const bool by_budget =
      style == ThinkingStyle::budget ||
      (style == ThinkingStyle::both && wish.asked.budget_tokens.has_value());
  if (by_budget) {
    think_by_budget(step, wish);
  } else {
    fitted.mode = ReasoningMode::adaptive;
    fitted.effort = effort_for(step, wish, step.model());
  }
  if (fitted.mode) fitted.display = shown(step, wish);
}

// --- a level or a budget ----------------------------------------------------

void fit_level(FitStep& step, const Wish& wish) {
  if (wish.off) return think_least(step, wish);
  step.request.reasoning.effort = effort_for(step, wish, step.model());
}

void use_budget(FitStep& step, std::int64_t tokens) {
  step.request.reasoning.mode = ReasoningMode::budget;
  step.request.reasoning.budget_tokens = tokens;
}

/// Thoughts count towards the limit: a quarter is left for the answer.
std::int64_t within_limit(const FitStep& step, std::int64_t budget) {
  const auto& limit = step.request.max_output_tokens;
  return limit && budget >= *limit ? *limit / 4 * 3 : budget;
}

/// A budget of 0 switches thinking off, and what is off cannot be shown.
void leave_no_room(FitStep& step, const Wish& wish) {
  step.request.reasoning = {};
  step.request.reasoning.mode = ReasoningMode::off;
  step.change(wish.path, step.model(),
              fmt::format("thinking within {} max_tokens",
                          step.request.max_output_tokens.value_or(0)),
              "thinking is switched off");
}

void fit_budget(FitStep& step, const Wish& wish) {
  Reasoning& fitted = step.request.reasoning;
  const TargetTraits& traits = step.traits();
  const auto taken = [&](std::int64_t tokens) {
    const std::int64_t least =
        std::max(traits.min_thinking_budget, traits.least_thinking_budget);
    return std::clamp(tokens, least, traits.max_thinking_budget);
  };
  const Reasoning& asked = wish.asked;
  if (wish.off) drop_effort(step, wish, step.model());
  if (wish.off && traits.min_thinking_budget == 0) {
    fitted.mode = ReasoningMode::off;
  } else if (wish.off) {
    use_budget(step, traits.min_thinking_budget);
    step.change(wish.path, step.model(), kOff,
                fmt::format("a budget of {} tokens is used",
                            traits.min_thinking_budget));
  } else if (asked.budget_tokens || asked.effort) {
    const std::int64_t tokens = asked.budget_tokens
                                    ? *asked.budget_tokens
                                    : row_of(*asked.effort).budget;
    use_budget(step, taken(within_limit(step, tokens)));
    if (*fitted.budget_tokens == 0) return leave_no_room(step, wish);
    tell_budget(step, wish, *fitted.budget_tokens);
  } else if (wish.on) {
    fitted.mode = ReasoningMode::adaptive;
  }
}

void fit_level_or_budget(FitStep& step, const Wish& wish) {
  if (step.traits().thinking == ThinkingStyle::level) {
    fit_level(step, wish);
  } else {
    fit_budget(step, wish);
  }
  Reasoning& fitted = step.request.reasoning;
  const bool thinks = !wish.off && fitted.mode != ReasoningMode::off;
  if (thinks) fitted.display = shown(step, wish);
}

// --- whose words ------------------------------------------------------------

struct WordsRow {
  ThinkingWords words;
  void (*fit)(FitStep& step, const Wish& wish);
};
constexpr std::array kWords = {
    WordsRow{ThinkingWords::effort, fit_effort_alone},
    WordsRow{ThinkingWords::anthropic, fit_anthropic},
    WordsRow{ThinkingWords::level_or_budget, fit_level_or_budget},
};

/// Told only where thinking was asked for.
void drop_thinking(FitStep& step, std::string_view who) {
  const Wish wish = wish_of(step);
  if (wish.on) step.drop(wish.path, who, "thinking");
  if (wish.off) drop_effort(step, wish, who);
  step.request.reasoning = {};
}

/// Written in words of the target's: sent as it was asked. Thinking that is
/// switched off is not shown.
void keep_words(FitStep& step) {
  Reasoning& asked = step.request.reasoning;
  const bool own = step.target.wording == Wording::own;
  if (!own && asked.mode == ReasoningMode::off) asked.display.clear();
}

}  // namespace

void fit_thinking(FitStep& step) {
  const DialectLimits& limits = step.limits();
  if (step.request.reasoning == Reasoning{}) return;
  const bool as_asked = step.target.wording == Wording::own ||
                        step.target.wording == Wording::family;
  const bool thinks = step.traits().thinking != ThinkingStyle::none;
  if (!thinks && (!as_asked || limits.traits_for_own)) {
    return drop_thinking(step, step.model());
  }
  if (as_asked) return keep_words(step);
  if (limits.thinking == ThinkingWords::none) {
    return drop_thinking(step, limits.target);
  }
  const auto row = std::find_if(
      kWords.begin(), kWords.end(),
      [&](const WordsRow& r) { return r.words == limits.thinking; });
  if (row == kWords.end()) return;
  const Wish wish = wish_of(step);
  step.request.reasoning = {};
  row->fit(step, wish);
}

}  // namespace llmproxy
