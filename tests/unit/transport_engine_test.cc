// The curl transport's engine: back-pressure, many transfers at once, and the
// ends of lives.
#include "llmproxy/transport.h"

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "client/job.h"
#include "support/http_stub.h"
#include "support/recorder.h"
#include "support/transport_ways.h"

namespace llmproxy::testing {
namespace {

using namespace std::chrono_literals;

TEST_CASE("a paused transfer makes the upstream wait") {
  // Far more than the buffers of two sockets hold.
  constexpr std::size_t kSize = std::size_t{64} << 20;
  const std::string text(kSize, 'x');
  std::atomic<std::size_t> taken = 0;
  std::atomic<bool> stuck = false;
  HttpStub stub([&](StubCall& call) {
    call.send("HTTP/1.1 200 OK\r\ncontent-length: " + std::to_string(kSize) +
              "\r\n\r\n");
    taken = call.send_until_stuck(text, 700ms);
    stuck = true;
    call.send(std::string_view(text).substr(taken));
  });
  const auto transport = make_curl_transport();
  Recorder recorder;
  std::atomic<bool> slow = true;
  recorder.react = [&](std::string_view) {
    return slow ? Flow::pause : Flow::go_on;
  };
  UpstreamRequest request = post(stub.url());
  // Silence while paused is the reader's, not the upstream's.
  request.deadlines.idle = 300ms;
  const auto transfer = transport->start(request, recorder);
  REQUIRE(eventually([&] { return stuck.load(); }));
  CHECK(taken < kSize / 4);
  CHECK_FALSE(recorder.done());
  const std::size_t first = recorder.body().size();
  CHECK(first > 0);
  CHECK(first <= std::size_t{64} << 10);

  // One more piece, then the rest.
  recorder.expect_more();
  transfer->resume();
  REQUIRE(recorder.wait_body(first + 1));
  slow = false;
  recorder.expect_more();
  transfer->resume();
  // The pause after the second piece may have come before or after that.
  REQUIRE(eventually([&] {
    recorder.expect_more();
    transfer->resume();
    return recorder.done();
  }));
  CHECK(recorder.succeeded());
  CHECK(recorder.body() == text);
}

TEST_CASE("the body of a request is let go once its answer has begun") {
  const std::size_t size = GENERATE(std::size_t{2}, std::size_t{300'000});
  CAPTURE(size);
  std::size_t arrived = 0;
  HttpStub stub([&](StubCall& call) {
    arrived = call.body().size();
    call.send(http_answer(200, "ok"));
  });
  const auto transport = make_curl_transport();
  Recorder recorder;
  std::promise<std::shared_ptr<Transfer>> started;
  auto transfer = started.get_future().share();
  std::size_t kept = size;
  recorder.react = [&](std::string_view) {
    // On the engine's thread, whose this is.
    kept = dynamic_cast<Job&>(*transfer.get()).request.body.size();
    return Flow::go_on;
  };
  started.set_value(
      transport->start(post(stub.url(), std::string(size, ' ')), recorder));
  REQUIRE(recorder.wait_done());
  CHECK(recorder.succeeded());
  CHECK(arrived == size);
  CHECK(kept == 0);
}

TEST_CASE("pausing after every piece loses nothing") {
  // In chunks, so that libcurl has more in hand when it is paused; and small
  // enough for the end of the answer to be there already.
  std::string text;
  for (int i = 0; i < 2000; ++i) text += std::to_string(i) + ",";
  HttpStub stub(
      [&](StubCall& call) { call.send(chunked_head() + chunked(text, 100)); });
  const auto transport = make_curl_transport();
  Recorder recorder;
  std::shared_ptr<Transfer> transfer;
  std::atomic<bool> known = false;
  recorder.react = [&](std::string_view) {
    recorder.expect_more();
    // Before the pause it ends: that must not be lost.
    if (known) transfer->resume();
    return known ? Flow::pause : Flow::go_on;
  };
  transfer = transport->start(post(stub.url()), recorder);
  known = true;
  REQUIRE(recorder.wait_done());
  CHECK(recorder.succeeded());
  CHECK(recorder.body() == text);
}

TEST_CASE("a paused transfer can be cancelled, and its total time passes") {
  const bool cancel = GENERATE(true, false);
  HttpStub stub([](StubCall& call) {
    call.send(chunked_head() + chunk("x"));
    call.wait_closed();
  });
  const auto transport = make_curl_transport();
  Recorder recorder;
  recorder.react = [](std::string_view) { return Flow::pause; };
  UpstreamRequest request = post(stub.url());
  if (!cancel) request.deadlines.total = 200ms;
  const auto transfer = transport->start(request, recorder);
  REQUIRE(recorder.wait_body(1));
  if (cancel) transfer->cancel();
  REQUIRE(recorder.wait_done());
  CHECK(recorder.error().kind ==
        (cancel ? ErrorKind::cancelled : ErrorKind::timeout));
}

TEST_CASE("perform refuses a pause") {
  HttpStub stub([](StubCall& call) { call.send(http_answer(200, "{}")); });
  const auto transport = make_curl_transport();
  Recorder recorder;
  recorder.react = [](std::string_view) { return Flow::pause; };
  transport->perform(post(stub.url()), recorder);
  CHECK(recorder.error().kind == ErrorKind::internal);
}

TEST_CASE("many streams at once on one engine") {
  constexpr int kStreams = 200;
  constexpr int kEvents = 20;
  std::atomic<int> waiting = 0;
  HttpStub stub([&](StubCall& call) {
    call.send(chunked_head());
    // All of them are open before the first goes on.
    ++waiting;
    if (!eventually([&] { return waiting == kStreams; })) return call.close();
    for (int i = 0; i < kEvents; ++i) {
      call.send(chunk(call.body() + ":" + std::to_string(i) + ";"));
    }
    call.send(kLastChunk);
  });
  const auto transport = make_curl_transport();
  std::vector<std::unique_ptr<Recorder>> recorders;
  for (int i = 0; i < kStreams; ++i) {
    recorders.push_back(std::make_unique<Recorder>());
    transport->start(post(stub.url(), std::to_string(i)), *recorders.back());
  }
  for (int i = 0; i < kStreams; ++i) {
    Recorder& recorder = *recorders[static_cast<std::size_t>(i)];
    REQUIRE(recorder.wait_done());
    std::string expected;
    for (int event = 0; event < kEvents; ++event) {
      expected += std::to_string(i) + ":" + std::to_string(event) + ";";
    }
    REQUIRE(recorder.body() == expected);
    REQUIRE(recorder.succeeded());
    REQUIRE_FALSE(recorder.broken());
  }
  CHECK(stub.connections() == kStreams);
}

TEST_CASE("connections of finished streams serve the next ones") {
  // One group of libcurl's, and three.
  const int streams = GENERATE(8, 150);
  CAPTURE(streams);
  std::atomic<int> waiting = 0;
  HttpStub stub([&](StubCall& call) {
    // Each round needs as many connections as there are streams.
    const int round = ++waiting;
    const int all = (round + streams - 1) / streams * streams;
    if (!eventually([&] { return waiting >= all; })) return call.close();
    call.send(http_answer(200, "{}"));
  });
  const auto transport = make_curl_transport();
  for (int round = 0; round < 3; ++round) {
    std::vector<std::unique_ptr<Recorder>> recorders;
    for (int i = 0; i < streams; ++i) {
      recorders.push_back(std::make_unique<Recorder>());
      transport->start(post(stub.url()), *recorders.back());
    }
    for (const auto& recorder : recorders) {
      REQUIRE(recorder->wait_done());
      REQUIRE(recorder->succeeded());
    }
  }
  CHECK(stub.requests() == 3 * streams);
  CHECK(stub.connections() == streams);
}

TEST_CASE("groups that are empty go, with the connections they left") {
  constexpr int kStreams = 200;
  constexpr int kInOneGroup = 64;
  std::atomic<int> waiting = 0;
  std::atomic<int> closed = 0;
  HttpStub stub([&](StubCall& call) {
    ++waiting;
    if (!eventually([&] { return waiting == kStreams; })) return call.close();
    call.send(http_answer(200, "{}"));
    if (call.wait_closed()) ++closed;
  });
  HttpStub other([](StubCall& call) { call.send(http_answer(200, "{}")); });
  CurlOptions options;
  options.max_idle = 50ms;
  const auto transport = make_curl_transport(options);
  std::vector<std::unique_ptr<Recorder>> recorders;
  for (int i = 0; i < kStreams; ++i) {
    recorders.push_back(std::make_unique<Recorder>());
    transport->start(post(stub.url()), *recorders.back());
  }
  for (const auto& recorder : recorders) {
    REQUIRE(recorder->wait_done());
    REQUIRE(recorder->succeeded());
  }
  // The engine looks for them whenever it wakes.
  CHECK(eventually([&] {
    Recorder recorder;
    transport->start(post(other.url()), recorder);
    return recorder.wait_done() && closed >= kStreams - kInOneGroup;
  }));
}

TEST_CASE("calls on many threads share the pool") {
  HttpStub stub(
      [](StubCall& call) { call.send(http_answer(200, call.body())); });
  const auto transport = make_curl_transport();
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 25; ++round) {
        const std::string body = std::to_string(i * 1000 + round);
        Recorder recorder;
        transport->perform(post(stub.url(), body), recorder);
        if (recorder.succeeded() && recorder.body() == body) ++right;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(right == 200);
  CHECK(stub.requests() == 200);
  CHECK(stub.connections() <= 8);
}

TEST_CASE("the end of a transport cancels what runs") {
  HttpStub stub([](StubCall& call) {
    call.send(chunked_head());
    call.wait_closed();
  });
  auto transport = make_curl_transport();
  std::vector<std::unique_ptr<Recorder>> recorders;
  std::vector<std::shared_ptr<Transfer>> transfers;
  for (int i = 0; i < 5; ++i) {
    recorders.push_back(std::make_unique<Recorder>());
    transfers.push_back(transport->start(post(stub.url()), *recorders.back()));
  }
  for (const auto& recorder : recorders) REQUIRE(recorder->wait_head());
  // One more that the engine has hardly seen, and one begun by a handler
  // during the end.
  Recorder last;
  Recorder follower;
  Transport* raw = transport.get();
  last.when_done = [&] { raw->start(post(stub.url()), follower); };
  transfers.push_back(raw->start(post(stub.url()), last));
  transport.reset();
  for (const auto& recorder : recorders) {
    CHECK(recorder->done());
    CHECK(recorder->error().kind == ErrorKind::cancelled);
  }
  CHECK(last.done());
  CHECK(follower.done());
  // Handles may outlive it.
  for (const auto& transfer : transfers) {
    transfer->cancel();
    transfer->resume();
  }
}

TEST_CASE("a handler may drop the last reference to the transport") {
  HttpStub stub([](StubCall& call) { call.send(http_answer(200, "{}")); });
  auto transport = make_curl_transport();
  std::weak_ptr<Transport> watch = transport;
  Recorder recorder;
  std::atomic<bool> go = false;
  recorder.react = [&](std::string_view) {
    (void)eventually([&] { return go.load(); });
    return Flow::go_on;
  };
  auto* held = new std::shared_ptr<Transport>(std::move(transport));
  recorder.when_done = [held] { delete held; };
  (*held)->start(post(stub.url()), recorder);
  go = true;
  REQUIRE(recorder.wait_done());
  CHECK(recorder.succeeded());
  CHECK(watch.expired());
}

TEST_CASE("a handler may start the next transfer") {
  HttpStub stub([](StubCall& call) {
    call.send(http_answer(200, std::to_string(call.number())));
  });
  const auto transport = make_curl_transport();
  Recorder first;
  Recorder second;
  first.when_done = [&] { transport->start(post(stub.url()), second); };
  transport->start(post(stub.url()), first);
  REQUIRE(second.wait_done());
  CHECK(second.body() == "2");
  CHECK(stub.connections() == 1);
}

}  // namespace
}  // namespace llmproxy::testing
