// What upstreams of either dialect send, as tests need it again and again.
#pragma once

#include <string>

namespace llmproxy::testing {

inline const std::string kOpenAiAnswer =
    R"({"id":"chatcmpl-1","object":"chat.completion","created":1790000000,)"
    R"( "model":"gpt-up","choices":[{"index":0,"message":{"role":"assistant",)"
    R"("content":"Hello there","refusal":null},"logprobs":null,)"
    R"("finish_reason":"stop"}],"usage":{"prompt_tokens":11,)"
    R"("completion_tokens":2,"total_tokens":13,"prompt_tokens_details":)"
    R"({"cached_tokens":4}},"unheard_of":{"z":1.50,"a":12345678901234567890}})"
    "\n";

inline const std::string kClaudeAnswer =
    R"({"id":"msg_1","type":"message","role":"assistant","model":"claude-up",)"
    R"( "content":[{"type":"text","text":"Hello there"}],)"
    R"("stop_reason":"end_turn","stop_sequence":null,"usage":{)"
    R"("input_tokens":7,"cache_read_input_tokens":4,"output_tokens":2},)"
    R"("unheard_of":{"z":1.50,"a":12345678901234567890}})"
    "\n";

inline std::string openai_chunk(const std::string& choices,
                                const std::string& usage = "null") {
  return R"(data: {"id":"chatcmpl-1","object":"chat.completion.chunk",)"
         R"("created":1790000000,"model":"gpt-up","choices":[)" +
         choices + R"(],"usage":)" + usage + "}\n\n";
}
inline const std::string kOpenAiBegin =
    openai_chunk(R"({"index":0,"delta":{"role":"assistant","content":""},)"
                 R"("finish_reason":null})");
inline std::string openai_text(const std::string& text) {
  return openai_chunk(R"({"index":0,"delta":{"content":")" + text +
                      R"("},"finish_reason":null})");
}
inline const std::string kOpenAiEnd =
    openai_chunk(R"({"index":0,"delta":{},"finish_reason":"stop"})") +
    openai_chunk("", R"({"prompt_tokens":11,"completion_tokens":2,)"
                     R"("total_tokens":13})") +
    "data: [DONE]\n\n";

inline std::string claude_event(const std::string& type,
                                const std::string& rest) {
  return "event: " + type + "\ndata: {\"type\":\"" + type + "\"" + rest +
         "}\n\n";
}
inline const std::string kClaudeBegin =
    claude_event(
        "message_start",
        R"(,"message":{"id":"msg_1","type":"message","role":"assistant",)"
        R"("model":"claude-up","content":[],"stop_reason":null,)"
        R"("stop_sequence":null,"usage":{"input_tokens":11,)"
        R"("output_tokens":1}})") +
    claude_event("content_block_start",
                 R"(,"index":0,"content_block":{"type":"text","text":""})");
inline std::string claude_text(const std::string& text) {
  return claude_event(
      "content_block_delta",
      R"(,"index":0,"delta":{"type":"text_delta","text":")" + text + "\"}");
}
inline const std::string kClaudeEnd =
    claude_event("content_block_stop", R"(,"index":0)") +
    claude_event("message_delta",
                 R"(,"delta":{"stop_reason":"end_turn","stop_sequence":null},)"
                 R"("usage":{"output_tokens":2})") +
    claude_event("message_stop", "");

}  // namespace llmproxy::testing
