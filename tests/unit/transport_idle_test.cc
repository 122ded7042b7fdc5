// The transport on libcurl: for how long an idle connection is used again.
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

#include "client/idle_times.h"
#include "support/http_stub.h"
#include "support/transport_ways.h"

using namespace llmproxy;
using namespace llmproxy::testing;
using namespace std::chrono_literals;

namespace {

std::string with_header(std::string answer, const std::string& line) {
  return answer.insert(answer.find("\r\n") + 2, line + "\r\n");
}

/// Connections that two calls take, the second `gap` after the first.
int connections_of_two(Way way, const CurlOptions& options,
                       const std::string& line, std::chrono::milliseconds gap) {
  HttpStub stub([&](StubCall& call) {
    std::string answer = http_answer(200, "{}");
    if (!line.empty()) answer = with_header(answer, line);
    call.send(answer);
  });
  const auto transport = make_curl_transport(options);
  for (int i = 0; i < 2; ++i) {
    if (i > 0) std::this_thread::sleep_for(gap);
    Recorder recorder;
    run(way, *transport, post(stub.url()), recorder);
    CHECK(recorder.succeeded());
  }
  return stub.connections();
}

}  // namespace

TEST_CASE("an idle connection is left alone once it is too old") {
  const Way way = either_way();
  CurlOptions options;
  options.max_idle = 1s;
  CHECK(connections_of_two(way, options, "", 0ms) == 1);
  CHECK(connections_of_two(way, options, "", 1100ms) == 2);
  options.max_idle = 0s;
  CHECK(connections_of_two(way, options, "", 0ms) == 2);
}

TEST_CASE("an upstream that announces less is believed") {
  const Way way = either_way();
  CHECK(connections_of_two(way, {}, "keep-alive: timeout=60", 0ms) == 1);
  CHECK(connections_of_two(way, {}, "keep-alive: timeout=1, max=9", 0ms) == 2);
  CHECK(connections_of_two(way, {}, "connection: close", 0ms) == 2);
}

TEST_CASE("what comes while nothing was asked answers nothing") {
  const Way way = either_way();
  std::atomic<bool> heard = false;
  std::atomic<bool> said_more = false;
  HttpStub stub([&](StubCall& call) {
    call.send(http_answer(200, "mine"));
    if (call.number() > 1) return;
    // On loopback, what was sent has come.
    if (eventually([&] { return heard.load(); })) {
      call.send(http_answer(200, "nobody's"));
      said_more = true;
    }
  });
  const auto transport = make_curl_transport({});
  for (int i = 0; i < 3; ++i) {
    Recorder recorder;
    run(way, *transport, post(stub.url()), recorder);
    CHECK(recorder.succeeded());
    CHECK(recorder.body() == "mine");
    heard = true;
    REQUIRE(eventually([&] { return said_more.load(); }));
  }
  CHECK(stub.connections() == 2);
}

TEST_CASE("what upstreams announce is read as it is written") {
  struct Row {
    const char* value;
    std::optional<std::chrono::seconds> said;
  };
  const Row rows[] = {
      {"timeout=5", 5s},
      {"timeout=5, max=100", 5s},
      {"max=100, Timeout=7", 7s},
      {"max=3,timeout=0", 0s},
      {"", std::nullopt},
      {"max=100", std::nullopt},
      {"timeout=", std::nullopt},
      {"timeout=-3", std::nullopt},
      {"timeout=99999999999999999999", std::nullopt},
  };
  for (const Row& row : rows) {
    INFO(row.value);
    CHECK(announced_idle_time({{"Keep-Alive", row.value}}) == row.said);
  }
  CHECK(announced_idle_time({}) == std::nullopt);
}

TEST_CASE("the limit of an origin is what it said last, at most ours") {
  IdleTimes times(4s);
  const auto said = [](const char* value) {
    return Headers{{"keep-alive", value}};
  };
  CHECK(times.of("http://a") == 4s);
  times.note("http://a", said("timeout=3"));
  CHECK(times.of("http://a") == 2s);
  CHECK(times.of("http://b") == 4s);
  times.note("http://a", {});
  CHECK(times.of("http://a") == 2s);
  times.note("http://a", said("timeout=75"));
  CHECK(times.of("http://a") == 4s);
  times.note("http://a", said("timeout=0"));
  CHECK(times.of("http://a") == 0s);
}
