// Where an answer over HTTP/1.1 ends, and whether its connection may be used
// again. Values come from RFC 9112 and RFC 9110; "9112 6.3" in a row's name is
// a section.
#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "http1_rows.h"

using namespace llmproxy;
using namespace llmproxy::testing;
using namespace std::string_literals;

TEST_CASE("where an answer ends is what its head says") {
  const std::string ok = "HTTP/1.1 200 OK|";
  check_rows({
      {"9112 6.3: a length", ok + "content-length: 2||hi",
       "200 {content-length: 2} 'hi' kept"},
      {"nothing", ok + "content-length: 0||",
       "200 {content-length: 0} '' kept"},
      {"leading zeros", ok + "content-length: 002||hi",
       "200 {content-length: 002} 'hi' kept"},
      {"not yet", ok + "content-length: 3||hi",
       "200 {content-length: 3} 'hi' body"},
      {"9112 8: cut", ok + "content-length: 3||hi$",
       "200 {content-length: 3} 'hi' cut"},
      {"9112 8: cut before its body", ok + "content-length: 3||$",
       "200 {content-length: 3} '' cut"},
      {"9112 9.2: bytes behind it", ok + "content-length: 2||hi!",
       "200 {content-length: 2} 'hi' done"},
      {"behind nothing", ok + "content-length: 0||HTTP/1.1 200 OK|",
       "200 {content-length: 0} '' done"},
      {"9112 6.3: repeated", ok + "content-length: 2|Content-Length: 2||hi",
       "200 {content-length: 2} {Content-Length: 2} 'hi' kept"},
      {"9110 8.6: a list", ok + "content-length: 2, 2||hi",
       "200 {content-length: 2, 2} 'hi' kept"},
      {"9112 6.3: two", ok + "content-length: 2|content-length: 3||hi!",
       "bad head"},
      {"9112 6.3: two in a list", ok + "content-length: 2, 3||hi!", "bad head"},
      {"a minus", ok + "content-length: -2||hi", "bad head"},
      {"a plus", ok + "content-length: +2||hi", "bad head"},
      {"hexadecimal", ok + "content-length: 0x2||hi", "bad head"},
      {"hexadecimal digits", ok + "content-length: a||", "bad head"},
      {"a fraction", ok + "content-length: 2.0||hi", "bad head"},
      {"a blank inside", ok + "content-length: 1 1||hi", "bad head"},
      {"9112 5.2: in two lines", ok + "content-length: 1| 1||hi", "bad head"},
      {"empty", ok + "content-length:||hi", "bad head"},
      {"an empty item", ok + "content-length: 2,||hi", "bad head"},
      {"empty before another", ok + "content-length:|content-length: 2||hi",
       "bad head"},
      {"2^64 - 1", ok + "content-length: 18446744073709551615||hi",
       "200 {content-length: 18446744073709551615} 'hi' body"},
      {"2^64", ok + "content-length: 18446744073709551616||hi", "bad head"},
      {"9112 6.3: until it closes", ok + "a: b||hi$", "200 {a: b} 'hi' done"},
      {"with nothing", ok + "|$", "200 '' done"},
      {"not yet", ok + "|hi", "200 'hi' body"},
      {"until it closes, whatever is said", ok + "connection: keep-alive||hi$",
       "200 {connection: keep-alive} 'hi' done"},
      {"HTTP/1.0 until it closes", "HTTP/1.0 200 OK||hi$", "200 'hi' done"},
      {"9110 15.3.5: 204", "HTTP/1.1 204 Fine||", "204 '' kept"},
      {"204 with a length", "HTTP/1.1 204 Fine|content-length: 2||",
       "204 {content-length: 2} '' kept"},
      {"and what follows", "HTTP/1.1 204 Fine|content-length: 2||hi",
       "204 {content-length: 2} '' done"},
      {"204 with chunks", "HTTP/1.1 204 Fine|transfer-encoding: chunked||",
       "204 {transfer-encoding: chunked} '' kept"},
      {"9110 15.4.5: 304", "HTTP/1.1 304 Same|content-length: 2||",
       "304 {content-length: 2} '' kept"},
      {"304 of no length at all", "HTTP/1.1 304 Same|content-length: x||",
       "304 {content-length: x} '' kept"},
      {"9110 15.3.6: 205 as others", "HTTP/1.1 205 Reset|content-length: 0||",
       "205 {content-length: 0} '' kept"},
      {"an error as others", "HTTP/1.1 500 Broken|content-length: 2||hi",
       "500 {content-length: 2} 'hi' kept"},
  });
}

TEST_CASE("an answer to HEAD ends with its head") {
  const std::string ok = "HTTP/1.1 200 OK|";
  check_rows(
      {
          {"9112 6.3", ok + "a: b||", "200 {a: b} '' kept"},
          {"a length", ok + "content-length: 2||",
           "200 {content-length: 2} '' kept"},
          {"chunks", ok + "transfer-encoding: chunked||",
           "200 {transfer-encoding: chunked} '' kept"},
          {"a body all the same", ok + "content-length: 2||hi",
           "200 {content-length: 2} '' done"},
          {"close", ok + "connection: close||",
           "200 {connection: close} '' done"},
          {"HTTP/1.0", "HTTP/1.0 200 OK||", "200 '' done"},
          {"cut", ok + "a: b|$", "cut"},
      },
      Asked::head_only);
}

TEST_CASE("transfer codings are chunks or none") {
  const std::string ok = "HTTP/1.1 200 OK|";
  const std::string chunks = "2|hi|0||";
  check_rows({
      {"9112 7", ok + "transfer-encoding: chunked||" + chunks,
       "200 {transfer-encoding: chunked} 'hi' kept"},
      {"9112 7: in any case", ok + "Transfer-Encoding: CHUNKed||" + chunks,
       "200 {Transfer-Encoding: CHUNKed} 'hi' kept"},
      {"9110 5.6.1: empty items",
       ok + "transfer-encoding: , chunked,||" + chunks,
       "200 {transfer-encoding: , chunked,} 'hi' kept"},
      {"9112 5.2: in the next line",
       ok + "transfer-encoding:| chunked||" + chunks,
       "200 {transfer-encoding: chunked} 'hi' kept"},
      {"9112 6.3: and a length",
       ok + "content-length: 1|transfer-encoding: chunked||" + chunks,
       "200 {transfer-encoding: chunked} 'hi' done"},
      {"9112 6.1: in HTTP/1.0",
       "HTTP/1.0 200 OK|transfer-encoding: chunked||" + chunks,
       "200 {transfer-encoding: chunked} 'hi' done"},
      {"9112 6.1: twice", ok + "transfer-encoding: chunked, chunked||" + chunks,
       "bad head"},
      {"in two headers",
       ok + "transfer-encoding: chunked|transfer-encoding: chunked||" + chunks,
       "bad head"},
      {"9112 7: nobody asked for gzip",
       ok + "transfer-encoding: gzip, chunked||" + chunks, "bad head"},
      {"the other way around",
       ok + "transfer-encoding: chunked, gzip||" + chunks, "bad head"},
      {"gzip alone", ok + "transfer-encoding: gzip||", "bad head"},
      {"unknown", ok + "transfer-encoding: x-made-up||", "bad head"},
      {"with a parameter", ok + "transfer-encoding: chunked;q=1||" + chunks,
       "bad head"},
      {"quoted", ok + "transfer-encoding: \"chunked\"||" + chunks, "bad head"},
      {"with a blank of another kind",
       ok + "transfer-encoding: chunked\x0b||" + chunks, "bad head"},
      {"identity, which once was one", ok + "transfer-encoding: identity||hi$",
       "200 {transfer-encoding: identity} 'hi' done"},
      {"9112 6.3: which says nothing about the length",
       ok + "transfer-encoding: identity|content-length: 1||hi$",
       "200 {transfer-encoding: identity} {content-length: 1} 'h' done"},
      {"before chunks", ok + "transfer-encoding: identity, chunked||" + chunks,
       "200 {transfer-encoding: identity, chunked} 'hi' kept"},
      {"9112 6.3: behind chunks, which then are not the last",
       ok + "transfer-encoding: chunked, identity||" + chunks, "bad head"},
      {"9112 6.3: none", ok + "transfer-encoding:||hi$",
       "200 {transfer-encoding: } 'hi' done"},
  });
}

TEST_CASE("a connection is kept where nobody says otherwise") {
  const auto row = [](const char* name, const std::string& said,
                      const char* kept) {
    const std::string header = said.empty() ? "" : "connection: " + said;
    return Row{name,
               "HTTP/1.1 200 OK|content-length: 2" +
                   (said.empty() ? "" : "|" + header) + "||hi",
               "200 {content-length: 2} " +
                   (said.empty() ? "" : "{" + header + "} ") + "'hi' " + kept};
  };
  check_rows({
      row("9112 9.3", "", "kept"),
      row("keep-alive", "keep-alive", "kept"),
      row("9112 9.6", "close", "done"),
      row("9110 7.6.1: in any case", "CLOSE", "done"),
      row("9110 7.6.1: in a list", "x, Close ,y", "done"),
      row("with its contrary", "keep-alive, close", "done"),
      row("nearly", "closed, x-close", "kept"),
      {"9110 5.3: in two headers",
       "HTTP/1.1 200 OK|connection: a|content-length: 0|Connection: close||",
       "200 {connection: a} {content-length: 0} {Connection: close} '' done"},
      {"with chunks",
       "HTTP/1.1 200 OK|connection: close|transfer-encoding: chunked||0||",
       "200 {connection: close} {transfer-encoding: chunked} '' done"},
      {"HTTP/1.0 that would keep it",
       "HTTP/1.0 200 OK|connection: keep-alive|content-length: 0||",
       "200 {connection: keep-alive} {content-length: 0} '' done"},
  });
}

TEST_CASE("chunks are joined") {
  const std::string line(4094, '0');
  const auto row = [](const char* name, const std::string& chunks,
                      const std::string& expected) {
    return Row{name, "HTTP/1.1 200 OK|transfer-encoding: chunked||" + chunks,
               "200 {transfer-encoding: chunked} " + expected};
  };
  check_rows({
      row("9112 7.1", "1|a|2|bc|0||", "'abc' kept"),
      row("nothing", "0||", "'' kept"),
      row("several zeros", "1|a|000||", "'a' kept"),
      row("capitals", "A|0123456789|0||", "'0123456789' kept"),
      row("small letters", "a|0123456789|0||", "'0123456789' kept"),
      row("lines in it", "6|\r\n0\r\n\n|0||", "'\r\n0\r\n\n' kept"),
      row("leading zeros", "00000000000000000001|a|0||", "'a' kept"),
      row("9112 7.1.1: extensions", "1;a=b;c|a|0;d||", "'a' kept"),
      row("9112 7.1.1: quoted", "1;a=\"b;c\"|a|0||", "'a' kept"),
      row("9112 7.1.1: blanks before", "1 ;a\t=\tb|a|0 \t||", "'a' kept"),
      row("16 digits", "ffffffffffffffff|a", "'a' body"),
      row("17 digits", "10000000000000000|a", "'' bad chunk"),
      row("0x", "0x1|a|0||", "'' bad chunk"),
      row("a minus", "-1|a|0||", "'' bad chunk"),
      row("a plus", "+1|a|0||", "'' bad chunk"),
      row("a blank before", " 1|a|0||", "'' bad chunk"),
      row("a blank between", "1 1|a|0||", "'' bad chunk"),
      row("no size", "|a|0||", "'' bad chunk"),
      row("an extension alone", ";a|a|0||", "'' bad chunk"),
      row("no digits", "zz|", "'' bad chunk"),
      row("9112 7.1: no line's end behind the data", "1|ab|0||",
          "'a' bad chunk"),
      row("seen at once", "1|ab", "'a' bad chunk"),
      row("9112 7.1: too little data", "2|a|0||", "'a\r' bad chunk"),
      row("9112 7.1: LF alone behind a size", "1\na|0||", "'' bad chunk"),
      row("behind an extension", "1;\na|0||", "'' bad chunk"),
      row("behind the data", "1|a\n0||", "'a' bad chunk"),
      row("9112 2.2: bare CR in an extension", "1;a\rb|a|0||", "'' bad chunk"),
      row("two at the end", "1\r|a|0||", "'' bad chunk"),
      row("NUL in an extension", "1;\0|a|0||"s, "'' bad chunk"),
      row("a line as long as may be", line + "1|a|0||", "'a' kept"),
      row("a longer one", line + "01|a|0||", "'' bad chunk"),
      row("an extension without end", "1;" + std::string(5000, 'x'),
          "'' bad chunk"),
      row("9112 7.1.2: a trailer", "1|a|0|b: c|d: e||", "'a' kept"),
      row("9112 2.2: of LF alone", "1|a|0|b: c\n\n", "'a' kept"),
      row("9112 2.2: bare CR in it", "1|a|0|b: c\r||", "'a' bad chunk"),
      row("a length in it", "1|a|0|content-length: 9||", "'a' kept"),
      row("9112 9.2: bytes behind the end", "1|a|0||0||", "'a' done"),
      row("no blank line", "1|a|0|", "'a' body"),
      row("nor more to come", "1|a|0|$", "'a' cut"),
      row("9112 8: cut", "1|a|$", "'a' cut"),
      row("9112 8: cut in the data", "2|a$", "'a' cut"),
      row("9112 8: cut in a size", "1|a|1$", "'a' cut"),
      row("9112 8: cut in a trailer", "1|a|0|b: c|$", "'a' cut"),
  });
}

TEST_CASE("an answer that breaks off is said to be cut wherever that is") {
  for (const char* notation :
       {"HTTP/1.1 100 Continue||HTTP/1.1 200 OK|content-length: 5||hello",
        "HTTP/1.1 200 OK|transfer-encoding: chunked||5;a|hello|0|b: c||"}) {
    const Wire wire = wire_of(notation);
    for (std::size_t size = 0; size < wire.bytes.size(); ++size) {
      CAPTURE(notation, size);
      Http1Answer answer(Asked::whole);
      Notes notes;
      answer.feed(wire.bytes.substr(0, size), notes);
      CHECK(answer.closed() == State::broken);
      CHECK(answer.fault() == (size == 0 ? Wrong::nothing : Wrong::cut));
      CHECK_FALSE(answer.keeps_connection());
    }
  }
}

TEST_CASE("how much of a body is missing is known by its length alone") {
  Http1Answer answer(Asked::whole);
  Notes notes;
  CHECK(answer.missing() == 0);
  answer.feed("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe", notes);
  CHECK(answer.missing() == 3);
  answer.closed();
  CHECK(answer.missing() == 3);
  Http1Answer chunked(Asked::whole);
  Notes others;
  chunked.feed("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhe",
               others);
  CHECK(chunked.missing() == 0);
}

TEST_CASE("a sink that has enough is told no more") {
  struct Stopper final : Http1Sink {
    int calls_left = 0;
    bool on_head(int, Headers) override { return --calls_left > 0; }
    bool on_body(std::string_view) override { return --calls_left > 0; }
  };
  const char* const answers[] = {
      "HTTP/1.1 200 OK|content-length: 5||hello",
      "HTTP/1.1 200 OK|transfer-encoding: chunked||2|he|3|llo|0||",
      "HTTP/1.1 200 OK||hello",
      "HTTP/1.1 204 Fine||",
  };
  for (const char* notation : answers) {
    for (int calls = 1; calls <= 2; ++calls) {
      if (calls == 2 && std::string(notation).find("204") != std::string::npos)
        continue;  // there is no second
      CAPTURE(notation, calls);
      Http1Answer answer(Asked::whole);
      Stopper sink;
      sink.calls_left = calls;
      CHECK(answer.feed(wire_of(notation).bytes, sink) == State::stopped);
      CHECK(sink.calls_left == 0);
      CHECK(answer.fault() == Wrong::none);
      CHECK_FALSE(answer.keeps_connection());
      CHECK(answer.closed() == State::stopped);
    }
  }
}
