// Facts of an answer. Normalisations, which are not losses because nothing of
// the meaning goes:
//   - an answer's texts are one text, and so is its thinking; calls keep their
//     order among themselves (Chat Completions has one text, and calls)
//   - the words of a refusal are its text, its refusal or its explanation
//   - a count of 0 is no count; a prompt is no smaller than its cached part
//   - id, model, time, the provider's own word for the stop; fields that
//     describe the call rather than the answer
//   - a reason to stop that nobody knows is a normal end
#include <algorithm>

#include "golden/facts.h"
#include "json/json.h"
#include "support/dump.h"

namespace llmproxy::testing {
namespace {

// The answer's parts by what they are.
struct Sorted {
  std::string text;
  std::string thinking;
  std::string signature;
  std::string refusal;
  Facts calls;
  Facts others;
};

Sorted sorted(const ChatResponse& response) {
  Sorted out;
  for (const ContentPart& part : response.content) {
    if (const auto* text = part.as<TextPart>()) {
      out.text += text->text;
      for (const RawJson& citation : text->citations) {
        out.others.push_back({"citation " + citation.text(), {"/content"}});
      }
    } else if (const auto* thinking = part.as<ThinkingPart>()) {
      out.thinking += thinking->text;
      out.signature += thinking->signature;
      if (!thinking->redacted_data.empty()) {
        out.others.push_back({dump(part), {"/content"}});
      }
    } else if (const auto* refusal = part.as<RefusalPart>()) {
      out.refusal += refusal->text;
    } else if (const auto* call = part.as<ToolCallPart>()) {
      ContentPart normal = part;
      normal.as<ToolCallPart>()->arguments = normal_arguments(*call);
      out.calls.push_back({dump(normal), {"/content"}});
    } else {
      out.others.push_back({dump(part), {"/content"}});
    }
  }
  return out;
}

void append_usage(Facts& facts, const Usage& usage) {
  const auto append = [&](const char* name,
                          const std::optional<std::int64_t>& count) {
    if (count.value_or(0) == 0) return;
    facts.push_back(
        {std::string(name) + " " + std::to_string(*count), {"/usage"}});
  };
  const std::int64_t cached = usage.cached_input_tokens.value_or(0) +
                              usage.cache_write_tokens.value_or(0);
  append("input", std::max(usage.input_tokens.value_or(0), cached));
  append("cached", usage.cached_input_tokens);
  append("cache_write", usage.cache_write_tokens);
  append("output", usage.output_tokens);
  append("reasoning", usage.reasoning_tokens);
  append("input_audio", usage.input_audio_tokens);
  append("output_audio", usage.output_audio_tokens);
}

void append_stop(Facts& facts, const ChatResponse& response) {
  ChatResponse stop;
  stop.stop_reason = response.stop_reason == StopReason::other
                         ? StopReason::end_turn
                         : response.stop_reason;
  facts.push_back(
      {dump(stop, {.identity = false}), {"/stop_reason", "/stop_sequence"}});
  if (!response.stop_sequence.empty()) {
    facts.push_back(
        {"stop sequence " + response.stop_sequence, {"/stop_sequence"}});
  }
}

}  // namespace

Facts facts_of(const ChatResponse& response) {
  Facts facts;
  Sorted parts = sorted(response);
  if (response.stop_reason == StopReason::refusal) {
    parts.text += parts.refusal + response.refusal_explanation;
    parts.refusal.clear();
  }
  const auto append = [&](const char* name, const std::string& text) {
    if (!is_blank(text)) {
      facts.push_back({std::string(name) + " " + text, {"/content"}});
    }
  };
  append("thinking", parts.thinking);
  append("signature", parts.signature);
  append("text", parts.text);
  append("refusal", parts.refusal);
  facts.insert(facts.end(), parts.calls.begin(), parts.calls.end());
  facts.insert(facts.end(), parts.others.begin(), parts.others.end());
  append_stop(facts, response);
  append_usage(facts, response.usage);
  if (!response.service_tier.empty()) {
    facts.push_back(
        {"service_tier " + response.service_tier, {"/service_tier"}});
  }
  return facts;
}

}  // namespace llmproxy::testing
