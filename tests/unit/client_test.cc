// Client: whole answers, refusals and losses, in both dialects, over a
// scripted transport and over real sockets.
#include "llmproxy/client.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "json/json.h"
#include "support/client_calls.h"
#include "support/http_stub.h"
#include "support/scripted_transport.h"

namespace llmproxy::testing {
namespace {

using namespace std::chrono_literals;

TEST_CASE("send asks in the backend's dialect and reads its answer") {
  const Wire wire = either_dialect();
  const auto transport = std::make_shared<ScriptedTransport>();
  transport->play(
      Script().head(200, json_head()).body(std::string(wire.whole)));
  ChatRequest request = question();
  request.stream = true;  // not looked at
  CallOptions options;
  options.deadlines = Deadlines{1s, 2s, 3s, 4s};
  const Result<ChatResponse> answer =
      client_of(wire, transport).send(request, options);
  REQUIRE(answer);
  CHECK(answer_text(*answer) == "Hello there.");
  CHECK(answer->stop_reason == StopReason::end_turn);
  CHECK(answer->usage.input_tokens == 7);
  CHECK(answer->usage.output_tokens == 3);

  const std::vector<UpstreamRequest> asked = transport->requests();
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].url == "http://h" + std::string(wire.path));
  CHECK(asked[0].deadlines == *options.deadlines);
  json::Document document;
  const Result<json::Value> body = document.parse(asked[0].body);
  REQUIRE(body);
  CHECK((*body)["model"].string() == "m-1");
  CHECK_FALSE((*body)["stream"].is_true());
}

TEST_CASE("an error of the upstream is an error of the call") {
  const Wire wire = either_dialect();
  const auto transport = std::make_shared<ScriptedTransport>();
  const Client client = client_of(wire, transport);
  Headers head = json_head();
  head.push_back({"retry-after", "7"});
  const Script failure = Script().head(429, head).body(std::string(wire.error));

  transport->play(failure);
  const Result<ChatResponse> answer = client.send(question());
  REQUIRE_FALSE(answer);
  CHECK(answer.error().kind == ErrorKind::rate_limited);
  CHECK(answer.error().message.find("slow down") != std::string::npos);
  CHECK(answer.error().retry_after == "7");

  for (const Stream stream : {&pushed, &pulled}) {
    transport->play(failure);
    const Outcome outcome = stream(client, question(), {});
    REQUIRE_FALSE(outcome.status);
    CHECK(outcome.status.error() == answer.error());
    CHECK(outcome.kinds == std::vector{EventKind::failed});
  }
}

TEST_CASE("an answer that makes no sense is the upstream's fault") {
  const Wire wire = either_dialect();
  const std::string body =
      GENERATE("<html>", "", "{\"a\":", "[]", "null", "{}");
  CAPTURE(body);
  const auto transport = std::make_shared<ScriptedTransport>();
  transport->play(Script().head(200, json_head()).body(body));
  const Result<ChatResponse> answer =
      client_of(wire, transport).send(question());
  REQUIRE_FALSE(answer);
  CHECK(answer.error().kind == ErrorKind::upstream_malformed);
  CHECK(answer.error().fault == Fault::upstream);
}

TEST_CASE("a failed transfer is reported as the transport says") {
  const Wire wire = either_dialect();
  const auto transport = std::make_shared<ScriptedTransport>();
  const Client client = client_of(wire, transport);
  // Even when a whole answer seems to have arrived.
  const Script failure = Script()
                             .head(200, json_head())
                             .body(std::string(wire.whole))
                             .fail(ErrorKind::upstream_truncated, "cut");
  transport->play(failure);
  const Result<ChatResponse> answer = client.send(question());
  REQUIRE_FALSE(answer);
  CHECK(answer.error().kind == ErrorKind::upstream_truncated);
  CHECK(answer.error().message == "cut");
}

TEST_CASE("a request that cannot be carried is refused before it is sent") {
  const auto transport = std::make_shared<ScriptedTransport>();
  const Client client = client_of(wires()[1], transport);
  ChatRequest request = question();
  request.messages[0].content.push_back({AudioPart{}, {}, {}});
  const Result<ChatResponse> answer = client.send(request);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().fault == Fault::client);
  for (const Stream stream : {&pushed, &pulled}) {
    const Outcome outcome = stream(client, request, {});
    REQUIRE_FALSE(outcome.status);
    CHECK(outcome.status.error() == answer.error());
    CHECK(outcome.kinds == std::vector{EventKind::failed});
  }
  CHECK(transport->requests().empty());
}

TEST_CASE("losses are reported beside the answer") {
  const Wire& wire = wires()[1];
  const auto transport = std::make_shared<ScriptedTransport>();
  const Client client = client_of(wire, transport);
  ChatRequest request = question();
  request.seed = 7;  // claude has none
  const auto lost_seed = [](const Losses& losses) {
    for (const Loss& loss : losses) {
      if (loss.path == "/seed") return true;
    }
    return false;
  };
  Losses losses;
  CallOptions options;
  options.losses = &losses;

  transport->play(
      Script().head(200, json_head()).body(std::string(wire.whole)));
  REQUIRE(client.send(request, options));
  CHECK(lost_seed(losses));

  losses.clear();
  transport->play(
      Script().head(200, sse_head()).body(std::string(wire.stream)));
  REQUIRE(pushed(client, request, options).status);
  CHECK(lost_seed(losses));

  losses.clear();
  transport->play(
      Script().head(200, sse_head()).body(std::string(wire.stream)));
  EventStream stream = client.stream(request, options);
  CHECK(lost_seed(losses));
  while (stream.next() != nullptr) continue;
  CHECK(lost_seed(stream.losses()));
}

TEST_CASE("what the request's translation renamed comes back as it was") {
  // 70 characters are too many for a tool's name.
  const std::string name = std::string(70, 'n');
  ChatRequest request = question();
  ToolDefinition tool;
  tool.name = name;
  tool.schema = *RawJson::parse(R"({"type":"object"})");
  request.tools.push_back(tool);
  // An upstream that calls the tool it was offered.
  HttpStub stub([&](StubCall& call) {
    json::Document document;
    const auto body = document.parse(call.body());
    std::string sent;
    for (const json::Value offered : (*body)["tools"].children()) {
      sent = std::string(offered["function"]["name"].string());
    }
    const std::string one =
        R"("tool_calls":[{"index":0,"id":"t1","type":"function","function":)"
        R"({"name":")" +
        sent + R"(","arguments":"{}"}}]},"finish_reason":"tool_calls"}]})";
    if ((*body)["stream"].is_true()) {
      call.send(chunked_head());
      call.send(
          chunked("data: {\"id\":\"c\",\"model\":\"m\",\"choices\":[{"
                  "\"index\":0,\"delta\":{" +
                  one + "\n\ndata: [DONE]\n\n"));
    } else {
      call.send(
          http_answer(200, R"({"id":"c","model":"m","choices":[{"index":0,)"
                           R"("message":{"role":"assistant",)" +
                               one));
    }
  });
  const Client client =
      client_of(wires()[0], make_curl_transport(), stub.url());
  const Result<ChatResponse> answer = client.send(request);
  REQUIRE(answer);
  const Outcome outcome = pulled(client, request);
  REQUIRE(outcome.status);
  for (const ChatResponse* response : {&*answer, &outcome.response}) {
    REQUIRE(response->content.size() == 1);
    const auto* call = response->content[0].as<ToolCallPart>();
    REQUIRE(call != nullptr);
    CHECK(call->name == name);
  }
}

TEST_CASE("the demo backend is spoken to in any dialect") {
  const std::string dialect = GENERATE("", "openai-chat", "claude");
  CAPTURE(dialect);
  const Client client(make_backend(*find_provider("demo"), Secret()),
                      make_demo_transport());
  ChatRequest request = question();
  request.dialect = dialect;
  request.model = "demo";
  const Result<ChatResponse> answer = client.send(request);
  REQUIRE(answer);
  CHECK_FALSE(answer_text(*answer).empty());
  for (const Stream stream : {&pushed, &pulled}) {
    const Outcome outcome = stream(client, request, {});
    REQUIRE(outcome.status);
    CHECK(answer_text(outcome.response) == answer_text(*answer));
  }
}

}  // namespace
}  // namespace llmproxy::testing
