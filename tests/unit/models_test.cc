// traits_for(): what the table of models says (lib/dialects/models.cc).
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <limits>
#include <string>
#include <string_view>

#include "chat/thinking_budget.h"
#include "llmproxy/dialect.h"

namespace llmproxy {
namespace {

TEST_CASE("models: whose models Bedrock serves") {
  const Dialect& converse = *find_dialect("bedrock-converse");
  struct Vendor {
    std::string_view id;
    bool anthropic;
  };
  constexpr Vendor kIds[] = {
      {"amazon.nova-pro-v1:0", false},
      {"us.meta.llama4-scout-17b-instruct-v1:0", false},
      {"us-gov.writer.palmyra-x5-v1:0", false},
      {"arn:aws:bedrock:us-east-1::foundation-model/ai21.jamba-1-5", false},
      {"openai.gpt-oss-120b-1:0", false},
      {"us.anthropic.claude-newest-9-v1:0", true},
      {"claude-sonnet-4-5", true},
      {"arn:aws:bedrock:us-east-1:1:application-inference-profile/x9", true},
      {"x9", true},
  };
  for (const Vendor& row : kIds) {
    INFO(row.id);
    CHECK(traits_for(converse, row.id).anthropic_fields == row.anthropic);
  }
}

/// How a model thinks: style, budgets (least that it always spends, least,
/// most), efforts.
std::string thinking_of(const TargetTraits& traits) {
  constexpr std::string_view kStyles[] = {"none", "budget", "adaptive", "both",
                                          "level"};
  const std::int64_t most = traits.max_thinking_budget;
  const bool bounded = most != std::numeric_limits<std::int64_t>::max();
  return fmt::format(
      "{} {}/{}/{} {}-{}{}{}{}",
      kStyles[static_cast<std::size_t>(traits.thinking)],
      traits.min_thinking_budget, traits.least_thinking_budget,
      bounded ? std::to_string(most) : "any", row_of(traits.least_effort).word,
      row_of(traits.most_effort).word, traits.minimal_effort ? "" : " -minimal",
      traits.xhigh_effort ? "" : " -xhigh",
      traits.thinking_off ? "" : " always");
}

/// What else a model takes, of what not all do: `s`ampling, both of its
/// `p`air, p`f`ill, s`y`stem turns between others, a JSON `j`schema, s`t`ops,
/// p`e`nalties, to`o`ls beside a format.
std::string takes(const TargetTraits& traits) {
  std::string out;
  out += traits.sampling ? 's' : '-';
  out += traits.sampling_pair ? 'p' : '-';
  out += traits.prefill ? 'f' : '-';
  out += traits.system_in_messages ? 'y' : '-';
  out += traits.structured_output ? 'j' : '-';
  out += traits.stop_sequences ? 't' : '-';
  out += traits.penalties ? 'e' : '-';
  out += traits.tools_with_format ? 'o' : '-';
  return out;
}

TEST_CASE("models: what each takes") {
  struct Model {
    std::string_view dialect;
    std::string_view id;
    std::string_view thinking;
    std::string_view takes;
  };
  constexpr Model kKnown[] = {
      {"claude", "claude-2.1", "none 0/0/any none-max", "spf--teo"},
      {"claude", "claude-3-5-haiku-latest", "none 0/0/any none-max",
       "spf--teo"},
      {"claude", "claude-3-7-sonnet-latest", "budget 0/0/any none-max",
       "spf--teo"},
      {"claude", "claude-3-opus", "none 0/0/any none-max", "spf--teo"},
      {"claude", "claude-opus-4-0", "budget 0/0/any none-max", "s-f--teo"},
      {"claude", "claude-sonnet-4-0", "budget 0/0/any none-max", "s-f--teo"},
      {"claude", "claude-sonnet-4-5", "budget 0/0/any none-max", "s-f-jteo"},
      {"claude", "claude-opus-4-6", "both 0/0/any none-max -xhigh", "s---jteo"},
      {"claude", "claude-opus-4-7", "adaptive 0/0/any none-max", "----jteo"},
      {"claude", "claude-opus-4-8", "adaptive 0/0/any none-max", "---yjteo"},
      {"claude", "claude-sonnet-5", "adaptive 0/0/any none-max", "----jteo"},
      {"claude", "claude-sonnet-5-5", "adaptive 0/0/any none-max", "---yjteo"},
      {"claude", "claude-fable-5", "adaptive 0/0/any none-max always",
       "---yjteo"},
      {"claude", "claude-opus-5", "adaptive 0/0/any none-max", "---yjteo"},
      {"claude", "some-model", "both 0/0/any none-max", "spf-jteo"},
      {"gemini", "gemini-1.5-pro", "none 0/0/any none-max", "spf-jte-"},
      {"gemini", "gemini-2.0-flash", "none 0/0/any none-max", "spf-jte-"},
      {"gemini", "gemini-2.5-pro", "budget 128/0/32768 none-max", "spf-jt--"},
      {"gemini", "gemini-2.5-flash", "budget 0/0/24576 none-max", "spf-jt--"},
      {"gemini", "gemini-2.5-flash-lite", "budget 0/512/24576 none-max",
       "spf-jt--"},
      {"gemini", "gemini-3-flash-preview", "level 0/0/any minimal-max",
       "spf-jt-o"},
      {"gemini", "gemini-3-pro-preview", "level 0/0/any low-max", "spf-jt-o"},
      {"gemini", "some-model", "budget 0/0/24576 none-max", "spf-jte-"},
      {"openai-chat", "gpt-4o", "none 0/0/any none-max", "spfyjteo"},
      {"openai-chat", "gpt-5-chat-latest", "none 0/0/any none-max", "spfyjteo"},
      {"openai-chat", "gpt-5", "adaptive 0/0/any minimal-high", "-pfyj--o"},
      {"openai-chat", "gpt-5-pro", "adaptive 0/0/any high-high", "-pfyj--o"},
      {"openai-chat", "gpt-5-codex", "adaptive 0/0/any low-high", "-pfyj--o"},
      {"openai-chat", "gpt-5.1", "adaptive 0/0/any none-high -minimal",
       "-pfyj--o"},
      {"openai-chat", "gpt-5.1-codex-max", "adaptive 0/0/any low-xhigh",
       "-pfyj--o"},
      {"openai-chat", "gpt-5.2", "adaptive 0/0/any none-xhigh -minimal",
       "-pfyj--o"},
      {"openai-chat", "gpt-5.5", "adaptive 0/0/any none-xhigh -minimal",
       "-pfyjt-o"},
      {"openai-chat", "gpt-6", "adaptive 0/0/any none-max -minimal",
       "-pfyjt-o"},
      {"openai-chat", "o3-mini", "adaptive 0/0/any low-high", "-pfyj--o"},
      {"openai-chat", "some-model", "adaptive 0/0/any none-max", "spfyjteo"},
  };
  for (const Model& row : kKnown) {
    INFO(row.dialect << ' ' << row.id);
    const TargetTraits traits = traits_for(*find_dialect(row.dialect), row.id);
    CHECK(thinking_of(traits) == row.thinking);
    CHECK(takes(traits) == row.takes);
  }
}

}  // namespace
}  // namespace llmproxy
