// Requests over real sockets: every way to send one, and what is refused.
#include <atomic>

#include "server_http_client.h"

using namespace llmproxy;
using namespace llmproxy::test;

TEST_CASE("a connection serves one request after another") {
  Served served(echo);
  Client client(served);
  for (int i = 0; i < 3; ++i) {
    client.send("GET /v1/models?limit=" + std::to_string(i) +
                " HTTP/1.1\r\nhost: x\r\n\r\n");
    CHECK(client.answer().ends_with(
        "GET /v1/models?limit=" + std::to_string(i) + " []"));
  }
  client.send("DELETE /a HTTP/1.1\r\nhost: x\r\nConnection: Close\r\n\r\n");
  const std::string last = client.rest();
  CHECK(last.find("connection: close\r\n") != std::string::npos);
  CHECK(last.ends_with("DELETE /a? []"));
}

TEST_CASE("requests sent ahead are answered in order") {
  Served served(echo);
  Client client(served);
  client.send(
      "POST /1 HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\none\r\n"
      "POST /2 HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
      "1\r\nt\r\n2;x=y\r\nwo\r\n0\r\ntrailer: t\r\n\r\n"
      "GET /3 HTTP/1.1\r\nhost: x\r\n\r\n");
  CHECK(client.answer().ends_with("POST /1? [one]"));
  CHECK(client.answer().ends_with("POST /2? [two]"));
  CHECK(client.answer().ends_with("GET /3? []"));
}

TEST_CASE("a request may come byte by byte") {
  Served served(echo);
  Client client(served);
  for (const char byte :
       std::string("POST /b HTTP/1.1\r\nhost: x\r\nTransfer-Encoding: "
                   "chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"))
    client.send(std::string(1, byte));
  CHECK(client.answer().ends_with("POST /b? [abc]"));
}

TEST_CASE("a client that ended its side still gets its answer") {
  Served served(echo);
  Client client(served);
  client.send("GET /half HTTP/1.1\r\nhost: x\r\n\r\n");
  client.end_sending();
  CHECK(client.rest().ends_with("GET /half? []"));
}

TEST_CASE("headers arrive as they were sent") {
  Headers seen;
  Served served([&](const HttpRequest& request, ResponseSink& sink) {
    seen = request.headers;
    echo(request, sink);
  });
  Client client(served);
  // Not decoded, not sorted, none left out.
  std::string range = "bytes=0-";
  while (range.size() < 7000) range += ",0-";
  client.send(
      "GET /a%2Fb?c=%20 HTTP/1.1\r\nhost: x\r\nAuthorization: Bearer a%41%0d%0a"
      "x: y\r\nRange: " +
      range +
      "\r\nrange: nonsense\r\n"
      "Content-Encoding: gzip\r\nX-Twice: 1\r\nx-twice: 2\r\n\r\n");
  CHECK(client.answer().ends_with("GET /a%2Fb?c=%20 []"));
  CHECK(seen == Headers{{"host", "x"},
                        {"Authorization", "Bearer a%41%0d%0ax: y"},
                        {"Range", range},
                        {"range", "nonsense"},
                        {"Content-Encoding", "gzip"},
                        {"X-Twice", "1"},
                        {"x-twice", "2"}});
}

TEST_CASE("every method and kind of body reaches the handler") {
  Served served(echo);
  Client client(served);
  for (const char* method : {"POST", "PUT", "PATCH", "DELETE", "OPTIONS"}) {
    client.send(std::string(method) +
                " /m HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n"
                "content-type: multipart/form-data; boundary=b\r\n\r\nx");
    CHECK(client.answer().ends_with(std::string(method) + " /m? [x]"));
  }
  // What `curl -d` calls its body; cpp-httplib refuses more than 8 KiB.
  const std::string large(100'000, 'f');
  client.send(
      "POST /f HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n"
      "content-type: application/x-www-form-urlencoded\r\n\r\n" +
      large);
  CHECK(client.answer().ends_with("POST /f? [" + large + "]"));
  client.send(
      "HEAD /h HTTP/1.1\r\nhost: x\r\n\r\nGET /g HTTP/1.1\r\nhost: x\r\n\r\n");
  CHECK(client.until("\r\n\r\n").find("content-length: 11\r\n") !=
        std::string::npos);
  CHECK(client.answer().ends_with("GET /g? []"));
}

TEST_CASE("HTTP/1.0 ends with the connection unless it asks otherwise") {
  Served served(echo);
  {
    Client client(served);
    client.send("GET /old HTTP/1.0\r\n\r\n");
    CHECK(client.rest().starts_with("HTTP/1.0 200 OK\r\n"));
  }
  Client client(served);
  for (int i = 0; i < 2; ++i) {
    client.send("GET /kept HTTP/1.0\r\nconnection: keep-alive\r\n\r\n");
    CHECK(client.answer().find("connection: keep-alive\r\n") !=
          std::string::npos);
  }
}

TEST_CASE("Expect: 100-continue is answered before the body is read") {
  HttpServerOptions options;
  options.body.bytes = 100;
  Served served(echo, options);
  {
    Client client(served);
    client.send(
        "POST /e HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n"
        "content-length: 2\r\n\r\n");
    CHECK(client.until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("ok");
    CHECK(client.answer().ends_with("POST /e? [ok]"));
  }
  Client client(served);
  client.send(
      "POST /e HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n"
      "content-length: 101\r\n\r\n");
  CHECK(client.until("\r\n").starts_with("HTTP/1.1 413 "));
}

TEST_CASE("what is not a request is refused, in the dialect of the path") {
  struct Case {
    std::string sent;
    int status;
    std::string answered;  ///< part of the body
  };
  const std::string chunked =
      " HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
  std::string headers;
  for (int i = 0; i < 101; ++i) headers += "a: b\r\n";
  const Case cases[] = {
      {"\x16\x03\x01\r\n", 400, "error"},
      {"NONSENSE / HTTP/1.1\r\nhost: x\r\n\r\n", 400, "error"},
      {"GET / HTTP/2.0\r\n\r\n", 400, "error"},
      {"GET /" + std::string(8100, 'p') + " HTTP/1.1\r\nhost: x\r\n\r\n", 414,
       "error"},
      {"GET / HTTP/1.1\r\nhost: x\r\n" + headers + "\r\n", 431, "error"},
      {"GET / HTTP/1.1\r\nhost: x\r\na: " + std::string(9000, 'h'), 431,
       "error"},
      {"POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: x\r\n\r\n",
       400, "\"type\":\"error\""},
      {"POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n"
       "transfer-encoding: chunked\r\n\r\n0\r\n\r\n",
       400, "send one of them"},
      {"POST /v1/messages" + chunked + "x\r\n", 400, "chunks"},
      {"POST /v1/messages" + chunked + "-1\r\n", 400, "chunks"},
      {"POST /v1/messages" + chunked + "1\r\nab\r\n", 400, "chunks"},
      {"POST /v1/messages" + chunked + std::string(5000, '0'), 400, "chunks"},
      {"POST /v1/messages" + chunked + "fffffffffffffff\r\n", 413,
       "request_too_large"},
      {"POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 5000\r\n\r\n",
       413, "larger than 1000 bytes"},
      {"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: "
       "5000\r\n\r\n",
       413, "larger than 1000 bytes"},
  };
  HttpServerOptions options;
  options.body.bytes = 1000;
  Served served(echo, options);
  for (const Case& each : cases) {
    Client client(served);
    client.send(each.sent);
    const std::string head = client.until("\r\n\r\n");
    client.end_sending();
    const std::string body = client.rest();
    INFO(each.sent.substr(0, 200) << "\n" << head << body);
    CHECK(head.starts_with("HTTP/1.1 " + std::to_string(each.status) + " "));
    CHECK(head.find("content-type: application/json") != std::string::npos);
    CHECK(head.find("connection: close") != std::string::npos);
    CHECK(body.find(each.answered) != std::string::npos);
  }
  const auto records = served.observer.records();
  REQUIRE(records.size() == std::size(cases));
  CHECK(records.back().status == 413);
  CHECK(records.back().path == "/v1/chat/completions");
  CHECK(records.back().outcome == "request_too_large");
}

TEST_CASE("too large a body is answered even while it is still being sent") {
  HttpServerOptions options;
  options.body.bytes = 1000;
  Served served(echo, options);
  Client client(served);
  client.send(
      "POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: "
      "2000000\r\n\r\n");
  for (int i = 0; i < 20; ++i) client.send(std::string(100'000, 'b'));
  client.end_sending();
  CHECK(client.rest().starts_with("HTTP/1.1 413 "));
  CHECK_FALSE(client.was_reset());
}

TEST_CASE("who sends too slowly is not waited for") {
  HttpServerOptions options;
  options.idle = 50ms;
  options.head_time = 50ms;
  options.body.silence = 50ms;
  options.linger = 50ms;
  Served served(echo, options);
  SECTION("nothing at all: closed without a word") {
    Client client(served);
    CHECK(client.rest().empty());
  }
  SECTION("nothing after an answer") {
    Client client(served);
    client.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    CHECK(client.answer().ends_with("GET /? []"));
    CHECK(client.rest().empty());
  }
  SECTION("a head that trickles") {
    Client client(served);
    client.send("GET / HTTP/1.1\r\nhost: x\r\n");
    // Bytes keep coming; the deadline is for the whole head.
    while (client.send("a: b\r\n")) std::this_thread::sleep_for(1ms);
    CHECK(client.until("\r\n").starts_with("HTTP/1.1 408 "));
  }
  SECTION("a body that stops") {
    Client client(served);
    client.send("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf");
    CHECK(client.until("\r\n").starts_with("HTTP/1.1 408 "));
  }
}

TEST_CASE("a body that trickles forever is not waited for") {
  HttpServerOptions options;
  options.body.silence = 100ms;
  options.body.rate = 1'000'000;
  options.linger = 50ms;
  Served served(echo, options);
  Client client(served);
  client.send("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10000000\r\n\r\n");
  while (client.send("x")) std::this_thread::sleep_for(2ms);
  CHECK(client.until("\r\n").starts_with("HTTP/1.1 408 "));
}

TEST_CASE("a body that was fast earns no long wait for its last byte") {
  HttpServerOptions options;
  options.body.silence = 200ms;
  options.linger = 50ms;
  Served served(echo, options);
  Client client(served);
  // At 1024 bytes a second, on average, this would be worth a minute.
  client.send("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n" +
              std::string(60'000, 'x'));
  // Never silent for as long as is allowed.
  while (client.send("x")) std::this_thread::sleep_for(20ms);
  CHECK(client.until("\r\n").starts_with("HTTP/1.1 408 "));
}

TEST_CASE("all bodies together hold no more than their budget") {
  ByteBudget budget(1500);
  HttpServerOptions options;
  options.budget = &budget;
  options.linger = 50ms;
  Served served(echo, options);
  const std::string head =
      "POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n";
  Client first(served);
  first.send(head + std::string(900, 'x'));
  // Counted as it arrives, not as it is announced.
  REQUIRE(eventually([&] { return budget.held() == 900; }));
  {
    Client second(served);
    second.send(head + std::string(1000, 'y'));
    const std::string answer = second.rest();
    CHECK(answer.starts_with("HTTP/1.1 503 "));
    CHECK(answer.find("retry-after: 1\r\n") != std::string::npos);
    CHECK(answer.find("\"type\":\"error\"") != std::string::npos);
  }
  CHECK(budget.held() == 900);
  first.send(std::string(100, 'x'));
  CHECK(first.answer().find("200 OK") != std::string::npos);
  CHECK(eventually([&] { return budget.held() == 0; }));
  // Chunks count too, and a client that leaves gives back what it held.
  {
    Client third(served);
    third.send(
        "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
        "5\r\nabcde\r\n");
    REQUIRE(eventually([&] { return budget.held() == 5; }));
  }
  CHECK(eventually([&] { return budget.held() == 0; }));
}

TEST_CASE("who may not come in is told so before the body is read") {
  std::atomic<int> asked = 0;
  std::atomic<int> handled = 0;
  HttpServerOptions options;
  options.linger = 50ms;
  options.admit = [&](const HttpRequest& head, ResponseSink& sink) {
    ++asked;
    if (head.path == "/in") return true;
    sink.start(401, {{"content-length", "2"}});
    sink.write("no");
    sink.finish();
    return false;
  };
  Served served(
      [&](const HttpRequest& request, ResponseSink& sink) {
        ++handled;
        echo(request, sink);
      },
      options);
  const std::string length = " HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n";
  {
    Client client(served);
    client.send("POST /out" + length + "expect: 100-continue\r\n\r\n");
    const std::string answer = client.rest();
    CHECK(answer.starts_with("HTTP/1.1 401 "));
    CHECK(answer.find("connection: close\r\n") != std::string::npos);
    CHECK(answer.ends_with("no"));
  }
  CHECK(handled == 0);
  Client client(served);
  client.send("POST /in" + length + "\r\n");
  REQUIRE(eventually([&] { return asked == 2; }));
  client.send("body");
  CHECK(client.answer().ends_with("POST /in? [body]"));
  // What is there already is for the handler to refuse.
  client.send("POST /out" + length + "\r\nbody");
  CHECK(client.answer().ends_with("POST /out? [body]"));
  CHECK(asked == 2);
}
