// The curl transport when the upstream fails: unreachable, broken off, silent;
// deadlines and cancelling.
#include "llmproxy/transport.h"

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "support/http_stub.h"
#include "support/recorder.h"
#include "support/transport_ways.h"

namespace llmproxy::testing {
namespace {

using namespace std::chrono_literals;

TEST_CASE("an upstream that cannot be reached") {
  const Way way = either_way();
  const auto transport = make_curl_transport();
  const std::string host = "127.0.0.1:" + std::to_string(closed_port());
  Recorder recorder;
  run(way, *transport,
      post("http://user:sk-canary@" + host + "/?key=sk-canary"), recorder);
  REQUIRE_FALSE(recorder.succeeded());
  const Error error = recorder.error();
  CHECK(error.kind == ErrorKind::upstream_unreachable);
  CHECK(error.fault == Fault::upstream);
  CHECK(error.message.find(host) != std::string::npos);
  CHECK(error.message.find("refused") != std::string::npos);
  CHECK(error.message.find("canary") == std::string::npos);
}

TEST_CASE("an upstream that does not speak TLS") {
  const Way way = either_way();
  // A TLS client's first bytes hold no blank line; answer them anyway.
  const auto transport = make_curl_transport();
  HttpStub stub([](StubCall&) {});
  UpstreamRequest request = post("https://" + stub.host() + "/");
  request.deadlines.connect = 300ms;
  Recorder recorder;
  run(way, *transport, request, recorder);
  REQUIRE_FALSE(recorder.succeeded());
  // The handshake belongs to the connect deadline.
  CHECK(recorder.error().kind == ErrorKind::timeout);
  CHECK(recorder.error().message.find("connect") != std::string::npos);
}

struct Cut {
  std::string name;
  std::string answer;
  bool reset;
  ErrorKind kind;
};

TEST_CASE("an answer that breaks off is an error") {
  const Way way = either_way();
  const Cut cut = GENERATE(
      Cut{"shorter than its length",
          "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", false,
          ErrorKind::upstream_truncated},
      Cut{"no last chunk", chunked_head() + chunk("half"), false,
          ErrorKind::upstream_truncated},
      Cut{"inside a chunk", chunked_head() + "9\r\nhalf", false,
          ErrorKind::upstream_truncated},
      Cut{"broken chunk size", chunked_head() + chunk("half") + "zzz\r\nhalf",
          false, ErrorKind::upstream_truncated},
      Cut{"reset", chunked_head() + chunk("half"), true,
          ErrorKind::upstream_truncated},
      Cut{"nothing at all", "", false, ErrorKind::upstream_truncated},
      Cut{"no HTTP", "SSH-2.0-OpenSSH_9.2\r\n", false,
          ErrorKind::upstream_malformed});
  CAPTURE(cut.name);
  HttpStub stub([&](StubCall& call) {
    call.send(cut.answer);
    if (!cut.reset) return call.close();
    // A reset throws away what the client has not read yet.
    (void)call.send_until_stuck(cut.answer, 0ms);
    call.reset();
  });
  const auto transport = make_curl_transport();
  Recorder recorder;
  run(way, *transport, post(stub.url()), recorder);
  REQUIRE_FALSE(recorder.succeeded());
  CHECK(recorder.error().kind == cut.kind);
  CHECK(recorder.error().fault == Fault::upstream);
  CHECK(recorder.error().message.find(stub.host()) != std::string::npos);
  if (!cut.reset) {
    CHECK(recorder.body() ==
          (recorder.status() == 200 ? std::string("half") : std::string()));
  }
}

TEST_CASE("an answer without a length ends with its connection") {
  const Way way = either_way();
  HttpStub stub([](StubCall& call) {
    call.send("HTTP/1.1 200 OK\r\n\r\nall of it");
    call.close();
  });
  const auto transport = make_curl_transport();
  Recorder recorder;
  run(way, *transport, post(stub.url()), recorder);
  CHECK(recorder.succeeded());
  CHECK(recorder.body() == "all of it");
}

struct Limit {
  std::string name;
  std::chrono::milliseconds Deadlines::*value;
  std::string before;  ///< sent before the silence
};

TEST_CASE("each deadline ends the transfer and says which it was") {
  const Way way = either_way();
  const Limit limit =
      GENERATE(Limit{"first byte", &Deadlines::first_byte, ""},
               Limit{"idle", &Deadlines::idle, chunked_head() + chunk("x")},
               Limit{"idle", &Deadlines::idle, "HTTP/1.1 200 OK\r\n"},
               Limit{"total", &Deadlines::total, chunked_head() + chunk("x")});
  CAPTURE(limit.name, limit.before);
  std::atomic<bool> left = false;
  HttpStub stub([&](StubCall& call) {
    call.send(limit.before);
    left = call.wait_closed();
  });
  const auto transport = make_curl_transport();
  UpstreamRequest request = post(stub.url());
  request.deadlines.*limit.value = 150ms;
  Recorder recorder;
  run(way, *transport, request, recorder);
  REQUIRE_FALSE(recorder.succeeded());
  const Error error = recorder.error();
  CHECK(error.kind == ErrorKind::timeout);
  CHECK(error.message.find(limit.name) != std::string::npos);
  CHECK(error.message.find("150ms") != std::string::npos);
  CHECK(error.message.find(stub.host()) != std::string::npos);
  // The upstream is told, by the end of the connection.
  CHECK(eventually([&] { return left.load(); }));
}

TEST_CASE("a steady answer passes the idle deadline, not the total one") {
  const Way way = either_way();
  const bool limited = GENERATE(false, true);
  HttpStub stub([](StubCall& call) {
    call.send(chunked_head());
    // 600 ms altogether, never more than 20 ms of silence.
    for (int i = 0; i < 30; ++i) {
      if (call.wait_closed(20ms)) return;
      call.send(chunk("x"));
    }
    call.send(kLastChunk);
  });
  const auto transport = make_curl_transport();
  UpstreamRequest request = post(stub.url());
  request.deadlines.idle = 500ms;
  if (limited) request.deadlines.total = 300ms;
  Recorder recorder;
  run(way, *transport, request, recorder);
  CHECK(recorder.succeeded() == !limited);
  CHECK(recorder.body().size() <= 30);
  if (limited) {
    CHECK(recorder.error().message.find("total") != std::string::npos);
  }
}

TEST_CASE("cancelling takes effect while the upstream is silent") {
  const Way way = either_way();
  const std::string before =
      GENERATE(std::string(), chunked_head() + chunk("x"));
  std::atomic<bool> heard = false;
  std::atomic<bool> left = false;
  HttpStub stub([&](StubCall& call) {
    call.send(before);
    heard = true;
    left = call.wait_closed();
  });
  const auto transport = make_curl_transport();
  Recorder recorder;
  if (way == Way::perform) {
    std::atomic<bool> cancel = false;
    std::thread caller([&] {
      transport->perform(post(stub.url()), recorder,
                         [&] { return cancel.load(); });
    });
    REQUIRE(eventually([&] { return heard.load(); }));
    cancel = true;
    caller.join();
  } else {
    const auto transfer = transport->start(post(stub.url()), recorder);
    REQUIRE(eventually([&] { return heard.load(); }));
    transfer->cancel();
    transfer->cancel();
  }
  REQUIRE(recorder.wait_done());
  CHECK_FALSE(recorder.broken());
  CHECK(recorder.error().kind == ErrorKind::cancelled);
  // The stub never sent another byte and saw the connection close.
  CHECK(eventually([&] { return left.load(); }));
}

TEST_CASE("perform asks at least four times a second") {
  HttpStub stub([](StubCall& call) { call.wait_closed(); });
  const auto transport = make_curl_transport();
  Recorder recorder;
  UpstreamRequest request = post(stub.url());
  // Only the asking can end it before this deadline does.
  request.deadlines.total = 2000ms;
  int asked = 0;
  run(Way::perform, *transport, request, recorder,
      [&] { return ++asked >= 8; });
  CHECK(recorder.error().kind == ErrorKind::cancelled);
}

TEST_CASE("cancelling before the start, after the end, and in between") {
  HttpStub stub([](StubCall& call) { call.send(http_answer(200, "{}")); });
  const auto transport = make_curl_transport();
  Recorder early;
  const auto transfer = transport->start(post(stub.url()), early);
  transfer->cancel();
  REQUIRE(early.wait_done());

  Recorder late;
  const auto finished = transport->start(post(stub.url()), late);
  REQUIRE(late.wait_done());
  finished->cancel();
  finished->resume();

  // Those orders were carried out before this one.
  Recorder last;
  run(Way::start, *transport, post(stub.url()), last);
  CHECK(late.succeeded());
  CHECK_FALSE(late.broken());
  CHECK_FALSE(early.broken());
}

TEST_CASE("a handler may stop the transfer") {
  const Way way = either_way();
  std::atomic<bool> left = false;
  HttpStub stub([&](StubCall& call) {
    call.send(chunked_head() + chunk("enough"));
    left = call.wait_closed();
  });
  const auto transport = make_curl_transport();
  Recorder recorder;
  recorder.react = [](std::string_view) { return Flow::stop; };
  run(way, *transport, post(stub.url()), recorder);
  CHECK(recorder.error().kind == ErrorKind::cancelled);
  CHECK(recorder.body() == "enough");
  CHECK(eventually([&] { return left.load(); }));
}

}  // namespace
}  // namespace llmproxy::testing
