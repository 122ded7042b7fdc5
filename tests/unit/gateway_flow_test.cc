// Gateway: clients that leave or read slowly, upstreams that think.
#include <catch2/catch.hpp>

#include "support/stream_sides.h"

using namespace llmproxy;
using namespace llmproxy::testing;
using namespace std::chrono_literals;

namespace {

Config patient_config(std::chrono::milliseconds keep_alive) {
  Config config = test_config();
  config.server.keep_alive = keep_alive;
  return config;
}

}  // namespace

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
