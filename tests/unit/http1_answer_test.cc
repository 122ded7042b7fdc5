// What passes for the head of an answer over HTTP/1.1. Values come from RFC
// 9112 and RFC 9110; "9112 6.3" in a row's name is a section.
#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "http1_rows.h"

using namespace llmproxy;
using namespace llmproxy::testing;
using namespace std::string_literals;

TEST_CASE("status lines of HTTP/1 are read, and nothing else") {
  const std::string empty = "content-length: 0||";
  const std::string told = "200 {content-length: 0} '' ";
  check_rows({
      {"9112 4", "HTTP/1.1 200 OK|" + empty, told + "kept"},
      {"9112 9.3: not kept by default", "HTTP/1.0 200 OK|" + empty,
       told + "done"},
      {"9110 2.5: a later minor", "HTTP/1.9 200 OK|" + empty, told + "kept"},
      {"9112 4: no reason", "HTTP/1.1 200 |" + empty, told + "kept"},
      {"nor its blank", "HTTP/1.1 200|" + empty, told + "kept"},
      {"9112 4: a reason of any text",
       "HTTP/1.1 200 \tgr\xc3\xbc\xc3\x9f: 2 |" + empty, told + "kept"},
      {"9110 15: an unknown status", "HTTP/1.1 799 ?|" + empty,
       "799 {content-length: 0} '' kept"},
      {"9110 2.5: a later major", "HTTP/2 200|" + empty, "bad head"},
      {"the same, with a minor", "HTTP/2.0 200 OK|" + empty, "bad head"},
      {"an earlier major", "HTTP/0.9 200 OK|" + empty, "bad head"},
      {"9112 2.3: one digit", "HTTP/1.10 200 OK|" + empty, "bad head"},
      {"9112 2.3: a digit", "HTTP/1. 200 OK|" + empty, "bad head"},
      {"9112 2.3: in capitals", "http/1.1 200 OK|" + empty, "no http"},
      {"9112 4: three digits", "HTTP/1.1 20 OK|" + empty, "bad head"},
      {"no more", "HTTP/1.1 2000 OK|" + empty, "bad head"},
      {"9110 15: from 100 on", "HTTP/1.1 099 OK|" + empty, "bad head"},
      {"digits alone", "HTTP/1.1 2x0 OK|" + empty, "bad head"},
      {"no sign", "HTTP/1.1 -20 OK|" + empty, "bad head"},
      {"9112 4: a blank between", "HTTP/1.1 200OK|" + empty, "bad head"},
      {"9112 4: one blank", "HTTP/1.1  200 OK|" + empty, "bad head"},
      {"9112 4: no tab", "HTTP/1.1\t200 OK|" + empty, "bad head"},
      {"no status", "HTTP/1.1|" + empty, "bad head"},
      {"9112 2.2: bare CR in the reason", "HTTP/1.1 200 O\rK|" + empty,
       "bad head"},
      {"9112 2.2: two at its end", "HTTP/1.1 200 OK\r|" + empty, "bad head"},
      {"NUL in the reason", "HTTP/1.1 200 O\0K|"s + empty, "bad head"},
      {"9112 2.2: no empty line first", "|HTTP/1.1 200 OK|" + empty, "no http"},
      {"nor LF", "\nHTTP/1.1 200 OK|" + empty, "no http"},
      {"nor a blank", " HTTP/1.1 200 OK|" + empty, "no http"},
      {"another protocol", "SSH-2.0-OpenSSH_9.2|", "no http"},
      {"without a line", "HTTQ", "no http"},
      {"an alert of TLS", "\x15\x03\x01\x00\x02\x02\x46"s, "no http"},
      {"HTTP/0.9", "<html>", "no http"},
      {"ICY", "ICY 200 OK||", "no http"},
      {"the name alone", "HTTP|", "no http"},
      {"its slash", "HTTP/|", "bad head"},
      {"not yet", "HTTP", "head"},
      {"another protocol, without end", std::string(200'000, 'x'), "no http"},
  });
}

TEST_CASE("interim heads come before an answer and are no part of it") {
  const std::string end = "HTTP/1.1 200 OK|content-length: 2||hi";
  const std::string told = "200 {content-length: 2} 'hi' ";
  std::string many;
  for (int i = 0; i < 50; ++i) many += "HTTP/1.1 102 Processing|a: b||";
  check_rows({
      {"9110 15.2.1", "HTTP/1.1 100 Continue||" + end, told + "kept"},
      {"9110 15.2: unexpected", "HTTP/1.1 103 Early|link: </a>||" + end,
       told + "kept"},
      {"of an unknown status", "HTTP/1.1 199 ?||" + end, told + "kept"},
      {"many", many + end, told + "kept"},
      {"9112 6.3: without a body",
       "HTTP/1.1 103 Early|content-length: 5|transfer-encoding: chunked||" +
           end,
       told + "kept"},
      {"9112 9.6: close holds for all",
       "HTTP/1.1 103 Early|connection: close||" + end, told + "done"},
      {"9110 15.2.2: nobody asked to switch",
       "HTTP/1.1 101 Switching Protocols|upgrade: x|connection: upgrade||" +
           end,
       "bad head"},
      {"alone", "HTTP/1.1 100 Continue||", "head"},
      {"alone, and the end", "HTTP/1.1 100 Continue||$", "cut"},
      {"then another protocol", "HTTP/1.1 100 Continue||SSH-2.0|", "no http"},
      {"then an empty line", "HTTP/1.1 100 Continue|||" + end, "no http"},
  });
}

TEST_CASE("header lines are read as one, or not at all") {
  const std::string line = "HTTP/1.1 204 Fine|";
  check_rows({
      {"9112 5", line + "a: 1|B-c:2||", "204 {a: 1} {B-c: 2} '' kept"},
      {"9110 5.5: blanks around", line + "a: \t b \t c\t ||",
       "204 {a: b \t c} '' kept"},
      {"9110 5.5: empty", line + "a:|b: |c: \t ||",
       "204 {a: } {b: } {c: } '' kept"},
      {"several of a name", line + "a: 1|A: 2||", "204 {a: 1} {A: 2} '' kept"},
      {"9110 5.5: bytes above 127", line + "a: \xe2\x82\xac\xff||",
       "204 {a: \xe2\x82\xac\xff} '' kept"},
      {"9110 5.5: other control characters may stay", line + "a: b\x01\x7f||",
       "204 {a: b\x01\x7f} '' kept"},
      {"a colon in a value", line + "a::b: c||", "204 {a: :b: c} '' kept"},
      {"9110 5.6.2: names of all marks", line + "!#$%&'*+-.^_`~09aZ: 1||",
       "204 {!#$%&'*+-.^_`~09aZ: 1} '' kept"},
      {"9112 5.2: a line that goes on", line + "a: b|  c|\td \t|e: f||",
       "204 {a: b c d} {e: f} '' kept"},
      {"9112 5.2: in an empty value", line + "a:| b||", "204 {a: b} '' kept"},
      {"9112 5.2: with nothing", line + "a: b| \t |c: d||",
       "204 {a: b} {c: d} '' kept"},
      {"9112 2.2: before the first header", line + " a: b|c: d||", "bad head"},
      {"9112 2.2: LF alone", "HTTP/1.1 204 Fine\na: b\nc: d\n\n",
       "204 {a: b} {c: d} '' kept"},
      {"9112 2.2: now and then", "HTTP/1.1 204 Fine\na: b|c: d\n|",
       "204 {a: b} {c: d} '' kept"},
      {"9112 5.1: a blank before the colon is taken off",
       line + "a : 1|b\t \t: 2||", "204 {a: 1} {b: 2} '' kept"},
      {"9112 2.2: bare CR", line + "a: b\rc: d||", "bad head"},
      {"9112 2.2: two at the end", line + "a: b\r||", "bad head"},
      {"9112 2.2: two and nothing else", line + "a: b|\r||", "bad head"},
      {"9112 2.2: in a name", line + "a\r: b||", "bad head"},
      {"9110 5.5: NUL", line + "a: b\0c||"s, "bad head"},
      {"NUL in a name", line + "a\0: b||"s, "bad head"},
      {"no colon", line + "a: b|c d||", "bad head"},
      {"no name", line + ": b||", "bad head"},
      {"a blank and no name", line + "a: b| : c||", "204 {a: b : c} '' kept"},
      {"9110 5.1: a blank within a name", line + "a b: c||", "bad head"},
      {"no token", line + "a(b): c||", "bad head"},
      {"bytes above 127 in a name", line + "caf\xc3\xa9: c||", "bad head"},
      {"a status line", line + "HTTP/1.1 200 OK||", "bad head"},
      {"not yet", line + "a: b|", "head"},
  });
}

TEST_CASE("heads have a size") {
  const std::string line = "HTTP/1.1 204 Fine\r\n";
  const std::string start = line + "a: ";
  const auto head = [&](std::size_t size) {
    return start + std::string(size - start.size() - 4, 'b') + "\r\n\r\n";
  };
  const auto interim = [](std::size_t size) {
    const std::string one = "HTTP/1.1 103 Early\r\n\r\n";
    std::string all;
    while (all.size() + one.size() <= size) all += one;
    return all;
  };
  constexpr std::size_t kMost = Http1Answer::kMaxHeads;
  const std::string early = "HTTP/1.1 103 Early\r\na: ";
  const std::string nearly =
      early + std::string(kMost - 5 - early.size() - 4, 'b') + "\r\n\r\n";
  const std::string chunked =
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
  const std::string body = "1\r\nx\r\n0\r\n";
  const std::string told = "200 {transfer-encoding: chunked} 'x' ";
  const auto trailer = [&](std::size_t size) {
    return body + std::string(size - chunked.size() - 4, 't') + "\r\n\r\n";
  };
  const std::string kept =
      "204 {a: " + std::string(kMost - start.size() - 4, 'b') + "} '' kept";
  std::string header_lines;
  while (header_lines.size() <= kMost) header_lines += "a: b\r\n";
  check_rows({
      {"just as large", head(kMost), kept},
      {"a byte more", head(kMost + 1), "oversized"},
      {"a line without end", line + std::string(kMost, 'a'), "oversized"},
      {"a status line without end", "HTTP/1.1 200 " + std::string(kMost, 'a'),
       "oversized"},
      {"many lines", line + header_lines, "oversized"},
      {"many heads", interim(kMost + 100), "oversized"},
      {"room to see that it is none", nearly + "HTTPx", "no http"},
      {"a byte less of it",
       nearly.substr(0, 30) + "b" + nearly.substr(30) + "HTTPx", "oversized"},
      {"heads count together", interim(kMost / 2) + head(kMost / 2 + 100),
       "oversized"},
      {"a trailer just as large", chunked + trailer(kMost), told + "kept"},
      {"a trailer of a byte more", chunked + trailer(kMost + 1),
       told + "oversized"},
      {"a trailer without end", chunked + body + header_lines,
       told + "oversized"},
  });
}
