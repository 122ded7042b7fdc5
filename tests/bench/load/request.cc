#include "load/request.h"

#include <fmt/format.h>

namespace llmproxy::bench {
namespace {

constexpr std::string_view kSystem =
    "You are a helpful assistant inside a command line tool. Answer in at "
    "most three sentences, in plain words, and without any formatting. If you "
    "do not know something, say so.";
constexpr std::string_view kQuestion =
    "What is a proxy, and why would a program that asks language models use "
    "one instead of asking each of them by itself?";

/// Formats take the model, the system prompt, the question, and what a
/// streamed request has in its body.
struct Shape {
  std::string_view path;         // {} = model
  std::string_view stream_path;  // empty = the same
  std::string_view stream;       // {3} of the body
  std::string_view body;
  std::string_view end;  // of a stream
};

#define LLMPROXY_CLAUDE_                                              \
  R"("max_tokens":1024,"temperature":0.5,"system":"{1}","messages":)" \
  R"([{{"role":"user","content":"{2}"}}]{3}}})"

// In the order of the enum.
constexpr Shape kShapes[] = {
    {"/v1/chat/completions", "", R"(,"stream":true)",
     R"({{"model":"{0}","temperature":0.5,"max_completion_tokens":1024,)"
     R"("messages":[{{"role":"system","content":"{1}"}},)"
     R"({{"role":"user","content":"{2}"}}]{3}}})",
     "data: [DONE]"},
    {"/v1/responses", "", R"(,"stream":true)",
     R"({{"model":"{0}","temperature":0.5,"max_output_tokens":1024,)"
     R"("instructions":"{1}","input":[{{"role":"user","content":"{2}"}}],)"
     R"("store":false{3}}})",
     R"("type":"response.completed")"},
    {"/v1/messages", "", R"(,"stream":true)",
     R"({{"model":"{0}",)" LLMPROXY_CLAUDE_, R"("type":"message_stop")"},
    {"/v1beta/models/{}:generateContent",
     "/v1beta/models/{}:streamGenerateContent?alt=sse", "",
     R"({{"systemInstruction":{{"parts":[{{"text":"{1}"}}]}},"contents":)"
     R"([{{"role":"user","parts":[{{"text":"{2}"}}]}}],"generationConfig":)"
     R"({{"temperature":0.5,"maxOutputTokens":1024}}{3}}})",
     R"("finishReason")"},
    {"/model/{}/invoke", "/model/{}/invoke-with-response-stream", "",
     R"({{"anthropic_version":"bedrock-2023-05-31",)" LLMPROXY_CLAUDE_,
     R"("type":"message_stop")"},
    {"/model/{}/converse", "/model/{}/converse-stream", "",
     R"({{"system":[{{"text":"{1}"}}],"messages":[{{"role":"user","content":)"
     R"([{{"text":"{2}"}}]}}],"inferenceConfig":{{"temperature":0.5,)"
     R"("maxTokens":1024}}{3}}})",
     "metadata"},
};

const Shape& shape_of(Dialect dialect) {
  return kShapes[static_cast<std::size_t>(dialect)];
}

}  // namespace

std::string request_bytes(const Target& target, bool stream) {
  const Shape& shape = shape_of(target.dialect);
  std::string path = target.path;
  if (path.empty())
    path = fmt::format(
        fmt::runtime(stream && !shape.stream_path.empty() ? shape.stream_path
                                                          : shape.path),
        target.model);
  std::string body = target.body;
  if (body.empty())
    body = fmt::format(fmt::runtime(shape.body), target.model, kSystem,
                       kQuestion, stream ? shape.stream : "");
  std::string head = fmt::format(
      "POST {} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\nuser-agent: bench_load\r\n"
      "accept: */*\r\ncontent-type: application/json\r\n"
      "content-length: {}\r\n",
      path, target.port, body.size());
  for (const std::string& header : target.headers) head += header + "\r\n";
  return head + "\r\n" + body;
}

std::string_view end_of_stream(Dialect dialect) {
  return shape_of(dialect).end;
}

}  // namespace llmproxy::bench
