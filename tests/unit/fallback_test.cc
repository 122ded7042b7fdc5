// FallbackClient: who is asked after whom, and when nobody else may be.
#include "llmproxy/fallback.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "json/json.h"
#include "support/client_calls.h"
#include "support/scripted_transport.h"

namespace llmproxy::testing {
namespace {

/// Two upstreams, of different dialects.
struct Pair {
  std::shared_ptr<ScriptedTransport> first =
      std::make_shared<ScriptedTransport>();
  std::shared_ptr<ScriptedTransport> second =
      std::make_shared<ScriptedTransport>();
  std::vector<std::size_t> failures;
  FallbackClient client{
      {{client_of(wires()[0], first)}, {client_of(wires()[1], second), "m-2"}},
      [this](std::size_t choice, const Error&) { failures.push_back(choice); }};
};

Script whole(const Wire& wire) {
  return Script().head(200, json_head()).body(std::string(wire.whole));
}
Script streamed(const Wire& wire) {
  return Script().head(200, sse_head()).body(std::string(wire.stream));
}
Script refusing(int status) {
  return Script().head(status, json_head()).body("{}");
}

std::string asked_model(const ScriptedTransport& transport) {
  json::Document document;
  const auto body = document.parse(transport.requests().at(0).body);
  return std::string((*body)["model"].string());
}

TEST_CASE("the first choice answers when it can") {
  Pair pair;
  pair.first->play(whole(wires()[0]));
  const auto answer = pair.client.send(question());
  REQUIRE(answer);
  CHECK(answer_text(*answer) == "Hello there.");
  CHECK(asked_model(*pair.first) == "m-1");
  CHECK(pair.second->requests().empty());
  CHECK(pair.failures.empty());
}

TEST_CASE("the next one is asked after an error that may pass") {
  Pair pair;
  pair.first->play(refusing(429));
  pair.second->play(whole(wires()[1]));
  ChatRequest request = question();
  request.seed = 7;  // which only the second does not take
  Losses losses;
  CallOptions options;
  options.losses = &losses;
  const auto answer = pair.client.send(request, options);
  REQUIRE(answer);
  CHECK(asked_model(*pair.second) == "m-2");
  CHECK(pair.failures == std::vector<std::size_t>{0});
  REQUIRE(losses.size() == 1);
  CHECK(losses[0].path == "/seed");
}

TEST_CASE("a mistake of the request is not tried elsewhere") {
  Pair pair;
  pair.first->play(refusing(400));
  const auto answer = pair.client.send(question());
  REQUIRE_FALSE(answer);
  CHECK(answer.error().kind == ErrorKind::invalid_request);
  CHECK(pair.second->requests().empty());
}

TEST_CASE("the last error is the result") {
  Pair pair;
  pair.first->play(Script().fail(ErrorKind::upstream_unreachable, "no route"));
  pair.second->play(refusing(529));
  const auto answer = pair.client.send(question());
  REQUIRE_FALSE(answer);
  CHECK(answer.error().kind == ErrorKind::overloaded);
  CHECK(pair.failures == std::vector<std::size_t>{0});
}

TEST_CASE("a stream moves on before its first event, and never after") {
  Pair pair;
  const bool begun = GENERATE(false, true);
  const Wire& wire = wires()[0];
  if (begun) {
    pair.first->play(Script()
                         .head(200, sse_head())
                         .body(std::string(
                             wire.stream.substr(0, wire.stream.find(wire.cut))))
                         .fail(ErrorKind::upstream_truncated, "gone"));
  } else {
    pair.first->play(refusing(503));
  }
  pair.second->play(streamed(wires()[1]));
  Accumulator sum;
  std::vector<EventKind> kinds;
  const Result<void> status =
      pair.client.stream(question(), [&](const StreamEvent& event) {
        kinds.push_back(event.kind);
        sum.on_event(event);
        return true;
      });
  CHECK(kinds.front() == EventKind::started);
  CHECK(status.has_value() == !begun);
  CHECK(kinds.back() == (begun ? EventKind::failed : EventKind::finished));
  CHECK(pair.second->requests().size() == (begun ? 0 : 1));
  if (!begun) CHECK(answer_text(sum.response()) == "Hello there.");
}

TEST_CASE("without anybody to ask there is an error, and one event") {
  const FallbackClient client({});
  const auto answer = client.send(question());
  REQUIRE_FALSE(answer);
  CHECK(answer.error().kind == ErrorKind::internal);
  std::vector<EventKind> kinds;
  const auto status = client.stream(question(), [&](const StreamEvent& event) {
    kinds.push_back(event.kind);
    return true;
  });
  CHECK_FALSE(status);
  CHECK(kinds == std::vector<EventKind>{EventKind::failed});
}

}  // namespace
}  // namespace llmproxy::testing
