// The events of a streamed answer, dialect by dialect, as the vendors send
// them.
#include <fmt/format.h>

#include <iterator>

#include "base/text.h"
#include "mock_upstream/answers.h"
#include "wire/event_stream.h"

namespace llmproxy::bench {
namespace {

constexpr std::string_view kSse = "text/event-stream";
constexpr std::string_view kEventStream = "application/vnd.amazon.eventstream";

template <class... Arguments>
void append(std::string& out, fmt::format_string<Arguments...> format,
            Arguments&&... arguments) {
  fmt::format_to(std::back_inserter(out), format,
                 std::forward<Arguments>(arguments)...);
}

// --- openai-chat ----------------------------------------------------------

void chunk(std::string& out, std::string_view delta, std::string_view reason) {
  append(out,
         R"(data: {{"id":"chatcmpl-Bq2aTz7XvYw1LkM3","object":)"
         R"("chat.completion.chunk","created":1794200000,"model":"mock",)"
         R"("service_tier":"default","system_fingerprint":"fp_44709d6fcb",)"
         R"("choices":[{{"index":0,"delta":{{{}}},"logprobs":null,)"
         R"("finish_reason":{}}}]}})"
         "\n\n",
         delta, reason);
}

void begin_chat(std::string& out, StreamState& /*stream*/) {
  chunk(out, R"("role":"assistant","content":"","refusal":null)", "null");
}

void text_chat(std::string& out, StreamState& /*stream*/,
               std::string_view text) {
  chunk(out, fmt::format(R"("content":"{}")", text), "null");
}

void end_chat(std::string& out, StreamState& /*stream*/) {
  chunk(out, "", R"("stop")");
  out += "data: [DONE]\n\n";
}

// --- openai-responses -----------------------------------------------------

/// One event; `body` is what stands behind its type and number.
void respond(std::string& out, std::string_view type, std::int64_t number,
             std::string_view body) {
  append(out, "event: {}\n", type);
  append(out, R"(data: {{"type":"{}","sequence_number":{},{}}})", type, number,
         body);
  out += "\n\n";
}

constexpr std::string_view kAt =
    R"("item_id":"msg_68f0c1e2a5","output_index":0,"content_index":0)";

std::string response(std::string_view status, std::string_view output,
                     std::string_view usage) {
  return fmt::format(
      R"("response":{{"id":"resp_68f0c1e2a4","object":"response",)"
      R"("created_at":1794200000,"status":"{}","error":null,)"
      R"("incomplete_details":null,"model":"mock","output":[{}],)"
      R"("parallel_tool_calls":true,"tool_choice":"auto","tools":[],)"
      R"("usage":{}}})",
      status, output, usage);
}

std::string item(std::string_view status, std::string_view content) {
  return fmt::format(R"({{"id":"msg_68f0c1e2a5","type":"message",)"
                     R"("status":"{}","role":"assistant","content":[{}]}})",
                     status, content);
}

std::string part(std::string_view text) {
  return fmt::format(
      R"({{"type":"output_text","text":"{}","annotations":[],"logprobs":[]}})",
      text);
}

constexpr std::int64_t kEventsBeforeText = 4;

void begin_responses(std::string& out, StreamState& /*stream*/) {
  const std::string begun = response("in_progress", "", "null");
  respond(out, "response.created", 0, begun);
  respond(out, "response.in_progress", 1, begun);
  respond(out, "response.output_item.added", 2,
          R"("output_index":0,"item":)" + item("in_progress", ""));
  respond(out, "response.content_part.added", 3,
          fmt::format(R"({},"part":{})", kAt, part("")));
}

void text_responses(std::string& out, StreamState& stream,
                    std::string_view text) {
  stream.text += text;
  respond(out, "response.output_text.delta", kEventsBeforeText + stream.sent,
          fmt::format(R"({},"delta":"{}","logprobs":[])", kAt, text));
}

void end_responses(std::string& out, StreamState& stream) {
  std::int64_t number = kEventsBeforeText + stream.sent;
  const std::string whole = item("completed", part(stream.text));
  respond(out, "response.output_text.done", number++,
          fmt::format(R"({},"text":"{}","logprobs":[])", kAt, stream.text));
  respond(out, "response.content_part.done", number++,
          fmt::format(R"({},"part":{})", kAt, part(stream.text)));
  respond(out, "response.output_item.done", number++,
          R"("output_index":0,"item":)" + whole);
  respond(out, "response.completed", number,
          response("completed", whole,
                   R"({"input_tokens":58,"input_tokens_details":)"
                   R"({"cached_tokens":0},"output_tokens":61,)"
                   R"("output_tokens_details":{"reasoning_tokens":0},)"
                   R"("total_tokens":119})"));
}

// --- claude and bedrock: the same events in two framings --------------------

void claude_event(std::string& out, std::string_view type,
                  std::string_view body) {
  append(out, "event: {}\n", type);
  append(out, R"(data: {{"type":"{}"{}}})", type, body);
  out += "\n\n";
}

void bedrock_event(std::string& out, std::string_view type,
                   std::string_view body) {
  const std::string json = fmt::format(R"({{"type":"{}"{}}})", type, body);
  wire::append_event_frame(
      out, "chunk",
      fmt::format(R"({{"bytes":"{}","p":"abcdefgh"}})", encode_base64(json)));
}

using ClaudeEvent = void (*)(std::string&, std::string_view, std::string_view);

template <ClaudeEvent kEvent>
void begin_claude(std::string& out, StreamState& /*stream*/) {
  kEvent(out, "message_start",
         R"(,"message":{"id":"msg_01XFDUDYJgAACzvnptvVoYEL","type":)"
         R"("message","role":"assistant","model":"mock","content":[],)"
         R"("stop_reason":null,"stop_sequence":null,"usage":)"
         R"({"input_tokens":58,"cache_creation_input_tokens":0,)"
         R"("cache_read_input_tokens":0,"output_tokens":1}})");
  kEvent(out, "content_block_start",
         R"(,"index":0,"content_block":{"type":"text","text":""})");
  kEvent(out, "ping", "");
}

template <ClaudeEvent kEvent>
void text_claude(std::string& out, StreamState& /*stream*/,
                 std::string_view text) {
  kEvent(
      out, "content_block_delta",
      fmt::format(R"(,"index":0,"delta":{{"type":"text_delta","text":"{}"}})",
                  text));
}

template <ClaudeEvent kEvent>
void end_claude(std::string& out, StreamState& /*stream*/) {
  kEvent(out, "content_block_stop", R"(,"index":0)");
  kEvent(out, "message_delta",
         R"(,"delta":{"stop_reason":"end_turn","stop_sequence":null},)"
         R"("usage":{"output_tokens":61})");
  kEvent(out, "message_stop", "");
}

// --- gemini ---------------------------------------------------------------

void gemini_chunk(std::string& out, std::string_view text,
                  std::string_view reason, int tokens) {
  append(out,
         R"(data: {{"candidates":[{{"content":{{"parts":[{{"text":"{}"}}],)"
         R"("role":"model"}}{},"index":0}}],"usageMetadata":)"
         R"({{"promptTokenCount":58,"candidatesTokenCount":{},)"
         R"("totalTokenCount":{}}},"modelVersion":"mock",)"
         R"("responseId":"q3FaaLXkN4OqkdUPt4iZ6Ao"}})"
         "\r\n\r\n",
         text, reason, tokens, tokens + 58);
}

void begin_gemini(std::string& /*out*/, StreamState& /*stream*/) {}

void text_gemini(std::string& out, StreamState& /*stream*/,
                 std::string_view text) {
  gemini_chunk(out, text, "", 1);
}

void end_gemini(std::string& out, StreamState& /*stream*/) {
  gemini_chunk(out, "", R"(,"finishReason":"STOP")", 61);
}

// --- bedrock-converse -----------------------------------------------------

void begin_converse(std::string& out, StreamState& /*stream*/) {
  wire::append_event_frame(out, "messageStart", R"({"role":"assistant"})");
}

void text_converse(std::string& out, StreamState& /*stream*/,
                   std::string_view text) {
  wire::append_event_frame(
      out, "contentBlockDelta",
      fmt::format(R"({{"contentBlockIndex":0,"delta":{{"text":"{}"}}}})",
                  text));
}

void end_converse(std::string& out, StreamState& /*stream*/) {
  wire::append_event_frame(out, "contentBlockStop",
                           R"({"contentBlockIndex":0})");
  wire::append_event_frame(out, "messageStop", R"({"stopReason":"end_turn"})");
  wire::append_event_frame(
      out, "metadata",
      R"({"usage":{"inputTokens":58,"outputTokens":61,"totalTokens":119},)"
      R"("metrics":{"latencyMs":731}})");
}

// In the order of the enum.
constexpr StreamWriter kWriters[] = {
    {kSse, begin_chat, text_chat, end_chat},
    {kSse, begin_responses, text_responses, end_responses},
    {kSse, begin_claude<claude_event>, text_claude<claude_event>,
     end_claude<claude_event>},
    {kSse, begin_gemini, text_gemini, end_gemini},
    {kEventStream, begin_claude<bedrock_event>, text_claude<bedrock_event>,
     end_claude<bedrock_event>},
    {kEventStream, begin_converse, text_converse, end_converse},
};

}  // namespace

const StreamWriter& stream_writer(Dialect dialect) {
  return kWriters[static_cast<std::size_t>(dialect)];
}

}  // namespace llmproxy::bench
