// Gateway: streamed answers, from head to end.
#include <catch2/catch.hpp>

#include "support/stream_sides.h"

using namespace llmproxy;
using namespace llmproxy::testing;

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
