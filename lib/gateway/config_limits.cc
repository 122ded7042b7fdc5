#include "gateway/config_limits.h"

#include <array>
#include <charconv>

#include "gateway/config_fields.h"
#include "gateway/config_rules.h"

namespace llmproxy::gateway {
namespace {

constexpr std::int64_t kMaxLimit = 1'000'000'000'000;
constexpr std::array<std::string_view, 1> kStores = {"memory"};

template <std::int64_t Limits::*member>
Result<void> read_limit(const YamlNode& node, Limits& out) {
  LLMPROXY_ASSIGN(out.*member, node.integer(0, kMaxLimit));
  return {};
}

template <std::int64_t Limits::*member>
constexpr YamlField<Limits> limit_field(std::string_view key) {
  return {key, read_limit<member>, whole(0, kMaxLimit), "0 = unlimited."};
}

constexpr YamlField<Limits> kLimitFields[] = {
    limit_field<&Limits::requests_per_minute>("requests_per_minute"),
    limit_field<&Limits::requests_per_day>("requests_per_day"),
    limit_field<&Limits::tokens_per_minute>("tokens_per_minute"),
    limit_field<&Limits::tokens_per_day>("tokens_per_day"),
};
constexpr Shape kLimitsOfOne = section<kLimitFields>();
constexpr Shape kOverridesOfKind{.kind = ShapeKind::map,
                                 .first = &kLimitsOfOne};

template <LimitKind kind>
Result<void> read_overrides(const YamlNode& node, LimitRules& out) {
  LLMPROXY_ASSIGN(const auto members, node.members());
  for (const auto& [name, value] : members) {
    LimitOverride row{kind, trimmed_key(name), {}};
    if (row.name.empty()) return value.error("a name is empty");
    LLMPROXY_TRY(read_section(value, kLimitFields, row.limits));
    out.overrides.push_back(std::move(row));
  }
  return {};
}

constexpr YamlField<LimitRules> kOverrideFields[] = {
    {"per_user", read_overrides<LimitKind::user>, kOverridesOfKind,
     "By the user that the body names; \"*\": each user without an entry."},
    {"per_key", read_overrides<LimitKind::key>, kOverridesOfKind,
     "By the client's key."},
    {"per_model", read_overrides<LimitKind::model>, kOverridesOfKind,
     "By the name of the model that clients use."},
    {"per_provider", read_overrides<LimitKind::provider>, kOverridesOfKind,
     "By the backend's name."},
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
    size_field<TokenEstimation, &TokenEstimation::max_sample_bytes, 0>(
        "max_sample_bytes",
        "Tokens of larger bodies are estimated from their size (20000)."),
    {"bytes_per_token", read_ratio_of<&TokenEstimation::bytes_per_token>,
     kNumber, "For those larger bodies (4)."},
    {"chars_per_token", read_ratio_of<&TokenEstimation::chars_per_token>,
     kNumber, "For the text of all other bodies (4)."},
    {"provider_chars_per_token", read_provider_ratios, kNumberMap,
     "Characters per token by the backend's name."},
};

constexpr YamlField<LimitRules> kFields[] = {
    boolean_field<LimitRules, &LimitRules::enabled>(
        "enabled", "Whether limits are enforced (false)."),
    {"backend",
     [](const YamlNode& node, LimitRules&) -> Result<void> {
       LLMPROXY_TRY(node.one_of(kStores));
       return {};
     },
     word<kStores>(), "Where counters are kept: in this process."},
    {"estimation",
     [](const YamlNode& node, LimitRules& out) {
       return read_section(node, kEstimationFields, out.estimation);
     },
     section<kEstimationFields>(),
     "How tokens are estimated before a request is sent."},
    {"limits",
     [](const YamlNode& node, LimitRules& out) {
       return read_section(node, kLimitFields, out.limits);
     },
     section<kLimitFields>(), "Limits of all requests together."},
    {"overrides",
     [](const YamlNode& node, LimitRules& out) {
       return read_section(node, kOverrideFields, out);
     },
     section<kOverrideFields>(), "Limits of one user, key, model or backend."},
    size_field<LimitRules, &LimitRules::max_scopes, 1>(
        "max_scopes",
        "Names counted at the same time because of \"*\" (100000)."),
};

}  // namespace

Result<void> read_limits(const YamlNode& node, LimitRules& out) {
  return read_section(node, kFields, out);
}

std::vector<KeyShape> limit_keys() { return keys_of<kFields>(); }

}  // namespace llmproxy::gateway
