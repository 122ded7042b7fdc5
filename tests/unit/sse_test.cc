// SSE framing: the WHATWG rules, fed in any pieces.
#include "wire/sse.h"

#include <catch2/catch.hpp>
#include <utility>
#include <vector>

namespace llmproxy::wire {
namespace {

using Events = std::vector<std::pair<std::string, std::string>>;

Events decode(const std::vector<std::string>& pieces) {
  SseDecoder decoder;
  Events out;
  Frame event;
  for (const std::string& piece : pieces) {
    decoder.feed(piece);
    while (decoder.next(event)) {
      out.emplace_back(event.name, event.data);
    }
  }
  if (decoder.last(event)) out.emplace_back(event.name, event.data);
  return out;
}

Events decode_bytewise(const std::string& text) {
  std::vector<std::string> pieces;
  for (const char c : text) pieces.emplace_back(1, c);
  return decode(pieces);
}

TEST_CASE("legal but unusual streams are read") {
  struct Row {
    std::string text;
    Events expected;
  };
  const std::vector<Row> rows = {
      {"data: a\n\n", {{"", "a"}}},
      {"data:a\n\n", {{"", "a"}}},
      {"data:  a\n\n", {{"", " a"}}},
      {"event: x\ndata: a\n\n", {{"x", "a"}}},
      {"data: a\nevent: x\n\n", {{"x", "a"}}},
      {"data: a\ndata: b\n\n", {{"", "a\nb"}}},
      {"data: a\r\n\r\ndata: b\r\n\r\n", {{"", "a"}, {"", "b"}}},
      {"data: a\r\rdata: b\r\r", {{"", "a"}, {"", "b"}}},
      {": comment\n\ndata: a\n\n", {{"", "a"}}},
      {"\xEF\xBB\xBF"
       "data: a\n\n",
       {{"", "a"}}},
      {"id: 1\nretry: 5\nfoo: bar\ndata: a\n\n", {{"", "a"}}},
      {"event: x\n\ndata: a\n\n", {{"", "a"}}},
      {"data\n\n", {{"", ""}}},
      {"\n\n\n", {}},
      {"data: a", {{"", "a"}}},
      {"data: a\n", {{"", "a"}}},
  };
  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.text) {
      CHECK(decode({row.text}) == row.expected);
      CHECK(decode_bytewise(row.text) == row.expected);
    }
  }
}

TEST_CASE("every two-way split gives the same events") {
  const std::string text =
      "\xEF\xBB\xBF: hi\r\n\r\nevent: a\r\ndata: \xE5\x8C\x97\r\n\r\n"
      "data: b\rdata: c\r\r"
      "data: \xF0\x9F\x98\x80\n\n";
  const Events whole = decode({text});
  REQUIRE(whole.size() == 3);
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    CHECK(decode({text.substr(0, cut), text.substr(cut)}) == whole);
  }
}

TEST_CASE("an event is given out with its blank line, not one byte later") {
  for (const std::string end : {"\n\n", "\r\r"}) {
    SseDecoder decoder;
    Frame event;
    decoder.feed("data: a" + end);
    CHECK(decoder.next(event));
  }
}

TEST_CASE("consumed counts whole events only") {
  const std::string first = "data: a\r\n\r\n";
  const std::string second = ": c\n\ndata: b\n\n";
  SseDecoder decoder;
  Frame event;
  decoder.feed(first + second + "data: half");
  while (decoder.next(event)) {
  }
  CHECK(decoder.consumed() == first.size() + second.size());
}

TEST_CASE("an event begins behind the comments before it") {
  const std::string first = "data: a\r\n\r\n: c\n\n";
  SseDecoder decoder;
  Frame event;
  decoder.feed(first + "data: b\n\n");
  REQUIRE(decoder.next(event));
  CHECK(event.begin == 0);
  REQUIRE(decoder.next(event));
  CHECK(event.begin == first.size());
}

TEST_CASE("a huge event in small pieces is read whole") {
  SseDecoder decoder;
  Frame event;
  const std::string piece(16 << 10, 'x');
  decoder.feed("data: ");
  std::size_t size = 0;
  for (int i = 0; i < 512; ++i) {
    decoder.feed(piece);
    size += piece.size();
    REQUIRE_FALSE(decoder.next(event));
  }
  decoder.feed("\n\n");
  REQUIRE(decoder.next(event));
  CHECK(event.data.size() == size);
}

TEST_CASE("an endless event is given up, not collected") {
  SseDecoder decoder;
  Frame event;
  const std::string piece(1 << 20, 'x');
  for (int i = 0; i < 65 && decoder.fault().empty(); ++i) decoder.feed(piece);
  CHECK_FALSE(decoder.fault().empty());
  CHECK_FALSE(decoder.next(event));
}

}  // namespace
}  // namespace llmproxy::wire
