// Members that Anthropic's models take, in whatever body.
#pragma once

#include <string>
#include <string_view>

#include "chat/sealed_reasoning.h"
#include "dialects/anthropic_family/tables.h"
#include "json/writer.h"

namespace llmproxy::anthropic_family {

inline void write_thinking(const Reasoning& reasoning, json::Writer& w) {
  if (!reasoning.mode) return;
  w.begin_object("thinking");
  w.member("type", to_wire(kThinkingTypes, *reasoning.mode));
  w.member("budget_tokens", reasoning.budget_tokens);
  w.member_if("display", reasoning.display);
  w.end_object();
}

/// What Anthropic's clients get for a signature, or for the redacted data of
/// encrypted thinking: that of others sealed.
inline std::string sealed(ReasoningIssuer issuer, std::string_view id,
                          std::string_view signature, bool redacted) {
  return is_foreign(issuer) ? seal(issuer, id, signature, redacted)
                            : std::string(signature);
}

inline void write_user(std::string_view user_id, json::Writer& w) {
  if (!user_id.empty()) w.object("metadata", "user_id", user_id);
}

}  // namespace llmproxy::anthropic_family
