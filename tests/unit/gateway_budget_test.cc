// Gateway: answers that find no room among the bytes that are held for
// others, and room that is given back.
#include <catch2/catch.hpp>

#include "support/stream_sides.h"

using namespace llmproxy;
using namespace llmproxy::testing;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kBudget = std::size_t{1} << 20;

Config small_config() {
  Config config = test_config();
  config.server.max_bytes_in_flight = kBudget;
  return config;
}

/// A Gateway of which others hold all but some bytes.
struct Crowded {
  explicit Crowded(std::size_t left = 0) : others(&fixture.gateway.budget()) {
    REQUIRE(others.grow(kBudget - left));
  }
  std::size_t held() { return fixture.gateway.budget().held(); }

  GatewayFixture fixture{small_config()};
  ByteLease others;
};

bool is_room_error(const std::string& text) {
  return contains(text, "the memory for requests in flight is used up");
}

}  // namespace

TEST_CASE("a whole answer without room is refused until there is some") {
  for_all_pairs([](const Side& side, bool as_openai) {
    Crowded crowded(100);
    GatewayFixture& fixture = crowded.fixture;
    const bool from_openai = &side == &openai_side();
    const Script script =
        Script()
            .head(200, json_head())
            .body(from_openai ? kOpenAiAnswer : kClaudeAnswer);
    const auto request = [&] {
      return as_openai ? openai_request(side.model)
                       : claude_request(side.model);
    };
    fixture.upstream->play(script);
    fixture.handle(request());
    CHECK(fixture.sink->status() == 503);
    CHECK(fixture.sink->header("retry-after") == "1");
    CHECK(is_room_error(fixture.sink->body()));
    CHECK(fixture.record().outcome == "overloaded");
    CHECK(crowded.held() == crowded.others.bytes());

    crowded.others.release();
    fixture.fresh_sink();
    fixture.upstream->play(script);
    fixture.handle(request());
    CHECK(fixture.sink->status() == 200);
    CHECK(crowded.held() == 0);
  });
}

TEST_CASE("nor has one that was to be a stream") {
  for_all_pairs([](const Side& side, bool as_openai) {
    Crowded crowded(100);
    GatewayFixture& fixture = crowded.fixture;
    fixture.upstream->play(
        Script()
            .head(200, json_head())
            .body(&side == &openai_side() ? kOpenAiAnswer : kClaudeAnswer));
    fixture.handle(stream_request(as_openai, side));
    CHECK(fixture.sink->status() == 503);
    CHECK(fixture.sink->header("retry-after") == "1");
    CHECK(is_room_error(fixture.sink->body()));
    CHECK(crowded.held() == crowded.others.bytes());
  });
}

TEST_CASE("an upstream's refusal is told without room for all of it") {
  for (const bool stream : {false, true}) {
    Crowded crowded(10);
    GatewayFixture& fixture = crowded.fixture;
    fixture.upstream->play(Script()
                               .head(429, json_head())
                               .body(R"({"error":{"message":"slow"}})"));
    fixture.handle(openai_request("gpt", stream));
    CHECK(fixture.sink->status() == 429);
    CHECK(crowded.held() == crowded.others.bytes());
  }
}

TEST_CASE("a stream that waits for its client without room ends in an error") {
  for_all_pairs([](const Side& side, bool as_openai) {
    Crowded crowded;
    GatewayFixture& fixture = crowded.fixture;
    fixture.sink->set_capacity(10);
    fixture.upstream->play(Script()
                               .head(200, sse_head())
                               .body(side.begin + side.text)
                               .body(side.text)
                               .silence());
    fixture.start(stream_request(as_openai, side));
    REQUIRE(reads_to_the_end(fixture));
    CHECK(contains(fixture.sink->body(), "Hello"));
    CHECK(tells_error(as_openai, fixture.sink->body()));
    CHECK(is_room_error(fixture.sink->body()));
    CHECK_FALSE(contains(fixture.sink->body(), good_end(as_openai)));
    CHECK(fixture.record().outcome == "overloaded");
    CHECK(fixture.sink->faults().empty());
    CHECK(crowded.held() == crowded.others.bytes());
  });
}

TEST_CASE("a stream whose client reads needs no room") {
  for_all_pairs([](const Side& side, bool as_openai) {
    Crowded crowded;
    GatewayFixture& fixture = crowded.fixture;
    fixture.upstream->play(Script()
                               .head(200, sse_head())
                               .body(side.begin + side.text)
                               .body(side.end));
    fixture.handle(stream_request(as_openai, side));
    CHECK(contains(fixture.sink->body(), good_end(as_openai)));
    CHECK(fixture.record().outcome == "ok");
  });
}

TEST_CASE("what waits for a slow client is leased until it is gone") {
  for_all_pairs([](const Side& side, bool as_openai) {
    GatewayFixture fixture(small_config());
    ByteBudget& budget = fixture.gateway.budget();
    fixture.sink->set_capacity(10);
    Script script;
    script.head(200, sse_head()).body(side.begin);
    for (int i = 0; i < 5; ++i) script.body(side.text);
    fixture.upstream->play(script.body(side.end));
    fixture.start(stream_request(as_openai, side));
    REQUIRE(eventually([&] { return budget.held() > 0; }));
    REQUIRE(reads_to_the_end(fixture));
    CHECK(contains(fixture.sink->body(), good_end(as_openai)));
    CHECK(fixture.record().outcome == "ok");
    CHECK(budget.held() == 0);
  });
}

TEST_CASE("a client that leaves gives back what waited for it") {
  GatewayFixture fixture(small_config());
  fixture.sink->set_capacity(10);
  fixture.upstream->play(Script()
                             .head(200, sse_head())
                             .body(kOpenAiBegin + openai_text("Hello"))
                             .silence());
  fixture.start(openai_request("gpt", true));
  REQUIRE(eventually([&] { return fixture.gateway.budget().held() > 0; }));
  fixture.sink->leave();
  fixture.join();
  CHECK(fixture.gateway.budget().held() == 0);
}

// A large event is leased before a part of it has left.
TEST_CASE("a large event without room becomes an error") {
  for_all_pairs([](const Side& side, bool as_openai) {
    Crowded crowded(std::size_t{100} << 10);
    GatewayFixture& fixture = crowded.fixture;
    const std::string text(std::size_t{300} << 10, 'x');
    fixture.upstream->play(Script()
                               .head(200, sse_head())
                               .body(side.begin + side.text)
                               .body(&side == &openai_side()
                                         ? openai_text(text)
                                         : claude_text(text))
                               .body(side.end));
    fixture.handle(stream_request(as_openai, side));
    CHECK(contains(fixture.sink->body(), "Hello"));
    CHECK_FALSE(contains(fixture.sink->body(), "xxx"));
    CHECK(tells_error(as_openai, fixture.sink->body()));
    CHECK_FALSE(contains(fixture.sink->body(), good_end(as_openai)));
    CHECK(fixture.record().outcome == "overloaded");
    CHECK(fixture.sink->faults().empty());
    CHECK(crowded.held() == crowded.others.bytes());
  });
}

// Nobody can be told anything of an event that is not whole yet.
TEST_CASE("a part of an event without room ends the stream") {
  const std::string part(std::size_t{300} << 10, 'x');
  for (const bool begun : {false, true}) {
    for_all_pairs([&](const Side& side, bool as_openai) {
      Crowded crowded(std::size_t{100} << 10);
      GatewayFixture& fixture = crowded.fixture;
      fixture.upstream->play(Script()
                                 .head(200, sse_head())
                                 .body(begun ? side.begin + side.text : "")
                                 .body("data: " + part)
                                 .silence());
      fixture.handle(stream_request(as_openai, side));
      CHECK(fixture.sink->status() == (begun ? 200 : 503));
      CHECK(is_room_error(fixture.sink->body()));
      CHECK_FALSE(contains(fixture.sink->body(), good_end(as_openai)));
      CHECK(fixture.record().outcome == "overloaded");
      CHECK(crowded.held() == crowded.others.bytes());
    });
  }
}

TEST_CASE("a part of an event is leased until it is whole") {
  for_all_pairs([](const Side& side, bool as_openai) {
    GatewayFixture fixture(small_config());
    ByteBudget& budget = fixture.gateway.budget();
    const std::string text(std::size_t{300} << 10, 'x');
    const std::string event =
        &side == &openai_side() ? openai_text(text) : claude_text(text);
    const std::size_t half = event.size() / 2;
    Gate gate;
    fixture.upstream->play(Script()
                               .head(200, sse_head())
                               .body(side.begin + side.text)
                               .body(event.substr(0, half))
                               .wait(gate)
                               .body(event.substr(half))
                               .body(side.end));
    fixture.start(stream_request(as_openai, side));
    REQUIRE(eventually([&] { return budget.held() >= half / 2; }));
    gate.open();
    fixture.join();
    CHECK(contains(fixture.sink->body(), text));
    CHECK(contains(fixture.sink->body(), good_end(as_openai)));
    CHECK(budget.held() == 0);
  });
}

TEST_CASE("a large event goes in pieces, as the client takes it") {
  GatewayFixture fixture(small_config());
  fixture.sink->set_capacity(1000);
  const std::string text(std::size_t{500} << 10, 'x');
  fixture.upstream->play(Script()
                             .head(200, sse_head())
                             .body(kOpenAiBegin + openai_text(text))
                             .body(kOpenAiEnd));
  fixture.start(openai_request("gpt", true));
  REQUIRE(eventually([&] { return fixture.gateway.budget().held() > 0; }));
  CHECK(fixture.sink->body().size() <= std::size_t{64} << 10);
  REQUIRE(reads_to_the_end(fixture));
  CHECK(contains(fixture.sink->body(), text));
  CHECK(contains(fixture.sink->body(), good_end(true)));
  CHECK(fixture.sink->faults().empty());
  CHECK(fixture.gateway.budget().held() == 0);
}

TEST_CASE("bytes that are passed on break off without room") {
  Crowded crowded;
  GatewayFixture& fixture = crowded.fixture;
  fixture.sink->set_capacity(10);
  fixture.upstream->play(Script()
                             .head(200, {{"content-type", "image/png"}})
                             .body(std::string(100, 'x'))
                             .body(std::string(100, 'x'))
                             .silence());
  fixture.start(get("/openai-side/v1/files/f/content"));
  REQUIRE(reads_to_the_end(fixture));
  CHECK_FALSE(fixture.sink->finished());
  CHECK(fixture.record().outcome == "overloaded");
  CHECK(crowded.held() == crowded.others.bytes());
}
