// Client: pushed and pulled streams, cancelling, back-pressure.
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

TEST_CASE("a stream adds up to the answer, pushed or pulled") {
  const Wire wire = either_dialect();
  const Stream stream = either_stream();
  const std::size_t size =
      GENERATE(std::size_t{1}, std::size_t{7}, std::size_t{10000});
  const auto transport = std::make_shared<ScriptedTransport>();
  Script script;
  script.head(200, sse_head());
  for (std::size_t at = 0; at < wire.stream.size(); at += size) {
    script.body(std::string(wire.stream.substr(at, size)));
  }
  transport->play(script);
  const Outcome outcome = stream(client_of(wire, transport), question(), {});
  REQUIRE(outcome.status);
  CHECK(answer_text(outcome.response) == "Hello there.");
  CHECK(outcome.response.stop_reason == StopReason::end_turn);
  CHECK(outcome.response.usage.input_tokens == 7);
  CHECK(outcome.response.usage.output_tokens == 3);
  CHECK(outcome.kinds.front() == EventKind::started);
  CHECK(outcome.kinds.back() == EventKind::finished);
  json::Document document;
  const auto body = document.parse(transport->requests().at(0).body);
  REQUIRE(body);
  CHECK((*body)["stream"].is_true());
}

TEST_CASE("the same over real sockets") {
  const Wire wire = either_dialect();
  const Stream stream = either_stream();
  HttpStub stub([&](StubCall& call) {
    call.send(chunked_head());
    call.send(chunked(wire.stream, 50));
  });
  const Client client = client_of(wire, make_curl_transport(), stub.url());
  for (int i = 0; i < 3; ++i) {
    const Outcome outcome = stream(client, question(), {});
    REQUIRE(outcome.status);
    CHECK(answer_text(outcome.response) == "Hello there.");
  }
}

TEST_CASE("a stream that breaks off is an error, never a stop") {
  const Wire wire = either_dialect();
  const Stream stream = either_stream();
  const std::size_t end = wire.stream.find(wire.cut) + wire.cut.size();
  const bool cleanly = GENERATE(true, false);
  HttpStub stub([&](StubCall& call) {
    call.send(chunked_head());
    if (cleanly) {
      call.send(chunked(wire.stream.substr(0, end)));
    } else {
      call.send(chunk(wire.stream.substr(0, end)));
      call.close();
    }
  });
  const Client client = client_of(wire, make_curl_transport(), stub.url());
  const Outcome outcome = stream(client, question(), {});
  REQUIRE_FALSE(outcome.status);
  CHECK(outcome.status.error().kind == ErrorKind::upstream_truncated);
  CHECK(outcome.kinds.back() == EventKind::failed);
  for (const EventKind kind : outcome.kinds) {
    CHECK(kind != EventKind::finished);
  }
}

TEST_CASE("what fails behind the last event does not matter") {
  const Wire wire = either_dialect();
  const Stream stream = either_stream();
  const auto transport = std::make_shared<ScriptedTransport>();
  transport->play(Script()
                      .head(200, sse_head())
                      .body(std::string(wire.stream))
                      .fail(ErrorKind::upstream_truncated, "no last chunk"));
  const Outcome outcome = stream(client_of(wire, transport), question(), {});
  CHECK(outcome.status.has_value());
  CHECK(outcome.kinds.back() == EventKind::finished);
}

TEST_CASE("an upstream that never ends its answer is not waited for") {
  const Wire wire = either_dialect();
  const Stream stream = either_stream();
  HttpStub stub([&](StubCall& call) {
    call.send(chunked_head() + chunk(wire.stream));
    call.wait_closed();
  });
  const Client client = client_of(wire, make_curl_transport(), stub.url());
  CallOptions options;
  // It would be this, were it waited for.
  options.deadlines = Deadlines{.idle = kPatience};
  const auto before = std::chrono::steady_clock::now();
  const Outcome outcome = stream(client, question(), options);
  CHECK(outcome.status.has_value());
  CHECK(std::chrono::steady_clock::now() - before < kPatience / 2);
}

TEST_CASE("a callback that has enough ends the call") {
  const Wire wire = either_dialect();
  HttpStub stub([&](StubCall& call) {
    call.send(chunked_head() +
              chunk(wire.stream.substr(0, wire.stream.find(wire.cut))));
    call.wait_closed();
  });
  const Client client = client_of(wire, make_curl_transport(), stub.url());
  int events = 0;
  const Result<void> result =
      client.stream(question(), [&](const StreamEvent&) {
        ++events;
        return false;
      });
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::cancelled);
  CHECK(events == 1);
}

/// An upstream that starts to answer and falls silent.
HttpStub::Script silent(const Wire& wire, std::atomic<bool>& left) {
  return [wire, &left](StubCall& call) {
    call.send(chunked_head() +
              chunk(wire.stream.substr(0, wire.stream.find(wire.cut))));
    left = call.wait_closed();
  };
}

TEST_CASE("a stop token ends a silent call, whole or streamed") {
  const Wire wire = either_dialect();
  const int way = GENERATE(0, 1, 2);
  CAPTURE(way);
  std::atomic<bool> left = false;
  HttpStub stub(silent(wire, left));
  const Client client = client_of(wire, make_curl_transport(), stub.url());
  std::stop_source source;
  CallOptions options;
  options.stop = source.get_token();
  Result<void> result;
  std::thread caller([&] {
    if (way == 0) {
      const auto answer = client.send(question(), options);
      if (!answer) result = answer.error();
    } else {
      result = (way == 1 ? pushed : pulled)(client, question(), options).status;
    }
  });
  REQUIRE(eventually([&] { return stub.requests() == 1; }));
  source.request_stop();
  caller.join();
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::cancelled);
  CHECK(eventually([&] { return left.load(); }));
}

TEST_CASE("a pulled stream is cancelled from another thread") {
  const Wire wire = either_dialect();
  std::atomic<bool> left = false;
  HttpStub stub(silent(wire, left));
  const Client client = client_of(wire, make_curl_transport(), stub.url());
  EventStream stream = client.stream(question());
  bool seen = false;
  std::thread canceller;
  std::vector<EventKind> kinds;
  for (const OwnedStreamEvent& event : stream) {
    kinds.push_back(event.kind);
    // From here on the upstream is silent.
    if (event.text != "Hello" || std::exchange(seen, true)) continue;
    canceller = std::thread([&] { stream.cancel(); });
  }
  REQUIRE(seen);
  canceller.join();
  CHECK(kinds.back() == EventKind::failed);
  REQUIRE_FALSE(stream.status());
  CHECK(stream.status().error().kind == ErrorKind::cancelled);
  CHECK(eventually([&] { return left.load(); }));
}

TEST_CASE("dropping a pulled stream cancels it") {
  const Wire wire = either_dialect();
  std::atomic<bool> left = false;
  HttpStub stub(silent(wire, left));
  const auto transport = make_curl_transport();
  const Client client = client_of(wire, transport, stub.url());
  {
    EventStream stream = client.stream(question());
    REQUIRE(stream.next() != nullptr);
    CHECK(stream.status().has_value());
    EventStream moved = std::move(stream);
    CHECK(moved.next() != nullptr);
  }
  CHECK(eventually([&] { return left.load(); }));
}

TEST_CASE("a finished stream leaves its connection for the next") {
  const Wire wire = either_dialect();
  HttpStub stub([&](StubCall& call) {
    call.send(chunked_head());
    call.send(chunked(wire.stream));
  });
  const Client client = client_of(wire, make_curl_transport(), stub.url());
  for (int i = 0; i < 3; ++i) {
    // Dropped right behind the last event, which may be before the last
    // chunk has been read.
    REQUIRE(pulled(client, question()).status);
  }
  for (int i = 0; i < 3; ++i) REQUIRE(pushed(client, question()).status);
  // The engine may still be reading the end when the next call starts.
  CHECK(stub.connections() <= 4);
}

TEST_CASE("a slow puller makes the upstream wait and loses nothing") {
  const Wire& wire = wires()[0];
  // About 64 MiB of deltas, far beyond any buffer.
  constexpr std::size_t kDeltas = 16'000;
  const std::string text(4096, 'x');
  const std::size_t begin = wire.stream.find("data: ", 1);
  const std::size_t end = wire.stream.find("data: ", begin + 1);
  const std::string first(wire.stream.substr(0, begin));
  std::string delta(wire.stream.substr(begin, end - begin));
  delta.replace(delta.find(wire.cut), wire.cut.size(), text);
  const std::string rest(wire.stream.substr(end));
  std::string middle;
  for (std::size_t i = 0; i < kDeltas; ++i) middle += delta;
  std::atomic<std::size_t> taken = 0;
  std::atomic<bool> stuck = false;
  HttpStub stub([&](StubCall& call) {
    call.send("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n");
    call.send(first);
    taken = call.send_until_stuck(middle, 500ms);
    stuck = true;
    call.send(std::string_view(middle).substr(taken));
    call.send(rest);
    call.close();
  });
  const Client client = client_of(wire, make_curl_transport(), stub.url());
  EventStream stream = client.stream(question());
  REQUIRE(stream.next() != nullptr);
  REQUIRE(eventually([&] { return stuck.load(); }));
  CHECK(taken < middle.size() / 2);
  std::size_t deltas = 0;
  for (const OwnedStreamEvent& event : stream) {
    deltas += event.text == text ? 1 : 0;
  }
  CHECK(stream.status().has_value());
  CHECK(deltas == kDeltas);
}

}  // namespace
}  // namespace llmproxy::testing
