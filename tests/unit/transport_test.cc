// The curl transport against a loopback stub: what goes out, what comes
// back, deadlines, cancellation, truncation, back-pressure, life and death.
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

namespace llmproxy::test {
namespace {

using namespace std::chrono_literals;

/// Both ways to run a transfer; most rules hold for both.
enum class Way { perform, start };

std::string to_text(Way way) {
  return way == Way::perform ? "perform" : "start";
}

/// Runs a transfer to its end.
void run(Way way, Transport& transport, const UpstreamRequest& request,
         Recorder& recorder, const Cancelled& cancelled = {}) {
  if (way == Way::perform) {
    transport.perform(request, recorder, cancelled);
  } else {
    transport.start(request, recorder);
  }
  REQUIRE(recorder.wait_done());
  CHECK_FALSE(recorder.broken());
}

UpstreamRequest post(const std::string& url, std::string body = "{}") {
  UpstreamRequest request;
  request.url = url;
  request.headers = {{"content-type", "application/json"}};
  request.body = std::move(body);
  return request;
}

Way either_way() {
  const Way way = GENERATE(Way::perform, Way::start);
  UNSCOPED_INFO("way: " << to_text(way));
  return way;
}

TEST_CASE("a request goes out as given and the answer comes back") {
  const Way way = either_way();
  std::string head;
  std::string body;
  HttpStub stub([&](StubCall& call) {
    head = call.head();
    body = call.body();
    call.send("HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n");
    call.send(
        "HTTP/1.1 418 I'm a teapot\r\nContent-Type: text/plain\r\n"
        "X-Empty:\r\ncontent-length: 5\r\n\r\nhello");
  });
  const auto transport = make_curl_transport();
  // Large enough for libcurl to want a "100 Continue" first.
  UpstreamRequest request =
      post(stub.url() + "/v1/x?y=1", std::string(3 << 20, 'b'));
  request.headers.push_back({"x-none", ""});
  Recorder recorder;
  run(way, *transport, request, recorder);

  CHECK(recorder.succeeded());
  CHECK(recorder.status() == 418);
  CHECK(recorder.body() == "hello");
  CHECK(find_header(recorder.headers(), "content-type") == "text/plain");
  CHECK(find_header(recorder.headers(), "link").empty());
  CHECK(head.starts_with("POST /v1/x?y=1 HTTP/1.1\r\n"));
  CHECK(head.find("\r\ncontent-type: application/json\r\n") != head.npos);
  CHECK(head.find("\r\nx-none:\r\n") != head.npos);
  CHECK(head.find("\r\nUser-Agent: llmproxy/") != head.npos);
  CHECK(head.find("Expect:") == head.npos);
  CHECK(head.find("Accept-Encoding:") == head.npos);
  CHECK(body == request.body);
}

TEST_CASE("other methods") {
  const Way way = either_way();
  std::vector<std::string> heads;
  HttpStub stub([&](StubCall& call) {
    heads.push_back(call.head());
    call.send(http_answer(200, "{}"));
  });
  const auto transport = make_curl_transport();
  for (const std::string method : {"POST", "GET", "DELETE", "POST"}) {
    UpstreamRequest request = post(stub.url() + "/m", "");
    request.method = method;
    Recorder recorder;
    run(way, *transport, request, recorder);
    CHECK(recorder.body() == "{}");
    CHECK(heads.back().starts_with(method + " /m HTTP/1.1\r\n"));
  }
}

TEST_CASE("a redirect is an answer like any other") {
  const Way way = either_way();
  HttpStub elsewhere([](StubCall& call) { call.send(http_answer(200, "")); });
  HttpStub stub([&](StubCall& call) {
    call.send("HTTP/1.1 307 Any\r\nlocation: " + elsewhere.url() +
              "/\r\ncontent-length: 0\r\n\r\n");
  });
  const auto transport = make_curl_transport();
  Recorder recorder;
  run(way, *transport, post(stub.url()), recorder);
  CHECK(recorder.status() == 307);
  CHECK(elsewhere.connections() == 0);
}

TEST_CASE("a connection is used again") {
  const Way way = either_way();
  HttpStub stub([](StubCall& call) { call.send(http_answer(200, "{}")); });
  const auto transport = make_curl_transport();
  for (int i = 0; i < 5; ++i) {
    // Each from a thread of its own: the pool belongs to the transport.
    Recorder recorder;
    std::thread([&] {
      run(way, *transport, post(stub.url()), recorder);
    }).join();
    CHECK(recorder.succeeded());
  }
  CHECK(stub.requests() == 5);
  CHECK(stub.connections() == 1);
}

TEST_CASE("no more idle connections are kept than allowed") {
  std::vector<std::unique_ptr<HttpStub>> stubs;
  std::atomic<int> closed = 0;
  for (int i = 0; i < 4; ++i) {
    stubs.push_back(std::make_unique<HttpStub>([&](StubCall& call) {
      call.send(http_answer(200, "{}"));
      if (call.wait_closed()) ++closed;
    }));
  }
  CurlOptions options;
  options.max_idle_connections = 4;  // half of it for perform()
  const auto transport = make_curl_transport(options);
  for (const auto& stub : stubs) {
    Recorder recorder;
    run(Way::perform, *transport, post(stub->url()), recorder);
  }
  CHECK(eventually([&] { return closed == 2; }));
}

TEST_CASE("a kept connection that died is replaced") {
  const Way way = either_way();
  HttpStub stub([](StubCall& call) {
    // The second request arrives on the first one's connection, and gets
    // nothing: it is safe to send again.
    if (call.number() == 2) return call.close();
    call.send(http_answer(200, std::to_string(call.number())));
  });
  const auto transport = make_curl_transport();
  Recorder first;
  run(way, *transport, post(stub.url()), first);
  Recorder second;
  run(way, *transport, post(stub.url(), "again"), second);
  CHECK(second.succeeded());
  CHECK(second.body() == "3");
  CHECK(stub.connections() == 2);
}

TEST_CASE("a header that would smuggle another is refused") {
  const Way way = either_way();
  HttpStub stub([](StubCall& call) { call.send(http_answer(200, "{}")); });
  const auto transport = make_curl_transport();
  const std::array<Header, 4> bad = {
      Header{"authorization", "Bearer sk-canary\r\nx-evil: 1"},
      Header{"authorization", "Bearer sk-canary\n"},
      Header{"authorization", std::string("sk-canary\0x", 11)},
      Header{"x bad: 1\r\nname", "sk-canary"},
  };
  for (const Header& header : bad) {
    UpstreamRequest request = post(stub.url());
    request.headers.push_back(header);
    Recorder recorder;
    run(way, *transport, request, recorder);
    REQUIRE_FALSE(recorder.succeeded());
    CHECK(recorder.error().kind == ErrorKind::internal);
    CHECK(recorder.error().message.find("header") != std::string::npos);
    CHECK(recorder.error().message.find("canary") == std::string::npos);
  }
  CHECK(stub.connections() == 0);
  // The handle that was refused works for the next request.
  Recorder recorder;
  run(way, *transport, post(stub.url()), recorder);
  CHECK(recorder.succeeded());
}

TEST_CASE("only http and https URLs with a host") {
  const Way way = either_way();
  const auto transport = make_curl_transport();
  for (const std::string url :
       {"file:///etc/passwd", "ftp://127.0.0.1/", "127.0.0.1", "", "http://",
        "demo:/x", "https:///x?key=sk-canary"}) {
    CAPTURE(url);
    Recorder recorder;
    run(way, *transport, post(url), recorder);
    REQUIRE_FALSE(recorder.succeeded());
    CHECK(recorder.error().kind == ErrorKind::internal);
    CHECK(recorder.error().message.find("canary") == std::string::npos);
    CHECK(recorder.status() == 0);
  }
}

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

// --- Deadlines -------------------------------------------------------------

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

// --- Cancelling ------------------------------------------------------------

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

// --- Back-pressure ---------------------------------------------------------

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

// --- Many, and the end -----------------------------------------------------

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
}  // namespace llmproxy::test
