// Gateway: streamed answers, and everything that can happen to one.
#include <catch2/catch.hpp>

#include "support/gateway_fixture.h"
#include "support/upstream_texts.h"

using namespace llmproxy;
using namespace llmproxy::testing;
using namespace std::chrono_literals;

namespace {

struct Side {
  const char* model;
  std::string begin, text, end;
};

const Side& openai_side() {
  static const Side side{"gpt", kOpenAiBegin, openai_text("Hello"), kOpenAiEnd};
  return side;
}
const Side& claude_side() {
  static const Side side{"claude", kClaudeBegin, claude_text("Hello"),
                         kClaudeEnd};
  return side;
}

HttpRequest stream_request(bool as_openai, const Side& side) {
  return as_openai ? openai_request(side.model, true)
                   : claude_request(side.model, true);
}

Config patient_config(std::chrono::milliseconds keep_alive) {
  Config config = test_config();
  config.server.keep_alive = keep_alive;
  return config;
}

// How either client is told that a stream ended well, and that it did not.
const char* good_end(bool as_openai) {
  return as_openai ? "data: [DONE]\n\n" : "event: message_stop\n";
}
bool tells_error(bool as_openai, const std::string& body) {
  return as_openai ? contains(body, "data: {\"error\":")
                   : contains(body, "event: error\n");
}

// Runs `check` for both upstreams and both clients.
template <class Check>
void for_all_pairs(Check check) {
  for (const Side* side : {&openai_side(), &claude_side()}) {
    for (const bool as_openai : {true, false}) {
      INFO("upstream " << side->model << ", client "
                       << (as_openai ? "openai" : "claude"));
      check(*side, as_openai);
    }
  }
}

}  // namespace

TEST_CASE("within one dialect a stream passes byte for byte") {
  for (const bool openai : {true, false}) {
    const Side& side = openai ? openai_side() : claude_side();
    const std::string odd =
        side.begin + ": a comment\n\n" + side.text + side.end;
    GatewayFixture fixture;
    Script script;
    script.head(200, sse_head());
    for (const char c : odd) script.body(std::string(1, c));
    fixture.upstream->play(script);
    fixture.handle(stream_request(openai, side));
    CHECK(fixture.sink->status() == 200);
    CHECK(fixture.sink->body() == odd);
    CHECK(fixture.sink->finished());
    CHECK(fixture.sink->faults().empty());
    CHECK(fixture.record().output_tokens == 2);
    CHECK(fixture.record().input_tokens == 11);
    CHECK(fixture.record().outcome == "ok");
    CHECK(fixture.record().stream);
  }
}

TEST_CASE("a stream is translated event by event") {
  for_all_pairs([](const Side& side, bool as_openai) {
    GatewayFixture fixture;
    Gate gate;
    fixture.upstream->play(Script()
                               .head(200, sse_head())
                               .body(side.begin + side.text)
                               .wait(gate)
                               .body(side.end));
    fixture.start(stream_request(as_openai, side));
    // The text is there before the upstream has ended.
    REQUIRE(
        eventually([&] { return contains(fixture.sink->body(), "Hello"); }));
    CHECK_FALSE(contains(fixture.sink->body(), good_end(as_openai)));
    gate.open();
    fixture.join();
    CHECK(contains(fixture.sink->body(), good_end(as_openai)));
    CHECK_FALSE(tells_error(as_openai, fixture.sink->body()));
    CHECK(fixture.sink->finished());
    CHECK(fixture.sink->faults().empty());
    CHECK(fixture.record().outcome == "ok");
    CHECK(fixture.record().output_tokens == 2);
  });
}

TEST_CASE("the head of a stream says how to read it") {
  for_all_pairs([](const Side& side, bool as_openai) {
    GatewayFixture fixture;
    fixture.upstream->play(
        Script()
            .head(200, {{"content-type", "text/event-stream"},
                        {"request-id", "up-2"}})
            .body(side.begin + side.text + side.end));
    fixture.handle(stream_request(as_openai, side));
    const auto& sink = *fixture.sink;
    CHECK(sink.header("content-type").starts_with("text/event-stream"));
    CHECK(sink.header("cache-control") == "no-cache");
    CHECK(sink.header("x-accel-buffering") == "no");
    CHECK(sink.header("content-length").empty());
    CHECK(sink.header(as_openai ? "x-request-id" : "request-id") == "up-2");
    CHECK(sink.header("x-llmproxy-request-id") == fixture.record().request_id);
  });
}

TEST_CASE("nothing is promised before the first event") {
  for_all_pairs([](const Side& side, bool as_openai) {
    GatewayFixture fixture;
    Gate gate;
    fixture.upstream->play(Script()
                               .head(200, sse_head())
                               .body(side.begin.substr(0, 20))
                               .wait(gate)
                               .body(side.begin.substr(20) + side.end));
    fixture.start(stream_request(as_openai, side));
    REQUIRE(eventually([&] { return fixture.sink->looks() >= 2; }));
    CHECK(fixture.sink->status() == 0);
    gate.open();
    fixture.join();
    CHECK(fixture.sink->status() == 200);
  });
}

TEST_CASE("an error that comes first is an HTTP status") {
  const std::string openai_error =
      R"(data: {"error":{"message":"Overloaded","type":"server_error",)"
      R"("code":"server_is_overloaded","param":null}})"
      "\n\n";
  const std::string claude_error = claude_event(
      "error",
      R"(,"error":{"type":"overloaded_error","message":"Overloaded"})");
  for_all_pairs([&](const Side& side, bool as_openai) {
    GatewayFixture fixture;
    fixture.upstream->play(
        Script()
            .head(200,
                  {{"content-type", "text/event-stream"}, {"retry-after", "3"}})
            .body(&side == &openai_side() ? openai_error : claude_error));
    fixture.handle(stream_request(as_openai, side));
    // 529 is a word of the claude API alone.
    const int status = fixture.sink->status();
    CHECK((status == 503 || (!as_openai && status == 529)));
    CHECK(fixture.sink->header("content-type") == "application/json");
    CHECK(fixture.sink->header("retry-after") == "3");
    CHECK(at(fixture.sink->body(), "error", "message") == "Overloaded");
    CHECK(fixture.record().outcome == "overloaded");
    CHECK(fixture.sink->finished());
    CHECK(fixture.sink->faults().empty());
  });
}

TEST_CASE("a stream that is cut off ends in an error, never in a stop") {
  for_all_pairs([](const Side& side, bool as_openai) {
    const std::string whole = side.begin + side.text + side.end;
    const std::size_t text_end = side.begin.size() + side.text.size();
    // Behind an event and in the middle of one; closed and broken off.
    for (const std::size_t cut : {text_end, text_end + 9}) {
      for (const bool closed : {true, false}) {
        GatewayFixture fixture;
        Script script;
        script.head(200, sse_head()).body(whole.substr(0, cut));
        if (!closed) script.fail(ErrorKind::upstream_truncated, "reset");
        fixture.upstream->play(script);
        fixture.handle(stream_request(as_openai, side));
        CHECK(fixture.sink->status() == 200);
        CHECK(contains(fixture.sink->body(), "Hello"));
        CHECK(tells_error(as_openai, fixture.sink->body()));
        CHECK_FALSE(contains(fixture.sink->body(), good_end(as_openai)));
        CHECK(fixture.sink->finished());
        CHECK(fixture.sink->faults().empty());
        CHECK(fixture.record().outcome == "upstream_truncated");
        CHECK(fixture.record().status == 200);
      }
    }
  });
}

TEST_CASE("a stream that never begins is an HTTP error") {
  for_all_pairs([](const Side& side, bool as_openai) {
    for (const char* body : {"", ": only a comment\n\n", "data: "}) {
      GatewayFixture fixture;
      fixture.upstream->play(Script().head(200, sse_head()).body(body));
      fixture.handle(stream_request(as_openai, side));
      CHECK(fixture.sink->status() == 502);
      CHECK(fixture.sink->header("content-type") == "application/json");
      CHECK_FALSE(at(fixture.sink->body(), "error", "message").empty());
    }
  });
}

TEST_CASE("a client that leaves cancels a silent upstream") {
  for_all_pairs([](const Side& side, bool as_openai) {
    for (const bool begun : {true, false}) {
      GatewayFixture fixture;
      Script script;
      if (begun) script.head(200, sse_head()).body(side.begin + side.text);
      fixture.upstream->play(script.silence());
      fixture.start(stream_request(as_openai, side));
      REQUIRE(eventually([&] {
        return begun ? contains(fixture.sink->body(), "Hello")
                     : fixture.sink->looks() > 0;
      }));
      fixture.sink->leave();
      fixture.join();
      REQUIRE(fixture.upstream->started().size() == 1);
      CHECK(fixture.upstream->started()[0]->cancelled());
      CHECK(fixture.record().status == 499);
      CHECK(fixture.record().outcome == "cancelled");
      CHECK_FALSE(fixture.sink->finished());
      CHECK_FALSE(tells_error(as_openai, fixture.sink->body()));
      if (begun) CHECK(fixture.record().first_byte);
    }
  });
}

TEST_CASE("a client that leaves while events come stops the upstream") {
  for_all_pairs([](const Side& side, bool as_openai) {
    GatewayFixture fixture;
    Gate gate;
    fixture.upstream->play(Script()
                               .head(200, sse_head())
                               .body(side.begin + side.text)
                               .wait(gate)
                               .body(side.text)
                               .silence());
    fixture.start(stream_request(as_openai, side));
    REQUIRE(
        eventually([&] { return contains(fixture.sink->body(), "Hello"); }));
    fixture.sink->leave();
    gate.open();
    fixture.join();
    CHECK(fixture.upstream->started()[0]->cancelled());
    CHECK(fixture.record().status == 499);
  });
}

TEST_CASE("a slow client pauses the upstream and misses nothing") {
  for_all_pairs([](const Side& side, bool as_openai) {
    // What a client that reads at once gets.
    std::string expected;
    std::string long_text;
    for (int i = 0; i < 20; ++i) long_text += side.text;
    Script script;
    script.head(200, sse_head()).body(side.begin);
    for (int i = 0; i < 20; ++i) script.body(side.text);
    script.body(side.end);
    {
      GatewayFixture fast;
      fast.upstream->play(script);
      fast.handle(stream_request(as_openai, side));
      expected = fast.sink->body();
    }
    GatewayFixture fixture;
    fixture.sink->set_capacity(100);
    fixture.upstream->play(script);
    fixture.start(stream_request(as_openai, side));
    REQUIRE(eventually([&] {
      const auto started = fixture.upstream->started();
      return started.size() == 1 && started[0]->pauses() == 1;
    }));
    const auto transfer = fixture.upstream->started()[0];
    const std::size_t so_far = fixture.sink->body().size();
    CHECK(so_far > 0);
    CHECK(so_far < expected.size());
    CHECK(transfer->resumes() == 0);
    REQUIRE(eventually([&] {
      fixture.sink->read();
      return fixture.sink->finished();
    }));
    fixture.join();
    CHECK(fixture.sink->faults().empty());
    CHECK(transfer->pauses() > 1);
    CHECK(transfer->resumes() >= transfer->pauses());
    CHECK_FALSE(transfer->cancelled());
    CHECK(fixture.record().outcome == "ok");
    // Ids made by the proxy may differ between two runs; lengths do not.
    CHECK(fixture.sink->body().size() == expected.size());
  });
}

TEST_CASE("a slow client that leaves is noticed while it is waited for") {
  GatewayFixture fixture;
  fixture.sink->set_capacity(10);
  fixture.upstream->play(
      Script().head(200, sse_head()).body(kOpenAiBegin).body(kOpenAiEnd));
  fixture.start(openai_request("gpt", true));
  REQUIRE(eventually([&] {
    const auto started = fixture.upstream->started();
    return started.size() == 1 && started[0]->pauses() == 1;
  }));
  fixture.sink->leave();
  fixture.join();
  CHECK(fixture.upstream->started()[0]->cancelled());
  CHECK(fixture.record().status == 499);
}

TEST_CASE("an error behind a slow client waits for its turn") {
  for_all_pairs([](const Side& side, bool as_openai) {
    GatewayFixture fixture;
    fixture.sink->set_capacity(10);
    fixture.upstream->play(
        Script().head(200, sse_head()).body(side.begin).body(side.text));
    fixture.start(stream_request(as_openai, side));
    REQUIRE(eventually([&] {
      fixture.sink->read();
      return fixture.sink->finished();
    }));
    fixture.join();
    CHECK(tells_error(as_openai, fixture.sink->body()));
    CHECK(fixture.sink->faults().empty());
    CHECK(fixture.record().outcome == "upstream_truncated");
  });
}

TEST_CASE("silence is filled with what means nothing") {
  for_all_pairs([](const Side& side, bool as_openai) {
    for (const bool begun : {true, false}) {
      GatewayFixture fixture(patient_config(20ms));
      Gate gate;
      Script script;
      script.head(200, sse_head());
      if (begun) script.body(side.begin + side.text);
      script.wait(gate);
      if (!begun) script.body(side.begin + side.text);
      script.body(side.end);
      fixture.upstream->play(script);
      fixture.start(stream_request(as_openai, side));
      const char* sign = as_openai ? "\n\n:" : "event: ping\n";
      const auto signs = [&] {
        const std::string body = "\n\n" + fixture.sink->body();
        int count = 0;
        for (std::size_t p = body.find(sign); p != std::string::npos;
             p = body.find(sign, p + 1)) {
          ++count;
        }
        return count;
      };
      REQUIRE(eventually([&] { return signs() >= 2; }));
      CHECK(fixture.sink->status() == 200);
      gate.open();
      fixture.join();
      CHECK(contains(fixture.sink->body(), "Hello"));
      CHECK(contains(fixture.sink->body(), good_end(as_openai)));
      CHECK(fixture.sink->faults().empty());
      CHECK(fixture.record().outcome == "ok");
    }
  });
}

TEST_CASE("an upstream that only comments does not keep a client waiting") {
  // The client hears nothing of such comments, so it needs its own.
  GatewayFixture fixture(patient_config(20ms));
  Gate gate;
  fixture.upstream->play(Script()
                             .head(200, sse_head())
                             .repeat(": processing\n\n", gate)
                             .body(kOpenAiBegin + kOpenAiEnd));
  fixture.start(claude_request("gpt", true));
  REQUIRE(eventually(
      [&] { return contains(fixture.sink->body(), "event: ping\n"); }));
  gate.open();
  fixture.join();
  CHECK(contains(fixture.sink->body(), good_end(false)));
  CHECK(fixture.sink->faults().empty());
}

TEST_CASE("no keep-alive is sent before the upstream has answered") {
  GatewayFixture fixture(patient_config(1ms));
  fixture.upstream->play(Script().silence());
  fixture.start(openai_request("gpt", true));
  REQUIRE(eventually([&] { return fixture.sink->looks() >= 3; }));
  CHECK(fixture.sink->status() == 0);
  fixture.sink->leave();
  fixture.join();
}

TEST_CASE("after a keep-alive a failure can only be an event") {
  for_all_pairs([](const Side& side, bool as_openai) {
    GatewayFixture fixture(patient_config(20ms));
    Gate gate;
    fixture.upstream->play(Script()
                               .head(200, sse_head())
                               .wait(gate)
                               .fail(ErrorKind::timeout, "too long"));
    fixture.start(stream_request(as_openai, side));
    REQUIRE(eventually([&] { return fixture.sink->status() == 200; }));
    gate.open();
    fixture.join();
    CHECK(tells_error(as_openai, fixture.sink->body()));
    CHECK_FALSE(contains(fixture.sink->body(), good_end(as_openai)));
    CHECK(fixture.sink->finished());
    CHECK(fixture.record().outcome == "timeout");
    CHECK(fixture.sink->faults().empty());
  });
}

TEST_CASE("a keep-alive that fills the client holds the upstream back") {
  for_all_pairs([](const Side& side, bool as_openai) {
    GatewayFixture fixture(patient_config(20ms));
    Gate gate;
    fixture.sink->set_capacity(1);
    fixture.upstream->play(Script()
                               .head(200, sse_head())
                               .wait(gate)
                               .body(side.begin + side.text)
                               .body(side.end));
    fixture.start(stream_request(as_openai, side));
    REQUIRE(eventually([&] { return fixture.sink->status() == 200; }));
    gate.open();
    REQUIRE(eventually(
        [&] { return fixture.upstream->started()[0]->pauses() >= 1; }));
    CHECK_FALSE(contains(fixture.sink->body(), "Hello"));
    REQUIRE(eventually([&] {
      fixture.sink->read();
      return fixture.sink->finished();
    }));
    fixture.join();
    CHECK(contains(fixture.sink->body(), "Hello"));
    CHECK(contains(fixture.sink->body(), good_end(as_openai)));
    CHECK(fixture.sink->faults().empty());
  });
}

TEST_CASE("a client that leaves under keep-alives cancels the upstream") {
  GatewayFixture fixture(patient_config(20ms));
  fixture.upstream->play(Script().head(200, sse_head()).silence());
  fixture.start(claude_request("claude", true));
  REQUIRE(eventually([&] { return fixture.sink->status() == 200; }));
  fixture.sink->leave();
  fixture.join();
  CHECK(fixture.upstream->started()[0]->cancelled());
  CHECK(fixture.record().status == 499);
}

TEST_CASE("a whole answer where a stream was asked for becomes a stream") {
  for_all_pairs([](const Side& side, bool as_openai) {
    GatewayFixture fixture;
    fixture.upstream->play(
        Script()
            .head(200, {{"content-type", "application/json; charset=utf-8"}})
            .body(&side == &openai_side() ? kOpenAiAnswer : kClaudeAnswer));
    fixture.handle(stream_request(as_openai, side));
    CHECK(fixture.sink->status() == 200);
    CHECK(
        fixture.sink->header("content-type").starts_with("text/event-stream"));
    CHECK(contains(fixture.sink->body(), "Hello there"));
    CHECK(contains(fixture.sink->body(), good_end(as_openai)));
    CHECK(fixture.sink->finished());
    CHECK(fixture.sink->faults().empty());
    CHECK(fixture.record().outcome == "ok");
    CHECK(fixture.record().output_tokens == 2);
  });
}

TEST_CASE("JSON that is no answer where a stream was asked for is an error") {
  for_all_pairs([](const Side& side, bool as_openai) {
    GatewayFixture fixture;
    fixture.upstream->play(Script().head(200, json_head()).body("{\"x\":"));
    fixture.handle(stream_request(as_openai, side));
    CHECK(fixture.sink->status() == 502);
    CHECK(fixture.record().outcome == "upstream_malformed");
  });
}

TEST_CASE("the answer ends with its last event, not with the connection") {
  for_all_pairs([](const Side& side, bool as_openai) {
    GatewayFixture fixture;
    fixture.upstream->play(Script()
                               .head(200, sse_head())
                               .body(side.begin + side.text + side.end)
                               .silence());
    fixture.start(stream_request(as_openai, side));
    REQUIRE(eventually([&] { return fixture.sink->finished(); }));
    fixture.join();
    CHECK(fixture.upstream->started()[0]->cancelled());
    CHECK(fixture.record().outcome == "ok");
    CHECK(fixture.record().status == 200);
    CHECK(fixture.sink->faults().empty());
  });
}

TEST_CASE("losses stand in the head of a stream") {
  GatewayFixture fixture;
  fixture.upstream->play(
      Script().head(200, sse_head()).body(kOpenAiBegin + kOpenAiEnd));
  fixture.handle(post(
      kClaudePath,
      R"({"model":"gpt","stream":true,"max_tokens":9,"top_k":3,"messages":)"
      R"([{"role":"user","content":"hi"}]})"));
  CHECK(contains(fixture.sink->header("x-llmproxy-loss"), "/top_k: "));
}

TEST_CASE("streams on many threads do not disturb each other") {
  constexpr int kStreams = 8;
  auto upstream = std::make_shared<ScriptedTransport>();
  for (int i = 0; i < kStreams; ++i) {
    Script script;
    script.head(200, sse_head()).body(kClaudeBegin);
    for (int n = 0; n < 20; ++n) script.body(claude_text("w"));
    upstream->play(script.body(kClaudeEnd));
  }
  RecordingObserver observer;
  Gateway gateway(test_config(), upstream, &observer);
  std::vector<RecordingSink> sinks(kStreams);
  std::vector<std::thread> threads;
  for (RecordingSink& sink : sinks) {
    threads.emplace_back([&gateway, &sink] {
      gateway.handle(openai_request("claude", true), sink);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const RecordingSink& sink : sinks) {
    CHECK(sink.status() == 200);
    CHECK(contains(sink.body(), good_end(true)));
    CHECK(sink.faults().empty());
  }
  CHECK(observer.records().size() == kStreams);
}
