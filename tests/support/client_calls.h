// Calls of a Client as tests make them: canned answers of both dialects, one
// question, and both ways to stream brought to one form.
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "llmproxy/client.h"

namespace llmproxy::testing {

/// What one dialect sends for the answer "Hello there." and for an error.
struct Wire {
  std::string_view provider;
  std::string_view path;
  std::string_view whole;
  std::string_view stream;
  std::string_view error;
  std::string_view cut;  ///< the stream ends after this
};

inline const std::vector<Wire>& wires() {
  static const std::vector<Wire> all = {
      {"openai", "/v1/chat/completions",
       R"({"id":"c1","object":"chat.completion","created":1,"model":"m-1",)"
       R"("choices":[{"index":0,"message":{"role":"assistant","content":)"
       R"("Hello there."},"finish_reason":"stop"}],"usage":{"prompt_tokens":)"
       R"(7,"completion_tokens":3,"total_tokens":10}})",
       "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":"
       "1,\"model\":\"m-1\",\"choices\":[{\"index\":0,\"delta\":{\"role\":"
       "\"assistant\",\"content\":\"Hello\"},\"finish_reason\":null}]}\n\n"
       "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":"
       "1,\"model\":\"m-1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":"
       "\" there.\"},\"finish_reason\":null}]}\n\n"
       "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":"
       "1,\"model\":\"m-1\",\"choices\":[{\"index\":0,\"delta\":{},"
       "\"finish_reason\":\"stop\"}]}\n\n"
       "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":"
       "1,\"model\":\"m-1\",\"choices\":[],\"usage\":{\"prompt_tokens\":7,"
       "\"completion_tokens\":3,\"total_tokens\":10}}\n\n"
       "data: [DONE]\n\n",
       R"({"error":{"message":"slow down","type":"requests","param":null,)"
       R"("code":"rate_limit_exceeded"}})",
       " there."},
      {"anthropic", "/v1/messages",
       R"({"id":"msg_1","type":"message","role":"assistant","model":"m-1",)"
       R"("content":[{"type":"text","text":"Hello there."}],"stop_reason":)"
       R"("end_turn","stop_sequence":null,"usage":{"input_tokens":7,)"
       R"("output_tokens":3}})",
       "event: message_start\ndata: {\"type\":\"message_start\",\"message\":"
       "{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\","
       "\"model\":\"m-1\",\"content\":[],\"stop_reason\":null,"
       "\"stop_sequence\":null,\"usage\":{\"input_tokens\":7,"
       "\"output_tokens\":1}}}\n\n"
       "event: content_block_start\ndata: {\"type\":\"content_block_start\","
       "\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n"
       "event: ping\ndata: {\"type\":\"ping\"}\n\n"
       "event: content_block_delta\ndata: {\"type\":\"content_block_delta\","
       "\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hello\"}}"
       "\n\n"
       "event: content_block_delta\ndata: {\"type\":\"content_block_delta\","
       "\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\" there.\"}}"
       "\n\n"
       "event: content_block_stop\ndata: {\"type\":\"content_block_stop\","
       "\"index\":0}\n\n"
       "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":"
       "{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},\"usage\":"
       "{\"output_tokens\":3}}\n\n"
       "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
       R"({"type":"error","error":{"type":"rate_limit_error","message":)"
       R"("slow down"},"request_id":"req_1"})",
       " there."},
  };
  return all;
}

inline Wire either_dialect() {
  const Wire& wire = wires()[GENERATE(std::size_t{0}, std::size_t{1})];
  UNSCOPED_INFO("provider: " << wire.provider);
  return wire;
}

inline ChatRequest question() {
  ChatRequest request;
  request.model = "m-1";
  request.max_output_tokens = 64;
  request.messages.push_back(user_message("Hi?"));
  return request;
}

inline Client client_of(const Wire& wire, std::shared_ptr<Transport> transport,
                        const std::string& base_url = "http://h/v1") {
  return Client(
      make_backend(*find_provider(wire.provider), Secret("sk-1"), base_url),
      std::move(transport));
}

inline std::string answer_text(const ChatResponse& response) {
  std::string text;
  for (const ContentPart& part : response.content) {
    if (const auto* piece = part.as<TextPart>()) text += piece->text;
  }
  return text;
}

/// Both ways to stream, told apart by nothing but this.
struct Outcome {
  ChatResponse response;
  std::vector<EventKind> kinds;
  Result<void> status;
};

inline Outcome pushed(const Client& client, const ChatRequest& request,
                      const CallOptions& options = {}) {
  Outcome outcome;
  Accumulator sum;
  outcome.status = client.stream(
      request,
      [&](const StreamEvent& event) {
        outcome.kinds.push_back(event.kind);
        sum.on_event(event);
      },
      options);
  outcome.response = sum.response();
  return outcome;
}

inline Outcome pulled(const Client& client, const ChatRequest& request,
                      const CallOptions& options = {}) {
  Outcome outcome;
  Accumulator sum;
  EventStream stream = client.stream(request, options);
  for (const OwnedStreamEvent& event : stream) {
    outcome.kinds.push_back(event.kind);
    sum.on_event(event.view());
  }
  CHECK(stream.next() == nullptr);
  outcome.status = stream.status();
  outcome.response = sum.response();
  return outcome;
}

using Stream = Outcome (*)(const Client&, const ChatRequest&,
                           const CallOptions&);
inline Stream either_stream() {
  const int which = GENERATE(0, 1);
  UNSCOPED_INFO((which == 0 ? "pushed" : "pulled"));
  return which == 0 ? pushed : pulled;
}

}  // namespace llmproxy::testing
