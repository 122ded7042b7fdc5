#include "gateway/config_limits.h"

#include <array>
#include <charconv>

#include "gateway/config_fields.h"

namespace llmproxy::gateway {
namespace {

constexpr std::int64_t kMaxLimit = 1'000'000'000'000;
constexpr std::array<std::string_view, 1> kStores = {"memory"};

template <std::int64_t Limits::*member>
Result<void> read_limit(const YamlNode& node, Limits& out) {
  LLMPROXY_ASSIGN(out.*member, node.integer(0, kMaxLimit));
  return {};
}

constexpr YamlField<Limits> kLimitFields[] = {
    {"requests_per_minute", read_limit<&Limits::requests_per_minute>},
    {"requests_per_day", read_limit<&Limits::requests_per_day>},
    {"tokens_per_minute", read_limit<&Limits::tokens_per_minute>},
    {"tokens_per_day", read_limit<&Limits::tokens_per_day>},
};

template <LimitKind kind>
Result<void> read_overrides(const YamlNode& node, LimitRules& out) {
  LLMPROXY_ASSIGN(const auto members, node.members());
  for (const auto& [name, value] : members) {
    LimitOverride row{kind, name, {}};
    LLMPROXY_TRY(read_section(value, kLimitFields, row.limits));
    out.overrides.push_back(std::move(row));
  }
  return {};
}

constexpr YamlField<LimitRules> kOverrideFields[] = {
    {"per_user", read_overrides<LimitKind::user>},
    {"per_key", read_overrides<LimitKind::key>},
    {"per_model", read_overrides<LimitKind::model>},
    {"per_provider", read_overrides<LimitKind::provider>},
};

Result<double> read_ratio(const YamlNode& node) {
  LLMPROXY_ASSIGN(const std::string text, node.text());
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, value);
  if (code == std::errc() && stop == end && value > 0 && value <= 1000) {
    return value;
  }
  return node.error("expected a number above 0");
}

template <double TokenEstimation::*member>
Result<void> read_ratio_of(const YamlNode& node, TokenEstimation& out) {
  LLMPROXY_ASSIGN(out.*member, read_ratio(node));
  return {};
}

Result<void> read_provider_ratios(const YamlNode& node, TokenEstimation& out) {
  LLMPROXY_ASSIGN(const auto members, node.members());
  for (const auto& [name, value] : members) {
    LLMPROXY_ASSIGN(const double ratio, read_ratio(value));
    out.provider_chars_per_token.emplace_back(name, ratio);
  }
  return {};
}

constexpr YamlField<TokenEstimation> kEstimationFields[] = {
    {"max_sample_bytes",
     read_size<TokenEstimation, &TokenEstimation::max_sample_bytes, 0>},
    {"bytes_per_token", read_ratio_of<&TokenEstimation::bytes_per_token>},
    {"chars_per_token", read_ratio_of<&TokenEstimation::chars_per_token>},
    {"provider_chars_per_token", read_provider_ratios},
};

constexpr YamlField<LimitRules> kFields[] = {
    {"enabled", read_boolean<LimitRules, &LimitRules::enabled>},
    {"backend",
     [](const YamlNode& node, LimitRules&) -> Result<void> {
       LLMPROXY_TRY(node.one_of(kStores));
       return {};
     }},
    {"estimation",
     [](const YamlNode& node, LimitRules& out) {
       return read_section(node, kEstimationFields, out.estimation);
     }},
    {"limits",
     [](const YamlNode& node, LimitRules& out) {
       return read_section(node, kLimitFields, out.limits);
     }},
    {"overrides",
     [](const YamlNode& node, LimitRules& out) {
       return read_section(node, kOverrideFields, out);
     }},
    {"max_scopes", read_size<LimitRules, &LimitRules::max_scopes, 1>},
};

}  // namespace

Result<void> read_limits(const YamlNode& node, LimitRules& out) {
  return read_section(node, kFields, out);
}

}  // namespace llmproxy::gateway
