// The vocabulary that APIs of Anthropic's models have alike.
#pragma once

#include "base/enum_table.h"
#include "llmproxy/chat.h"

namespace llmproxy::anthropic_family {

// `none` and `minimal` have no word here: they switch thinking off.
inline constexpr auto kEfforts = enum_table<Effort>({
    {Effort::low, "low"},
    {Effort::medium, "medium"},
    {Effort::high, "high"},
    {Effort::xhigh, "xhigh"},
    {Effort::max, "max"},
});

inline constexpr auto kThinkingTypes = enum_table<ReasoningMode>({
    {ReasoningMode::off, "disabled"},
    {ReasoningMode::budget, "enabled"},
    {ReasoningMode::adaptive, "adaptive"},
});
static_assert(covers(kThinkingTypes, kLastReasoningMode));

/// Signed by somebody else: sealed towards clients, useless for Anthropic.
constexpr bool is_foreign(ReasoningIssuer issuer) {
  return issuer != ReasoningIssuer::anthropic &&
         issuer != ReasoningIssuer::unknown;
}

}  // namespace llmproxy::anthropic_family
