// The transport on libcurl: what answers may be, on both ways to run a
// transfer, and what becomes of their connections.
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <string>
#include <thread>

#include "support/http_stub.h"
#include "support/packed.h"
#include "support/transport_ways.h"

namespace llmproxy::testing {
namespace {

using namespace std::chrono_literals;

constexpr int kGzip = 31;
constexpr std::size_t kBomb = 50'000'000;
constexpr std::size_t kLarge = 20'000'000;

std::string packed_answer(std::string_view coding, std::string_view body) {
  std::string out = http_answer(200, body);
  const std::string line = "content-encoding: " + std::string(coding) + "\r\n";
  return out.insert(out.find("\r\n") + 2, line);
}

struct Packed {
  std::string name;
  std::string answer;
  bool unpack;
  std::string body;  ///< empty = the transfer fails
};

TEST_CASE("packed answers are unpacked where that is wanted") {
  const Way way = either_way();
  const std::string text(100'000, 'x');
  const std::string gzip = deflated(text, kGzip);
  const std::string broken = gzip.substr(0, gzip.size() / 2) + "\x01\x02";
  const Packed row = GENERATE_COPY(
      Packed{"gzip", packed_answer("gzip", gzip), true, text},
      Packed{"in capitals", packed_answer("GZIP", gzip), true, text},
      Packed{"identity", packed_answer("identity", "as it is"), true,
             "as it is"},
      Packed{"not wanted", packed_answer("gzip", gzip), false, gzip},
      Packed{"broken", packed_answer("gzip", broken + broken), true, ""},
      Packed{"unknown", packed_answer("snappy", gzip), true, ""});
  CAPTURE(row.name);
  HttpStub stub([&](StubCall& call) { call.send(row.answer); });
  const auto transport = make_curl_transport();
  UpstreamRequest request = post(stub.url());
  request.unpack = row.unpack;
  Recorder recorder;
  run(way, *transport, request, recorder);
  CHECK(recorder.succeeded() == !row.body.empty());
  if (recorder.succeeded()) {
    CHECK(recorder.body() == row.body);
  } else {
    CHECK(recorder.error().kind == ErrorKind::upstream_malformed);
  }
}

TEST_CASE("beside chunks a length says nothing") {
  const Way way = either_way();
  HttpStub stub([](StubCall& call) {
    call.send(
        "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n"
        "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
  });
  const auto transport = make_curl_transport();
  Recorder recorder;
  run(way, *transport, post(stub.url()), recorder);
  CHECK(recorder.succeeded());
  CHECK(recorder.body() == "hello");
  CHECK(find_header(recorder.headers(), "content-length").empty());
}

TEST_CASE("what perform() unpacks is whole, or an error") {
  const std::string gzip = deflated(std::string(1000, 'x'), kGzip);
  HttpStub stub([&](StubCall& call) {
    call.send(packed_answer("gzip", gzip.substr(0, gzip.size() - 4)));
  });
  const auto transport = make_curl_transport();
  Recorder recorder;
  run(Way::perform, *transport, post(stub.url()), recorder);
  CHECK(recorder.error().kind == ErrorKind::upstream_malformed);
}

TEST_CASE("a handler stops a packed answer that becomes too much") {
  const Way way = either_way();
  const std::string gzip = deflated(std::string(kBomb, '\0'), kGzip);
  HttpStub stub([&](StubCall& call) {
    call.send(packed_answer("gzip", gzip));
    call.wait_closed();
  });
  const auto transport = make_curl_transport();
  Recorder recorder;
  std::atomic<std::size_t> seen = 0;
  recorder.react = [&](std::string_view bytes) {
    seen += bytes.size();
    return seen > 100'000 ? Flow::stop : Flow::go_on;
  };
  run(way, *transport, post(stub.url()), recorder);
  CHECK(recorder.error().kind == ErrorKind::cancelled);
  CHECK(seen < 200'000);
}

// A server that refuses a large request need not read it.
TEST_CASE("an answer that comes before the request was read is heard") {
  const Way way = either_way();
  const bool closes = GENERATE(false, true);
  // A stub of its own: HttpStub reads the whole request first.
  const auto [listener, port] = bound_socket();
  REQUIRE(::listen(listener, 1) == 0);
  std::thread server([&, listener_socket = listener] {
    const int client = ::accept(listener_socket, nullptr, nullptr);
    char byte = 0;
    (void)::recv(client, &byte, 1, 0);
    const std::string answer = http_answer(413, "too large");
    (void)::send(client, answer.data(), answer.size(), MSG_NOSIGNAL);
    if (closes) ::shutdown(client, SHUT_WR);
    // What is unread when a socket closes makes it a reset, and whether the
    // answer is heard then is for the kernels to say: all is read.
    std::string rest(1 << 16, '\0');
    while (::recv(client, rest.data(), rest.size(), 0) > 0) {
    }
    ::close(client);
  });
  const auto transport = make_curl_transport();
  Recorder recorder;
  run(way, *transport,
      post("http://127.0.0.1:" + std::to_string(port),
           std::string(kLarge, 'x')),
      recorder);
  server.join();
  ::close(listener);
  CHECK(recorder.status() == 413);
  CHECK(recorder.body() == "too large");
}

struct Kept {
  std::string name;
  std::string first;  ///< the answer to the first request
  int connections;    ///< that two requests take
};

TEST_CASE(
    "a connection is kept after an answer that ended, and after no other") {
  const Way way = either_way();
  const std::string whole = http_answer(200, "{}");
  const auto with = [&](const std::string& line) {
    std::string out = whole;
    return out.insert(out.find("\r\n") + 2, line + "\r\n");
  };
  const Kept row = GENERATE_COPY(
      Kept{"length", whole, 1},
      Kept{"chunks", chunked_head() + chunk("x") + std::string(kLastChunk), 1},
      Kept{"no body", "HTTP/1.1 204 No Content\r\n\r\n", 1},
      Kept{"interim heads first",
           "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" +
               whole,
           1},
      Kept{"close", with("connection: close"), 2},
      Kept{"bytes behind it", whole + "HTTP/1.1 200 OK\r\n\r\n", 2});
  CAPTURE(row.name);
  HttpStub stub([&](StubCall& call) {
    call.send(call.number() == 1 ? row.first : whole);
  });
  const auto transport = make_curl_transport();
  for (int i = 0; i < 2; ++i) {
    Recorder recorder;
    run(way, *transport, post(stub.url()), recorder);
    CHECK(recorder.succeeded());
  }
  CHECK(stub.connections() == row.connections);
}

TEST_CASE("a question that changes nothing is asked again") {
  const Way way = either_way();
  HttpStub stub([](StubCall& call) {
    if (call.number() == 2) return call.close();
    call.send(http_answer(200, std::to_string(call.number())));
  });
  const auto transport = make_curl_transport();
  UpstreamRequest request = post(stub.url(), "");
  request.method = "GET";
  for (const char* expected : {"1", "3"}) {
    Recorder recorder;
    run(way, *transport, request, recorder);
    CHECK(recorder.body() == expected);
  }
  CHECK(stub.requests() == 3);
}

TEST_CASE("a large body is sent whole, whatever its size") {
  const Way way = either_way();
  const std::size_t size = GENERATE(16'384U, 16'385U, 300'000U, 8'000'000U);
  const std::string body(size, 'b');
  std::atomic<bool> same = false;
  HttpStub stub([&](StubCall& call) {
    same = call.body() == body;
    call.send(http_answer(200, "{}"));
  });
  const auto transport = make_curl_transport();
  Recorder recorder;
  run(way, *transport, post(stub.url(), body), recorder);
  CHECK(recorder.succeeded());
  CHECK(same);
}

TEST_CASE("a head that fills the socket is followed by its body") {
  const Way way = either_way();
  const std::string body(20'000, 'b');
  std::atomic<bool> same = false;
  HttpStub stub([&](StubCall& call) {
    same = call.body() == body;
    call.send(http_answer(200, "{}"));
  });
  const auto transport = make_curl_transport();
  UpstreamRequest request = post(stub.url(), body);
  request.headers.push_back({"x-long", std::string(90'000, 'h')});
  Recorder recorder;
  run(way, *transport, request, recorder);
  CHECK(recorder.succeeded());
  CHECK(same);
}

TEST_CASE("a connection that the request ends is not kept") {
  HttpStub stub([](StubCall& call) { call.send(http_answer(200, "{}")); });
  const auto transport = make_curl_transport();
  UpstreamRequest request = post(stub.url());
  request.headers.push_back({"connection", "close"});
  for (int i = 0; i < 2; ++i) {
    Recorder recorder;
    run(Way::perform, *transport, request, recorder);
    CHECK(recorder.succeeded());
  }
  CHECK(stub.connections() == 2);
}

TEST_CASE("a coding of no body is no fault") {
  const Way way = either_way();
  HttpStub stub([](StubCall& call) {
    call.send("HTTP/1.1 204 No Content\r\ncontent-encoding: snappy\r\n\r\n");
  });
  const auto transport = make_curl_transport();
  Recorder recorder;
  run(way, *transport, post(stub.url()), recorder);
  CHECK(recorder.status() == 204);
  if (way == Way::perform) CHECK(recorder.succeeded());
}

}  // namespace
}  // namespace llmproxy::testing
