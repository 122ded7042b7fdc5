#include "mock_upstream/answers.h"

#include <fmt/format.h>

namespace llmproxy::bench {
namespace {

// About what a model says to a short question. The sizes of the whole answers
// are those of the vendors' own, 0.5 to 1 KB.
constexpr std::string_view kText =
    "A proxy stands between a client and a server. It takes a request, looks "
    "at where it should go, and hands it on; the answer comes back the same "
    "way. Programs use one to have a single address for many services, to "
    "keep keys in one place, and to count what is spent.";

constexpr std::string_view kOpenAiChat =
    R"({{"id":"chatcmpl-Bq2aTz7XvYw1LkM3","object":"chat.completion",)"
    R"("created":1794200000,"model":"mock","choices":[{{"index":0,"message":)"
    R"({{"role":"assistant","content":"{}","refusal":null,"annotations":[]}},)"
    R"("logprobs":null,"finish_reason":"stop"}}],"usage":{{"prompt_tokens":58,)"
    R"("completion_tokens":61,"total_tokens":119,"prompt_tokens_details":)"
    R"({{"cached_tokens":0,"audio_tokens":0}},"completion_tokens_details":)"
    R"({{"reasoning_tokens":0,"audio_tokens":0}}}},"service_tier":"default",)"
    R"("system_fingerprint":"fp_44709d6fcb"}})";

constexpr std::string_view kOpenAiResponses =
    R"({{"id":"resp_68f0c1e2a4","object":"response","created_at":1794200000,)"
    R"("status":"completed","error":null,"incomplete_details":null,)"
    R"("model":"mock","output":[{{"id":"msg_68f0c1e2a5","type":"message",)"
    R"("status":"completed","role":"assistant","content":[{{"type":)"
    R"("output_text","text":"{}","annotations":[],"logprobs":[]}}]}}],)"
    R"("parallel_tool_calls":true,"tool_choice":"auto","tools":[],"usage":)"
    R"({{"input_tokens":58,"input_tokens_details":{{"cached_tokens":0}},)"
    R"("output_tokens":61,"output_tokens_details":{{"reasoning_tokens":0}},)"
    R"("total_tokens":119}}}})";

constexpr std::string_view kClaude =
    R"({{"id":"msg_01XFDUDYJgAACzvnptvVoYEL","type":"message",)"
    R"("role":"assistant","model":"mock","content":[{{"type":"text",)"
    R"("text":"{}"}}],"stop_reason":"end_turn","stop_sequence":null,"usage":)"
    R"({{"input_tokens":58,"cache_creation_input_tokens":0,)"
    R"("cache_read_input_tokens":0,"output_tokens":61,)"
    R"("service_tier":"standard"}}}})";

constexpr std::string_view kGemini =
    R"({{"candidates":[{{"content":{{"role":"model","parts":[{{"text":"{}"}}]}},)"
    R"("finishReason":"STOP","index":0}}],"usageMetadata":)"
    R"({{"promptTokenCount":58,"candidatesTokenCount":61,)"
    R"("totalTokenCount":119,"promptTokensDetails":[{{"modality":"TEXT",)"
    R"("tokenCount":58}}]}},"modelVersion":"mock",)"
    R"("responseId":"q3FaaLXkN4OqkdUPt4iZ6Ao"}})";

constexpr std::string_view kBedrockConverse =
    R"({{"output":{{"message":{{"role":"assistant","content":[{{"text":"{}"}}]}}}},)"
    R"("stopReason":"end_turn","usage":{{"inputTokens":58,"outputTokens":61,)"
    R"("totalTokens":119}},"metrics":{{"latencyMs":731}}}})";

constexpr std::string_view kAnswers[] = {
    kOpenAiChat, kOpenAiResponses, kClaude, kGemini, kClaude, kBedrockConverse};

struct Path {
  std::string_view begin;
  std::string_view end;
  Dialect dialect;
  bool stream;  // in the path; else the body says it
};
constexpr Path kPaths[] = {
    {"/v1/chat/completions", "/completions", Dialect::openai_chat, false},
    {"/v1/messages", "/messages", Dialect::claude, false},
    {"/v1/responses", "/responses", Dialect::openai_responses, false},
    {"/model/", "/invoke", Dialect::bedrock, false},
    {"/model/", "/invoke-with-response-stream", Dialect::bedrock, true},
    {"/model/", "/converse", Dialect::bedrock_converse, false},
    {"/model/", "/converse-stream", Dialect::bedrock_converse, true},
    {"/v1beta/models/", ":generateContent", Dialect::gemini, false},
    {"/v1beta/models/", ":streamGenerateContent", Dialect::gemini, true},
};

}  // namespace

std::string answer_body(Dialect dialect) {
  return fmt::format(fmt::runtime(kAnswers[static_cast<std::size_t>(dialect)]),
                     kText);
}

std::optional<Ask> ask_of(std::string_view path, std::string_view body) {
  path = path.substr(0, path.find('?'));
  for (const Path& row : kPaths) {
    if (!path.starts_with(row.begin) || !path.ends_with(row.end)) continue;
    return Ask{row.dialect, row.stream || body.find("\"stream\":true") !=
                                              std::string_view::npos};
  }
  return std::nullopt;
}

}  // namespace llmproxy::bench
