// The head of a request over HTTP/1.1: what is written, what of a caller's is
// left out, and what is refused. "9112 3" in a row's name is a section.
#include "client/http1_request.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

using namespace llmproxy;
using namespace std::string_literals;

namespace {

class Zeros final : public LargeBody {
 public:
  explicit Zeros(std::uint64_t size) : size_(size) {}
  std::uint64_t size() const override { return size_; }
  std::size_t read(std::uint64_t, char*, std::size_t) const override {
    return 0;
  }

 private:
  std::uint64_t size_;
};

const Http1Target kTarget{"/v1/chat?limit=3", "api.example.com:8443", ""};
const Http1Target kSigned{"/", "api.example.com", "user:pass word"};

/// Lines in a row end in "|" instead of CRLF; "!" in place of a head that
/// could not be written.
std::string written(const UpstreamRequest& request,
                    const Http1Target& target = kTarget) {
  std::string out;
  const Result<void> result = write_http1_head(request, target, "agent/1", out);
  if (!result) return "!" + result.error().message;
  std::string text;
  for (std::size_t at = 0; at < out.size(); ++at) {
    const bool end = out.compare(at, 2, "\r\n") == 0;
    if (!end) CHECK((out[at] != '\r' && out[at] != '\n'));
    text += end ? '|' : out[at];
    at += end ? 1 : 0;
  }
  return text;
}

UpstreamRequest of(const char* method, Headers headers = {},
                   const char* body = "") {
  UpstreamRequest request;
  request.method = method;
  request.headers = std::move(headers);
  request.body = body;
  return request;
}

UpstreamRequest with_large_body(const char* method, std::uint64_t size) {
  UpstreamRequest request = of(method);
  request.large_body = std::make_shared<Zeros>(size);
  return request;
}

UpstreamRequest as_it_comes(const char* method) {
  UpstreamRequest request = of(method);
  request.unpack = false;
  return request;
}

struct Row {
  const char* name;
  UpstreamRequest request;
  std::string head;
};

const std::string kHost = "Host: api.example.com:8443|";
const std::string kAgent = "User-Agent: agent/1|";
const std::string kAccept = "Accept: */*|";
const std::string kPlain = "Accept-Encoding: identity|";
const std::string kUsual = kHost + kAgent + kAccept + kPlain;
const std::string kOther = "Host: other|" + kAgent + kAccept + kPlain;

std::string line(const char* method) {
  return method + " /v1/chat?limit=3 HTTP/1.1|"s;
}

}  // namespace

TEST_CASE("a head says what is asked, of whom, and how long its body is") {
  const std::vector<Row> rows = {
      {"9112 3: with a body", of("POST", {{"a", "1"}, {"B", "2"}}, "{}"),
       line("POST") + kUsual + "a: 1|B: 2|Content-Length: 2||"},
      {"9110 8.6: POST of nothing", of("POST"),
       line("POST") + kUsual + "Content-Length: 0||"},
      {"PUT of nothing", of("PUT"),
       line("PUT") + kUsual + "Content-Length: 0||"},
      {"DELETE of nothing", of("DELETE"),
       line("DELETE") + kUsual + "Content-Length: 0||"},
      {"DELETE", of("DELETE", {}, "abc"),
       line("DELETE") + kUsual + "Content-Length: 3||"},
      {"9110 8.6: GET without a word of it", of("GET"),
       line("GET") + kUsual + "|"},
      {"HEAD", of("HEAD"), line("HEAD") + kUsual + "|"},
      {"9110 9.3.1: GET with a body", of("GET", {}, "abc"),
       line("GET") + kUsual + "Content-Length: 3||"},
      {"a large body", with_large_body("POST", std::uint64_t{5} << 32),
       line("POST") + kUsual + "Content-Length: 21474836480||"},
      {"a large body of nothing", with_large_body("GET", 0),
       line("GET") + kUsual + "Content-Length: 0||"},
      {"9110 5.5: an empty value", of("GET", {{"a", ""}, {"b", "1"}}),
       line("GET") + kUsual + "a:|b: 1||"},
      {"9110 5.3: several of a name", of("GET", {{"a", "1"}, {"A", "2"}}),
       line("GET") + kUsual + "a: 1|A: 2||"},
      {"9110 5.5: blanks, tabs, bytes above 127",
       of("GET", {{"a", "b \t c\xc3\xa9"}}),
       line("GET") + kUsual + "a: b \t c\xc3\xa9||"},
      {"9110 9.1: any method", of("x-Made.up~1", {}, "a"),
       line("x-Made.up~1") + kUsual + "Content-Length: 1||"},
      {"9112 3.2: a host in place of the URL's",
       of("GET", {{"a", "1"}, {"Host", "other"}}),
       line("GET") + kOther + "a: 1||"},
      {"of two the first", of("GET", {{"host", "other"}, {"Host", "third"}}),
       line("GET") + kOther + "|"},
      {"none", of("GET", {{"host", ""}}), line("GET") + kUsual + "|"},
      {"9112 6: framing is not the caller's",
       of("POST",
          {{"Content-Length", "5"},
           {"transfer-encoding", "chunked"},
           {"TRANSFER-ENCODING", "gzip"},
           {"Expect", "100-continue"},
           {"expectation", "kept"}},
          "{}"),
       line("POST") + kUsual + "expectation: kept|Content-Length: 2||"},
      {"nor where there is no body", of("GET", {{"content-length", "5"}}),
       line("GET") + kUsual + "|"},
      {"an agent of its own", of("GET", {{"user-Agent", "mine"}}),
       line("GET") + kHost + kAccept + kPlain + "user-Agent: mine||"},
      {"an empty one", of("GET", {{"user-agent", ""}}),
       line("GET") + kHost + kAccept + kPlain + "user-agent:||"},
      {"what it accepts", of("GET", {{"accept", "text/event-stream"}}),
       line("GET") + kHost + kAgent + kPlain + "accept: text/event-stream||"},
      {"nothing of it", of("GET", {{"accept", ""}}),
       line("GET") + kHost + kAgent + kPlain + "accept:||"},
      {"9110 12.5.3: codings", of("GET", {{"accept-encoding", "gzip, br"}}),
       line("GET") + kHost + kAgent + kAccept + "accept-encoding: gzip, br||"},
      {"any coding", of("GET", {{"accept-encoding", ""}}),
       line("GET") + kHost + kAgent + kAccept + "accept-encoding:||"},
      {"where nothing is unpacked", as_it_comes("GET"),
       line("GET") + kHost + kAgent + kAccept + "|"},
      {"only nearly the same", of("GET", {{"accept-language", "en"}}),
       line("GET") + kUsual + "accept-language: en||"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK(written(row.request) == row.head);
  }
}

TEST_CASE("a URL's user and password are sent where nothing else is") {
  const std::string start = "GET / HTTP/1.1|Host: api.example.com|";
  const std::string usual = kAgent + kAccept + kPlain;
  CHECK(written(of("GET"), kSigned) ==
        start + "Authorization: Basic dXNlcjpwYXNzIHdvcmQ=|" + usual + "|");
  CHECK(written(of("GET", {{"Authorization", "Bearer k"}}), kSigned) ==
        start + usual + "Authorization: Bearer k||");
  CHECK(written(of("GET", {{"authorization", ""}}), kSigned) ==
        start + usual + "authorization:||");
}

TEST_CASE("a head is appended") {
  std::string out = "before";
  REQUIRE(write_http1_head(of("GET"), kTarget, "agent/1", out));
  CHECK(out.starts_with("beforeGET /v1/chat?limit=3 HTTP/1.1\r\n"));
  CHECK(out.ends_with("Accept-Encoding: identity\r\n\r\n"));
}

TEST_CASE("what would break out of a header is refused, and not repeated") {
  const std::string key = "sk-canary";
  const std::vector<Header> bad = {
      {"x-key", key + "\r\nx-more: 1"},
      {"x-key", key + "\n"},
      {"x-key", "\r" + key},
      {"x-key", key + "\0"s},
      // Also those that are left out, or have a place of their own.
      {"host", key + "\r\nx-more: 1"},
      {"content-length", key + "\n"},
      {"authorization", key + "\n"},
      {"user-agent", key + "\n"},
      {"", key},
      {"x key", key},
      {"x-key:", key},
      {" x-key", key},
      {"x-key ", key},
      {"x-key\r\nx-more", key},
      {"x-key\0"s, key},
      {"x-cl\xc3\xa9", key},
      {"(x)", key},
  };
  for (const Header& header : bad) {
    CAPTURE(header.name);
    CHECK_FALSE(check_header(header));
    // Among others, the first of which may be of the same name.
    for (const Headers& headers :
         {Headers{header}, Headers{{"host", "a"}, {"x-key", "a"}, header}}) {
      const std::string said = written(of("GET", headers), kSigned);
      CHECK(said.starts_with('!'));
      CHECK(said.find(key) == std::string::npos);
      CHECK(said.find('\r') == std::string::npos);
    }
  }
}

TEST_CASE("the name of a header that is refused is said where it is one") {
  const Result<void> result = check_header({"x-key", "a\nb"});
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::internal);
  CHECK(result.error().message ==
        "the value of header \"x-key\" holds a line break or a NUL");
}

TEST_CASE("a method is a token") {
  const std::string methods[] = {"",     "G T",      "GET ",
                                 " GET", "GET\r\nx", "GET\0"s,
                                 "G:T",  "\xc3\xa9", "GET / HTTP/1.1\r\n"};
  for (const std::string& method : methods) {
    CAPTURE(method);
    UpstreamRequest request = of("GET");
    request.method = method;
    CHECK(written(request) == "!the request's method is none of HTTP");
  }
}

TEST_CASE("GET and HEAD may be sent again, and nothing else") {
  CHECK(is_repeatable(of("GET")));
  CHECK(is_repeatable(of("HEAD")));
  for (const char* method : {"POST", "PUT", "DELETE", "get", "GETS", ""}) {
    CHECK_FALSE(is_repeatable(of(method)));
  }
}
