// The curl transport against a loopback stub: what goes out, what comes back,
// and which connections it uses.
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
#include "support/text_body.h"
#include "support/transport_ways.h"

namespace llmproxy::testing {
namespace {

using namespace std::chrono_literals;

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
  CHECK(head.find("\r\nAccept-Encoding: identity\r\n") != head.npos);
  CHECK(body == request.body);
}

TEST_CASE("a large body is read as it is sent") {
  const Way way = either_way();
  std::string head;
  std::string body;
  HttpStub stub([&](StubCall& call) {
    head = call.head();
    body = call.body();
    call.send(http_answer(200, "{}"));
  });
  const auto transport = make_curl_transport();
  std::string text;
  while (text.size() < 300'000) text += std::to_string(text.size());
  for (int i = 0; i < 2; ++i) {
    UpstreamRequest request = post(stub.url() + "/v1/x", "");
    request.large_body = std::make_shared<TextBody>(text, 1000 + i);
    Recorder recorder;
    run(way, *transport, request, recorder);
    CHECK(recorder.succeeded());
    CHECK(body == text);
    CHECK(head.find("\r\nContent-Length: " + std::to_string(text.size()) +
                    "\r\n") != head.npos);
    // The handle is used again for what is in memory.
    Recorder small;
    run(way, *transport, post(stub.url() + "/v1/x", "small"), small);
    CHECK(small.succeeded());
    CHECK(body == "small");
  }
}

TEST_CASE("a large body that cannot be read ends the transfer") {
  const Way way = either_way();
  HttpStub stub([](StubCall& call) { call.wait_closed(); });
  const auto transport = make_curl_transport();
  UpstreamRequest request = post(stub.url() + "/v1/x", "");
  request.large_body =
      std::make_shared<TextBody>(std::string(1 << 20, 'x'), 4096, 500'000);
  Recorder recorder;
  run(way, *transport, request, recorder);
  REQUIRE(recorder.done());
  CHECK_FALSE(recorder.succeeded());
  CHECK(recorder.error().kind == ErrorKind::internal);
  CHECK(recorder.error().message.find("could not be read") !=
        std::string::npos);
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

TEST_CASE("a question for the head waits for no body") {
  const Way way = either_way();
  std::vector<std::string> heads;
  HttpStub stub([&](StubCall& call) {
    heads.push_back(call.head());
    const bool whole = !heads.back().starts_with("HEAD");
    call.send("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n" +
              std::string(whole ? "hello" : ""));
  });
  const auto transport = make_curl_transport();
  for (const std::string method : {"POST", "HEAD", "GET", "HEAD", "POST"}) {
    UpstreamRequest request = post(stub.url() + "/m", "");
    request.method = method;
    Recorder recorder;
    run(way, *transport, request, recorder);
    CHECK(recorder.succeeded());
    CHECK(recorder.body() == (method == "HEAD" ? "" : "hello"));
    CHECK(find_header(recorder.headers(), "content-length") == "5");
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

TEST_CASE("a request that a kept connection drops is not sent twice") {
  const Way way = either_way();
  HttpStub stub([](StubCall& call) {
    // The second request arrives whole on the first one's connection and gets
    // nothing: it may be at work, and a model call is paid for.
    if (call.number() == 2) return call.close();
    call.send(http_answer(200, std::to_string(call.number())));
  });
  const auto transport = make_curl_transport();
  Recorder first;
  run(way, *transport, post(stub.url()), first);
  CHECK(first.succeeded());
  Recorder second;
  run(way, *transport, post(stub.url(), "again"), second);
  CHECK_FALSE(second.succeeded());
  CHECK(stub.requests() == 2);
  Recorder third;
  run(way, *transport, post(stub.url(), "more"), third);
  CHECK(third.body() == "3");
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
        "demo:/x", "https:///x?key=sk-canary",
        // What libcurl may read as another host than we do.
        "http://127.0.0.1\\@localhost/?sk-canary", "http://127.0.0.1 /",
        "http://127.0.0.1/\tsk-canary"}) {
    CAPTURE(url);
    Recorder recorder;
    run(way, *transport, post(url), recorder);
    REQUIRE_FALSE(recorder.succeeded());
    CHECK(recorder.error().kind == ErrorKind::internal);
    CHECK(recorder.error().message.find("canary") == std::string::npos);
    CHECK(recorder.status() == 0);
  }
  // A NUL ends the text for libcurl, which would connect with another host
  // than the one whose connection is kept.
  using namespace std::string_literals;
  Recorder recorder;
  run(way, *transport, post("http://127.0.0.1\0@localhost/"s), recorder);
  CHECK(recorder.error().kind == ErrorKind::internal);
}

}  // namespace
}  // namespace llmproxy::testing
