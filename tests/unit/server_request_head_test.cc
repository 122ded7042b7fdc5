// What passes for the head of a request, and how its body is framed.
#include <catch2/catch.hpp>
#include <string>

#include "server/request_head.h"

using namespace llmproxy;

namespace {

HeadState scanned(std::string_view bytes, const HeadLimits& limits = {}) {
  HeadScanner scanner(limits);
  return scanner.scan(bytes);
}

const std::string kHead =
    "POST /v1/messages?beta=true HTTP/1.1\r\n"
    "Host: localhost\r\n"
    "X-Empty:\r\n"
    "Content-Length: 2\r\n\r\n";

}  // namespace

TEST_CASE("a head is found in whatever pieces it comes") {
  for (std::size_t split = 0; split <= kHead.size(); ++split) {
    HeadScanner scanner(HeadLimits{});
    const HeadState first = scanner.scan(kHead.substr(0, split));
    REQUIRE(first == (split == kHead.size() ? HeadState::complete
                                            : HeadState::incomplete));
    if (first == HeadState::incomplete) {
      REQUIRE(scanner.scan(kHead + "{}") == HeadState::complete);
    }
    REQUIRE(scanner.size() == kHead.size());
  }
}

TEST_CASE("what is not HTTP is said so before it is complete") {
  const char* const malformed[] = {
      "\x16\x03\x01\x02\n",
      "GET / HTTP/1.1\n",
      "GET /\r\n",
      "GET  / HTTP/1.1\r\n",
      "GET / HTTP/1.1 \r\n",
      "GET /\xc3\xa9 HTTP/1.1\r\n",
      "GET /\x01 HTTP/1.1\r\n",
      "GET / HTTP/1.1\r\nno colon\r\n",
      "GET / HTTP/1.1\r\n: no name\r\n",
      "GET / HTTP/1.1\r\nname : space\r\n",
      "GET / HTTP/1.1\r\nname: a\r\n folded\r\n",
      "GET / HTTP/1.1\r\nname: a\rb\r\n",
      "GET / HTTP/1.1\r\nname: a\n",
      "\r\n",
      "\n",
  };
  for (const char* text : malformed) {
    INFO(text);
    CHECK(scanned(text) == HeadState::malformed);
  }
  CHECK(scanned(std::string("GET / HTTP/1.1\r\na: \0\r\n", 22)) ==
        HeadState::malformed);
}

TEST_CASE("a head has bounds, complete or not") {
  const HeadLimits limits{
      .request_line = 30, .header_line = 20, .headers = 3, .total = 80};
  const std::string line = "GET /2345678901234567 HTTP/1.1";
  REQUIRE(line.size() == 30);
  CHECK(scanned(line + "\r\n\r\n", limits) == HeadState::complete);
  CHECK(scanned(line + "x", limits) == HeadState::request_line_too_long);
  CHECK(scanned("GET /23456789012345678 HTTP/1.1\r\n\r\n", limits) ==
        HeadState::request_line_too_long);
  CHECK(scanned(line + "\r\nname: 78901234567890\r\n\r\n", limits) ==
        HeadState::complete);
  CHECK(scanned(line + "\r\nname: 789012345678901", limits) ==
        HeadState::too_large);
  CHECK(scanned("GET / HTTP/1.1\r\na: 1\r\nb: 2\r\nc: 3\r\n\r\n", limits) ==
        HeadState::complete);
  CHECK(scanned("GET / HTTP/1.1\r\na: 1\r\nb: 2\r\nc: 3\r\nd: 4\r\n", limits) ==
        HeadState::too_large);
  CHECK(scanned(line + "\r\na: 45678901234567890\r\nb: 45678901234567890\r\n" +
                    "c: 45678901234567890\r\n\r\n",
                limits) == HeadState::too_large);
}

TEST_CASE("a body's length is what one clear header says") {
  CHECK(body_framing({})->length == 0);
  CHECK(body_framing({{"content-length", "17"}})->length == 17);
  CHECK(body_framing({{"Content-Length", "17"}, {"content-length", "17"}})
            ->length == 17);
  CHECK(body_framing({{"Transfer-Encoding", "Chunked"}})->chunked);
}

TEST_CASE("headers that leave a body's length open are refused") {
  const Headers unclear[] = {
      {{"content-length", "1"}, {"content-length", "2"}},
      {{"content-length", "1"}, {"transfer-encoding", "chunked"}},
      {{"transfer-encoding", "gzip, chunked"}},
      {{"transfer-encoding", "identity"}},
      {{"transfer-encoding", "chunked"}, {"transfer-encoding", "chunked"}},
      {{"content-length", "-1"}},
      {{"content-length", "+1"}},
      {{"content-length", "0x10"}},
      {{"content-length", "1, 1"}},
      {{"content-length", "99999999999999999999"}},
  };
  for (const Headers& headers : unclear) {
    INFO(headers.front().value);
    CHECK_FALSE(body_framing(headers));
  }
}

TEST_CASE("a head is taken apart") {
  const auto line = parse_head(
      "POST /v1/a%20b?x=1?y HTTP/1.0\r\nHost:h\r\nempty:\r\n"
      "a: \t spaced out \t\r\n\r\n");
  REQUIRE(line);
  CHECK(line->http10);
  CHECK(line->request.method == "POST");
  CHECK(line->request.path == "/v1/a%20b");
  CHECK(line->request.query == "x=1?y");
  CHECK(line->request.headers ==
        Headers{{"Host", "h"}, {"empty", ""}, {"a", "spaced out"}});
  CHECK(parse_head("GET / HTTP/1.1\r\n\r\n")->request.headers.empty());
  for (const char* head :
       {"GET / HTTP/1.2\r\n\r\n", "GET / http/1.1\r\n\r\n",
        "get / HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\n"}) {
    CAPTURE(head);
    CHECK_FALSE(parse_head(head));
  }
}

TEST_CASE("tokens are found in lists") {
  const Headers headers{{"Connection", "keep-alive, Upgrade"},
                        {"connection", " close "}};
  CHECK(header_has_token(headers, "connection", "upgrade"));
  CHECK(header_has_token(headers, "connection", "close"));
  CHECK(header_has_token(headers, "CONNECTION", "Keep-Alive"));
  CHECK_FALSE(header_has_token(headers, "connection", "keep"));
  CHECK_FALSE(header_has_token({{"connection", ""}}, "connection", "close"));
}
