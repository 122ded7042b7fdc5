// Gateway: clients that take nothing, or next to nothing, of their answers.
#include <catch2/catch.hpp>

#include "gateway/stall_clock.h"
#include "support/stream_sides.h"

using namespace llmproxy;
using namespace llmproxy::testing;
using namespace std::chrono_literals;

namespace {

Config stalling_config() {
  Config config = test_config();
  config.server.write_stall = 50ms;
  config.server.keep_alive = 20ms;
  config.upstream.max_connections = 1;
  return config;
}

/// The client of the last call was given up, and its place is free again.
void check_given_up(GatewayFixture& fixture) {
  CHECK(fixture.record().status == 499);
  CHECK(fixture.record().outcome == "cancelled");
  CHECK(contains(fixture.record().error, "did not read its response"));
  CHECK(fixture.sink->abandoned());
  CHECK_FALSE(fixture.sink->finished());
  CHECK(fixture.sink->faults().empty());
  CHECK(fixture.upstream->started().back()->cancelled());
  fixture.fresh_sink();
  fixture.upstream->play(Script().head(200, json_head()).body(kOpenAiAnswer));
  fixture.handle(openai_request("gpt"));
  CHECK(fixture.sink->status() == 200);
}

}  // namespace

TEST_CASE("a client is waited for as long as it takes enough") {
  using gateway::StallClock;
  const StallClock::Time start{};
  StallClock clock(30s);
  CHECK_FALSE(clock.passed(0, start));
  CHECK_FALSE(clock.passed(0, start + 29s));
  CHECK(clock.passed(0, start + 30s));
  SECTION("a slow line") {
    // 1,200 bytes a second, told every five.
    for (int i = 0; i < 100; ++i) {
      CHECK_FALSE(
          clock.passed(6000u * static_cast<unsigned>(i), start + 5s * i));
    }
  }
  SECTION("a byte now and then is not enough") {
    CHECK_FALSE(clock.passed(1, start + 20s));
    CHECK_FALSE(clock.passed(2, start + 29s));
    CHECK(clock.passed(3, start + 30s));
  }
  SECTION("having taken all begins anew") {
    clock.reset();
    CHECK_FALSE(clock.passed(0, start + 40s));
    CHECK_FALSE(clock.passed(0, start + 69s));
    CHECK(clock.passed(0, start + 70s));
  }
  SECTION("without a limit it waits for ever") {
    StallClock patient(0s);
    CHECK_FALSE(patient.passed(0, start));
    CHECK_FALSE(patient.passed(0, start + 1000h));
  }
}

TEST_CASE("a client that does not read a whole answer is given up") {
  GatewayFixture fixture(stalling_config());
  fixture.sink->set_capacity(1000);
  const std::string text(std::size_t{1} << 20, 'x');
  fixture.upstream->play(
      Script()
          .head(200, json_head())
          .body(R"({"id":"c","object":"chat.completion","choices":[{"index":0,)"
                R"("message":{"role":"assistant","content":")" +
                text + R"("},"finish_reason":"stop"}]})"));
  fixture.handle(openai_request("gpt"));
  CHECK(fixture.record().status == 499);
  CHECK(fixture.record().outcome == "cancelled");
  CHECK(contains(fixture.record().error, "did not read its response"));
  CHECK(fixture.sink->abandoned());
  CHECK_FALSE(fixture.sink->finished());
}

TEST_CASE("a client that does not read its stream loses its upstream") {
  for_all_pairs([](const Side& side, bool as_openai) {
    GatewayFixture fixture(stalling_config());
    fixture.sink->set_capacity(10);
    fixture.upstream->play(Script()
                               .head(200, sse_head())
                               .body(side.begin + side.text)
                               .body(side.text)
                               .silence());
    fixture.handle(stream_request(as_openai, side));
    check_given_up(fixture);
  });
}

TEST_CASE("a client that does not read keep-alives is given up as well") {
  for_all_pairs([](const Side& side, bool as_openai) {
    GatewayFixture fixture(stalling_config());
    fixture.sink->set_capacity(1);
    fixture.upstream->play(Script().head(200, sse_head()).silence());
    fixture.handle(stream_request(as_openai, side));
    check_given_up(fixture);
  });
}

TEST_CASE("nor is a stream waited for that has ended, well or not") {
  for_all_pairs([](const Side& side, bool as_openai) {
    for (const bool well : {true, false}) {
      GatewayFixture fixture(stalling_config());
      fixture.sink->set_capacity(10);
      Script script;
      script.head(200, sse_head()).body(side.begin + side.text);
      if (well) script.body(side.end);
      fixture.upstream->play(script);
      fixture.handle(stream_request(as_openai, side));
      CHECK(fixture.record().status == 499);
      CHECK(fixture.sink->abandoned());
      CHECK_FALSE(fixture.sink->finished());
    }
  });
}

TEST_CASE("bytes that are passed on wait for nobody either") {
  GatewayFixture fixture(stalling_config());
  fixture.sink->set_capacity(10);
  fixture.upstream->play(Script()
                             .head(200, {{"content-type", "image/png"}})
                             .body(std::string(100, 'x'))
                             .body(std::string(100, 'x'))
                             .silence());
  fixture.handle(get("/openai-side/v1/files/f/content"));
  check_given_up(fixture);
}

TEST_CASE("a client that takes enough in time is not given up") {
  GatewayFixture fixture(stalling_config());
  fixture.sink->set_capacity(100);
  Script script;
  script.head(200, sse_head()).body(kOpenAiBegin);
  std::string text;
  for (int i = 0; i < 500; ++i) text += openai_text("Hello there");
  script.body(text).body(kOpenAiEnd);
  fixture.upstream->play(script);
  fixture.start(openai_request("gpt", true));
  REQUIRE(eventually([&] {
    fixture.sink->read_some(5000);
    return fixture.sink->finished();
  }));
  fixture.join();
  CHECK(fixture.record().outcome == "ok");
  CHECK_FALSE(fixture.sink->abandoned());
}
