// Gateway: what becomes of a stream that failed, and of what its upstream
// still sends.
#include <catch2/catch.hpp>

#include "support/stream_sides.h"

using namespace llmproxy;
using namespace llmproxy::testing;
using namespace std::chrono_literals;

namespace {

const std::string kGeminiChunk =
    R"(data: {"candidates":[{"content":{"role":"model","parts":[{"text":)"
    R"("Hello"}]},"index":0}],"modelVersion":"m"})"
    "\n\n";

/// Three clients and three upstreams, one of each dialect.
Config three_sides() {
  Config config = test_config();
  config.server.keep_alive = 1h;
  config.backends.push_back(test_backend(
      "gemini-side", "gemini", "http://gemini.test", "canary-gemini-key"));
  config.routes.push_back({"gemini", "gemini-side", ""});
  return config;
}

HttpRequest gemini_request(const std::string& model, const char* query) {
  HttpRequest request =
      post("/v1beta/models/" + model + ":streamGenerateContent",
           R"({"contents":[{"role":"user","parts":[{"text":"hi"}]}]})");
  request.query = query;
  return request;
}

struct Failure {
  const char* what;
  std::string bytes;
};

}  // namespace

TEST_CASE("a failed stream stops reading its upstream at once") {
  for_all_pairs([&](const Side& side, bool as_openai) {
    const std::string error =
        R"("error":{"type":"api_error","message":"it broke"}})"
        "\n\n";
    const Failure failures[] = {
        {"malformed", "data: {broken\n\n"},
        {"an error", &side == &openai_side()
                         ? "data: {" + error
                         : "event: error\ndata: {\"type\":\"error\"," + error},
    };
    for (const Failure& failure : failures) {
      INFO(failure.what);
      GatewayFixture fixture(three_sides());
      Gate never;
      fixture.upstream->play(Script()
                                 .head(200, sse_head())
                                 .body(side.begin + side.text)
                                 .body(failure.bytes)
                                 .repeat(std::string(1000, 'x'), never));
      fixture.handle(stream_request(as_openai, side));
      CHECK(tells_error(as_openai, fixture.sink->body()));
      CHECK(fixture.sink->finished());
      CHECK(fixture.sink->faults().empty());
      const auto transfer = fixture.upstream->started().at(0);
      CHECK(transfer->cancelled());
      CHECK(transfer->pieces() == 2);
    }
  });
}

TEST_CASE("a failed stream behind a slow client stops reading as well") {
  for_all_pairs([](const Side& side, bool as_openai) {
    GatewayFixture fixture(three_sides());
    fixture.sink->set_capacity(10);
    Gate never;
    fixture.upstream->play(Script()
                               .head(200, sse_head())
                               .body(side.begin + side.text + "data: {x\n\n")
                               .repeat("more", never));
    fixture.start(stream_request(as_openai, side));
    REQUIRE(eventually([&] {
      const auto started = fixture.upstream->started();
      return started.size() == 1 && started[0]->cancelled();
    }));
    REQUIRE(eventually([&] {
      fixture.sink->read();
      return fixture.sink->finished();
    }));
    fixture.join();
    CHECK(fixture.upstream->started()[0]->pieces() == 1);
    CHECK(tells_error(as_openai, fixture.sink->body()));
    CHECK(fixture.sink->faults().empty());
  });
}

TEST_CASE("behind the end of a good stream little more is read") {
  for_all_pairs([](const Side& side, bool as_openai) {
    GatewayFixture fixture(three_sides());
    Gate never;
    fixture.upstream->play(Script()
                               .head(200, sse_head())
                               .body(side.begin + side.text + side.end)
                               .repeat(std::string(16 << 10, ':'), never));
    fixture.handle(stream_request(as_openai, side));
    CHECK(contains(fixture.sink->body(), good_end(as_openai)));
    CHECK(fixture.sink->finished());
    CHECK(fixture.sink->faults().empty());
    CHECK(fixture.record().outcome == "ok");
    // 64 KiB, and the piece that was too much.
    CHECK(fixture.upstream->started().at(0)->pieces() <= 1 + 5);
  });
}

TEST_CASE("a failed stream ends so that each client can tell") {
  struct Row {
    const char* upstream;
    std::string begin;
  };
  const Row rows[] = {{"gpt", kOpenAiBegin + openai_text("Hello")},
                      {"claude", kClaudeBegin + claude_text("Hello")},
                      {"gemini", kGeminiChunk}};
  for (const Row& row : rows) {
    for (const bool closed : {true, false}) {
      INFO(row.upstream << (closed ? " closed" : " reset"));
      Script script;
      script.head(200, sse_head()).body(row.begin);
      if (!closed) script.fail(ErrorKind::upstream_truncated, "reset");
      const auto check = [&](HttpRequest request, bool breaks_off) {
        GatewayFixture fixture(three_sides());
        fixture.upstream->play(script);
        fixture.handle(std::move(request));
        CHECK(fixture.sink->status() == 200);
        CHECK(contains(fixture.sink->body(), "Hello"));
        CHECK(contains(fixture.sink->body(), "\"error\":"));
        CHECK(fixture.sink->finished() == !breaks_off);
        CHECK(fixture.sink->abandoned() == breaks_off);
        CHECK(fixture.sink->faults().empty());
        CHECK(fixture.record().outcome == "upstream_truncated");
      };
      check(openai_request(row.upstream, true), false);
      check(claude_request(row.upstream, true), false);
      check(gemini_request(row.upstream, "alt=sse"), true);
    }
  }
}

TEST_CASE("bytes of Gemini's that are passed on are broken off as well") {
  GatewayFixture fixture(three_sides());
  fixture.upstream->play(Script()
                             .head(200, sse_head())
                             .body(kGeminiChunk)
                             .fail(ErrorKind::upstream_truncated, "reset"));
  HttpRequest request = gemini_request("m", "alt=sse");
  request.path = "/gemini-side" + request.path;
  fixture.handle(std::move(request));
  CHECK(fixture.sink->body() == kGeminiChunk);
  CHECK(fixture.sink->abandoned());
  CHECK_FALSE(fixture.sink->finished());
}

TEST_CASE("an error before the first event is an orderly answer to all") {
  GatewayFixture fixture(three_sides());
  fixture.upstream->play(
      Script().fail(ErrorKind::upstream_unreachable, "nobody there"));
  fixture.handle(gemini_request("gpt", "alt=sse"));
  CHECK(fixture.sink->status() == 502);
  CHECK(fixture.sink->finished());
  CHECK_FALSE(fixture.sink->abandoned());
}
