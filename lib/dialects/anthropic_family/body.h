// Members that Anthropic's models take, in whatever body.
#pragma once

#include <string_view>

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

inline void write_user(std::string_view user_id, json::Writer& w) {
  if (!user_id.empty()) w.object("metadata", "user_id", user_id);
}

}  // namespace llmproxy::anthropic_family
