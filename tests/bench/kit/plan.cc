#include "kit/plan.h"

#include <fmt/format.h>

#include <charconv>

namespace llmproxy::bench {
namespace {

constexpr std::string_view kModel = "mock";

struct Setting {
  char letter;
  std::int64_t Plan::*member;
};
constexpr Setting kSettings[] = {{'e', &Plan::events},
                                 {'i', &Plan::interval_us},
                                 {'t', &Plan::think_us},
                                 {'s', &Plan::text_bytes}};

}  // namespace

Plan plan_in(std::string_view text, const Plan& defaults) {
  Plan plan = defaults;
  const std::size_t found = text.find(kModel);
  if (found == std::string_view::npos) return plan;
  text.remove_prefix(found + kModel.size());
  while (text.size() > 2 && text[0] == '-') {
    for (const Setting& setting : kSettings)
      if (setting.letter == text[1])
        std::from_chars(text.data() + 2, text.data() + text.size(),
                        plan.*setting.member);
    text.remove_prefix(2);
    while (!text.empty() && text[0] >= '0' && text[0] <= '9')
      text.remove_prefix(1);
  }
  return plan;
}

std::string model_of(const Plan& plan) {
  std::string name(kModel);
  for (const Setting& setting : kSettings)
    name += fmt::format("-{}{}", setting.letter, plan.*setting.member);
  return name;
}

}  // namespace llmproxy::bench
