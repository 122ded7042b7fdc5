// What passes for the head of a request, and how its body is framed.
#include <catch2/catch.hpp>
#include <string>

#include "server/request_head.h"
#include "server/request_target.h"

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

TEST_CASE("a head is judged the same, however it arrives") {
  const HeadLimits limits{
      .request_line = 30, .header_line = 20, .headers = 3, .total = 80};
  const std::string line = "GET /2345678901234567 HTTP/1.1";
  for (const std::string& head :
       {line + "\r\nname: 78901234567890\r\n\r\n",  // all lines of the most
        line + "\r\nname: 789012345678901\n",       // two faults in one
        line + "x\n", line + "\r\n" + std::string(90, 'a') + "\n"}) {
    HeadScanner bytewise(limits);
    HeadState state = HeadState::incomplete;
    for (std::size_t size = 1;
         size <= head.size() && state == HeadState::incomplete; ++size) {
      state = bytewise.scan(std::string_view(head).substr(0, size));
    }
    CHECK(state == scanned(head, limits));
  }
}

TEST_CASE("a body's length is what one clear header says") {
  CHECK(body_framing({}, false)->empty());
  CHECK(body_framing({{"content-length", "17"}}, true)->length == 17);
  CHECK(
      body_framing({{"Content-Length", "17"}, {"content-length", "17"}}, false)
          ->length == 17);
  const Headers chunked{{"Transfer-Encoding", "Chunked"}};
  CHECK(body_framing(chunked, false)->chunked);
  CHECK_FALSE(body_framing(chunked, true));
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
    CHECK_FALSE(body_framing(headers, false));
  }
}

TEST_CASE("a head is taken apart") {
  RequestLine line;
  REQUIRE(
      parse_head("POST /v1/a%20b?x=1?y HTTP/1.0\r\nHost:h\r\nempty:\r\n"
                 "a: \t spaced out \t\r\n\r\n",
                 "", line));
  CHECK(line.http10);
  CHECK_FALSE(line.keep_alive);
  CHECK(line.request.method == "POST");
  CHECK(line.request.path == "/v1/a%20b");
  CHECK(line.request.query == "x=1?y");
  CHECK(line.request.headers ==
        Headers{{"Host", "h"}, {"empty", ""}, {"a", "spaced out"}});
  for (const char* head :
       {"GET / HTTP/1.2\r\nhost: h\r\n\r\n",
        "GET / http/1.1\r\nhost: h\r\n\r\n",
        "get / HTTP/1.1\r\nhost: h\r\n\r\n", "PRI * HTTP/2.0\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n"}) {
    CAPTURE(head);
    RequestLine none;
    CHECK_FALSE(parse_head(head, "", none));
  }
}

TEST_CASE("a target is a path, a URL of ours, or an asterisk") {
  struct Case {
    const char* method;
    const char* text;
    const char* path;
    const char* query;
    const char* authority;
  };
  const Case taken[] = {
      {"GET", "/a?b=c?d", "/a", "b=c?d", ""},
      {"GET", "http://h:1/a?b", "/a", "b", "h:1"},
      {"GET", "HTTPS://h?b", "/", "b", "h"},
      {"GET", "http://h", "/", "", "h"},
      {"OPTIONS", "*", "*", "", ""},
      {"OPTIONS", "http://h", "*", "", "h"},
      {"OPTIONS", "http://h/", "/", "", "h"},
  };
  for (const Case& row : taken) {
    CAPTURE(row.text);
    const auto target = parse_target(row.method, row.text);
    REQUIRE(target);
    CHECK(target->path == row.path);
    CHECK(target->query == row.query);
    CHECK(target->authority == row.authority);
  }
  for (const char* text :
       {"", "a", "a/b", "?a", "*", "#", "/#", "/a?b#c", "http:/h/", "http://",
        "http:///a", "http://u@h/", "http://h:x/", "http://[::1/", "ftp://h/",
        "//h#a", "h:80", "anthropic/@127.0.0.1:1/x", "\\h"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_target("GET", text));
  }
}

TEST_CASE("an absolute target says whose request it is") {
  const auto host_of = [](const char* text, Headers headers) {
    RequestTarget target;
    target.authority = text;
    const auto settled = settle_host(target, false, "proxy.lan", headers);
    return settled ? std::string(find_header(headers, "host")) : "refused";
  };
  CHECK(host_of("", {{"Host", "any"}}) == "any");
  CHECK(host_of("localhost:1", {{"Host", "any"}}) == "localhost:1");
  CHECK(host_of("Proxy.LAN", {{"Host", "any"}}) == "Proxy.LAN");
  CHECK(host_of("any", {{"Host", "any"}}) == "any");
  CHECK(host_of("other", {{"Host", "any"}}) == "refused");
  CHECK(host_of("localhost", {}) == "refused");
  CHECK(host_of("", {{"Host", "any"}, {"host", "any"}}) == "refused");
}

TEST_CASE("headers of the connection end with it") {
  Headers headers = {{"A", "1"},       {"Connection", "close, a ,, b"},
                     {"b", "2"},       {"host", "h"},
                     {"upgrade", "u"}, {"connection", "Host, upgrade"},
                     {"c", "3"}};
  drop_connection_headers(headers);
  CHECK(headers == Headers{{"Connection", "close, a ,, b"},
                           {"host", "h"},
                           {"upgrade", "u"},
                           {"connection", "Host, upgrade"},
                           {"c", "3"}});
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
