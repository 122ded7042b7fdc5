#include "matrix/probes.h"

namespace llmproxy::testing {
namespace {

constexpr std::string_view kParts = "Answers: parts";
constexpr std::string_view kStops = "Answers: why they ended";
constexpr std::string_view kCounts = "Answers: counts and the rest";

using Response = ChatResponse;

void add(Response& response, ContentPart::Value value) {
  ContentPart part;
  part.value = std::move(value);
  response.content.push_back(std::move(part));
}

ThinkingPart thinking(ReasoningIssuer issuer) {
  ThinkingPart out;
  out.text = "Hm?";
  if (issuer != ReasoningIssuer::unknown) out.signature = "U0lH";
  out.issuer = issuer;
  return out;
}

template <StopReason kReason>
void stop(Response& response) {
  response.stop_reason = kReason;
}

template <std::optional<std::int64_t> Usage::*kMember>
void count(Response& response) {
  response.usage.*kMember = 5;
}

constexpr Probe<ChatResponse> kProbes[] = {
    {kParts, "text",
     [](Response& r) {
       add(r, TextPart{"More", {}});
     }},
    {kParts, "sources of a text",
     [](Response& r) {
       add(r, TextPart{"More", {*RawJson::parse(R"({"x":1})")}});
     }},
    {kParts, "thinking, unsigned",
     [](Response& r) { add(r, thinking(ReasoningIssuer::unknown)); }},
    {kParts, "thinking of Claude",
     [](Response& r) { add(r, thinking(ReasoningIssuer::anthropic)); }},
    {kParts, "thinking of OpenAI",
     [](Response& r) { add(r, thinking(ReasoningIssuer::openai)); }},
    {kParts, "thinking of Gemini",
     [](Response& r) { add(r, thinking(ReasoningIssuer::google)); }},
    {kParts, "encrypted thinking of Claude",
     [](Response& r) {
       ThinkingPart part;
       part.redacted_data = "U0lH";
       part.issuer = ReasoningIssuer::anthropic;
       add(r, std::move(part));
     }},
    {kParts, "call of a tool",
     [](Response& r) {
       add(r, ToolCallPart{"call_1", "look", R"({"x":1})", false});
     }},
    {kParts, "signed call of Gemini",
     [](Response& r) {
       ThinkingPart part = thinking(ReasoningIssuer::google);
       part.text.clear();
       add(r, std::move(part));
       add(r, ToolCallPart{"call_1", "look", R"({"x":1})", false});
     }},
    {kParts, "call with free text",
     [](Response& r) {
       add(r, ToolCallPart{"call_1", "patch", "a", true});
     }},
    {kParts, "refusal", [](Response& r) { add(r, RefusalPart{"No."}); }},
    {kParts, "image",
     [](Response& r) {
       add(r, ImagePart{{MediaKind::base64, "AAAA", "image/png"}, {}});
     }},
    {kParts, "part only its own dialect knows",
     [](Response& r) {
       add(r, OpaquePart{"another", "thing",
                         *RawJson::parse(R"({"type":"thing"})")});
     }},
    {kStops, "limit", stop<StopReason::max_tokens>, true},
    {kStops, "stop sequence",
     [](Response& r) {
       r.stop_reason = StopReason::stop_sequence;
       r.stop_sequence = "END";
     },
     true},
    {kStops, "tools were called", stop<StopReason::tool_use>, true},
    {kStops, "refusal, or a filter", stop<StopReason::refusal>, true},
    {kStops, "why it refused",
     [](Response& r) {
       r.stop_reason = StopReason::refusal;
       r.refusal_explanation = "Because.";
     }},
    {kStops, "pause of a long turn", stop<StopReason::pause>, true},
    {kStops, "context window is full", stop<StopReason::context_window>, true},
    {kCounts, "input tokens", count<&Usage::input_tokens>},
    {kCounts, "of them from the cache",
     [](Response& r) {
       r.usage.input_tokens = 9;
       r.usage.cached_input_tokens = 5;
     }},
    {kCounts, "of them written to the cache",
     [](Response& r) {
       r.usage.input_tokens = 9;
       r.usage.cache_write_tokens = 5;
     }},
    {kCounts, "output tokens", count<&Usage::output_tokens>},
    {kCounts, "of them thinking",
     [](Response& r) {
       r.usage.output_tokens = 9;
       r.usage.reasoning_tokens = 5;
     }},
    {kCounts, "service tier used",
     [](Response& r) { r.service_tier = "priority"; }, true},
    {kCounts, "field only its own dialect knows",
     [](Response& r) {
       r.extensions.push_back({"own_field", *RawJson::parse("1"), false});
     }},
};

}  // namespace

ChatResponse base_response() {
  ChatResponse response;
  response.dialect = "another";
  response.id = "1";
  response.model = "model";
  response.created = 1700000000;
  response.stop_reason_text = "end";
  add(response, TextPart{"Hi", {}});
  return response;
}

std::span<const Probe<ChatResponse>> response_probes() { return kProbes; }

}  // namespace llmproxy::testing
