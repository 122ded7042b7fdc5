// fit: token limits, sampling, stop sequences, and whose call it is.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chat/fit_steps.h"
#include "chat/turns.h"

namespace llmproxy {
namespace {

struct SamplingRow {
  std::string_view path;
  std::string_view thing;
  std::optional<double> ChatRequest::*member;
  double neutral;  ///< what models do unasked: leaving it out is no loss
};
constexpr std::array kSampling = {
    SamplingRow{"/temperature", "a temperature", &ChatRequest::temperature, 1},
    SamplingRow{"/top_p", "top_p", &ChatRequest::top_p, 1},
};
constexpr std::array kPenalties = {
    SamplingRow{"/frequency_penalty", "a frequency penalty",
                &ChatRequest::frequency_penalty, 0},
    SamplingRow{"/presence_penalty", "a presence penalty",
                &ChatRequest::presence_penalty, 0},
};

/// `beside` follows the name of what is dropped: " while it thinks".
void drop_rows(FitStep& step, std::span<const SamplingRow> rows,
               std::string_view who, std::string_view beside = "") {
  for (const SamplingRow& row : rows) {
    std::optional<double>& value = step.request.*row.member;
    if (value && *value != row.neutral) {
      step.drop(std::string(row.path), who,
                fmt::format("{}{}", row.thing, beside));
    }
    value.reset();
  }
}

/// 0 is how many APIs say "any".
void drop_top_k(FitStep& step, std::string_view who,
                std::string_view beside = "") {
  std::optional<std::int64_t>& top_k = step.request.top_k;
  if (top_k && *top_k != 0) {
    step.drop("/top_k", who, fmt::format("top_k{}", beside));
  }
  top_k.reset();
}

void drop_seed(FitStep& step, std::string_view who, std::string_view thing) {
  if (step.request.seed) step.drop("/seed", who, thing);
  step.request.seed.reset();
}

bool fits_32_bits(std::int64_t value) {
  using Bounds = std::numeric_limits<std::int32_t>;
  return value >= Bounds::min() && value <= Bounds::max();
}

/// What the model or its provider does not take, whoever asks.
void fit_to_traits(FitStep& step) {
  const TargetTraits& traits = step.traits();
  if (!traits.sampling) drop_rows(step, kSampling, step.model());
  if (!traits.penalties) drop_rows(step, kPenalties, step.model());
  const bool seed = traits.seed || traits.random_seed;
  if (!seed) drop_seed(step, step.model(), "a seed");
}

/// What the dialect has no field for, whoever asks.
void fit_to_limits(FitStep& step) {
  const DialectLimits& limits = step.limits();
  if (!limits.penalties) drop_rows(step, kPenalties, limits.target);
  if (!limits.top_k) drop_top_k(step, limits.target);
  if (!limits.seed) drop_seed(step, limits.target, "a seed");
  const auto& seed = step.request.seed;
  const bool own = step.target.wording == Wording::own;
  if (limits.seed_32_bits && !own && seed && !fits_32_bits(*seed)) {
    drop_seed(step, limits.target, "a seed of more than 32 bits");
  }
}

/// Fields of Anthropic's and those that end with sampling altogether.
void fit_top_k(FitStep& step) {
  const TargetTraits& traits = step.traits();
  if (!traits.sampling || !traits.anthropic_fields) {
    drop_top_k(step, step.model());
  }
}

Result<void> fit_temperature(FitStep& step) {
  std::optional<double>& temperature = step.request.temperature;
  const TargetTraits& traits = step.traits();
  if (!temperature || !traits.sampling) return {};
  const double fitted = std::clamp(*temperature, 0.0, traits.max_temperature);
  if (fitted == *temperature) return {};
  if (!step.target.options->clamp_sampling) {
    return invalid_request(
        fmt::format("temperature must be between 0 and {} for this model",
                    traits.max_temperature),
        "/temperature");
  }
  step.change("/temperature", step.model(),
              fmt::format("a temperature of {}", *temperature),
              fmt::format("{} is used", fitted));
  temperature = fitted;
  return {};
}

/// Requests of the same body know what may stand beside their thinking.
void fit_beside_thinking(FitStep& step) {
  const auto& mode = step.request.reasoning.mode;
  const bool thinks = mode && *mode != ReasoningMode::off;
  if (!thinks || step.limits().sampling_beside_thinking ||
      step.target.wording == Wording::family) {
    return;
  }
  constexpr std::string_view kBeside = " beside thinking";
  drop_rows(step, kSampling, step.limits().target, kBeside);
  drop_top_k(step, step.limits().target, kBeside);
}

/// Of both the one that says something, else the temperature.
void fit_pair(FitStep& step) {
  const ChatRequest& request = step.request;
  if (step.traits().sampling_pair || !request.temperature || !request.top_p) {
    return;
  }
  constexpr std::span kRows = std::span(kSampling);
  constexpr auto kTemperature = kRows.first<1>();
  constexpr auto kTopP = kRows.subspan<1>();
  const bool neutral = *request.temperature == kTemperature.front().neutral;
  drop_rows(step, neutral ? kTemperature : kTopP, step.model(),
            " beside a temperature");
}

void fit_user(FitStep& step) {
  std::string& user = step.request.user_id;
  const DialectLimits& limits = step.limits();
  const bool own = step.target.wording == Wording::own;
  if (user.empty()) return;
  const auto drop = [&](std::string_view who, std::string_view thing) {
    step.drop("/user", who, thing);
    user.clear();
  };
  constexpr std::string_view kUser = "an id of the end user";
  if (!limits.user_id) return drop(limits.target, kUser);
  if (own && !limits.traits_for_own) return;
  if (!step.traits().user_field) return drop(step.model(), kUser);
  if (own) return;
  if (!step.traits().anthropic_fields) return drop(step.model(), kUser);
  const auto starts_character = [](char c) { return (c & 0xC0) != 0x80; };
  const auto length = std::count_if(user.begin(), user.end(), starts_character);
  if (static_cast<std::size_t>(length) > limits.max_user_id) {
    drop(limits.target, fmt::format("user ids of more than {} characters",
                                    limits.max_user_id));
  }
}

/// Tiers that ask for nothing: what is done without a word.
bool is_usual_tier(std::string_view tier) {
  return tier == "auto" || tier == "default";
}

const TierWord* find_tier(const FitStep& step, std::string_view tier) {
  for (const TierWord& row : step.limits().tiers) {
    if (row.canonical == tier) return &row;
  }
  if (!step.is_kin()) return nullptr;
  for (const TierWord& row : step.limits().tiers) {
    if (row.own == tier) return &row;
  }
  return nullptr;
}

void fit_tier(FitStep& step) {
  std::string& tier = step.request.service_tier;
  const DialectLimits& limits = step.limits();
  const bool own = step.target.wording == Wording::own;
  if (tier.empty()) return;
  if (own || limits.service_tier) {
    if (const TierWord* row = find_tier(step, tier)) {
      tier = std::string(row->own);
      return;
    }
    if (own || limits.tiers.empty()) return;
  }
  if (!is_usual_tier(tier)) {
    step.drop("/service_tier", limits.target,
              fmt::format("the service tier {}", tier));
  }
  tier.clear();
}

}  // namespace

Result<void> fit_max_tokens(FitStep& step) {
  std::optional<std::int64_t>& tokens = step.request.max_output_tokens;
  const DialectLimits& limits = step.limits();
  if (!tokens && limits.max_tokens_required) {
    tokens = step.traits().default_max_tokens;
  }
  if (!tokens || step.target.wording == Wording::own) return {};
  if (*tokens == 0 && limits.zero_max_tokens) return {};
  if (*tokens == 0) {
    return unsupported(
        fmt::format("max_tokens 0 only warms Anthropic's prompt cache; {} has "
                    "no such call",
                    limits.target),
        "/max_tokens");
  }
  const std::int64_t fitted =
      std::clamp(*tokens, limits.least_max_tokens, limits.most_max_tokens);
  if (fitted == *tokens) return {};
  step.change("/max_tokens", limits.target,
              fmt::format("a limit of {} tokens", *tokens),
              fmt::format("{} are used", fitted));
  tokens = fitted;
  return {};
}

Result<void> fit_sampling(FitStep& step) {
  const bool own = step.target.wording == Wording::own;
  if (!own || step.limits().traits_for_own) fit_to_traits(step);
  fit_to_limits(step);
  if (own) return {};
  fit_top_k(step);
  LLMPROXY_TRY(fit_temperature(step));
  fit_beside_thinking(step);
  fit_pair(step);
  return {};
}

void fit_stop_sequences(FitStep& step) {
  const bool own = step.target.wording == Wording::own;
  const bool by_model = step.takes_traits() && !step.traits().stop_sequences;
  std::vector<std::string>& stops = step.request.stop_sequences;
  const DialectLimits& limits = step.limits();
  if (own && !by_model && limits.max_stop_sequences > 0) return;
  // An empty one stops nothing.
  std::erase(stops, std::string());
  if (stops.empty()) return;
  if (limits.max_stop_sequences == 0 || by_model) {
    const bool none = limits.max_stop_sequences == 0;
    step.drop("/stop", none ? std::string(limits.target) : step.model(),
              "stop sequences");
    return stops.clear();
  }
  if (!limits.blank_stop_sequences) {
    const auto count = std::erase_if(
        stops, [](const std::string& stop) { return blank(stop); });
    if (count > 0) {
      step.drop("/stop", limits.target, "stop sequences of white space");
    }
  }
  if (stops.size() <= limits.max_stop_sequences) return;
  step.change(
      "/stop", limits.target,
      fmt::format("more than {} stop sequences", limits.max_stop_sequences),
      fmt::format("the first {} are used", limits.max_stop_sequences));
  stops.resize(limits.max_stop_sequences);
}

void fit_identity(FitStep& step) {
  fit_user(step);
  fit_tier(step);
}

}  // namespace llmproxy
