// What the tools of the benchmark read, in all pieces it may come in.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "kit/http.h"
#include "kit/mark.h"
#include "kit/plan.h"

namespace llmproxy::bench {
namespace {

/// Calls `feed` with the pieces of `bytes`, `size` bytes each.
template <class Feed>
void in_pieces(std::string_view bytes, std::size_t size, Feed&& feed) {
  for (; !bytes.empty(); bytes.remove_prefix(std::min(size, bytes.size())))
    feed(bytes.substr(0, size));
}

struct Response {
  bool done;
  int status;
  std::string body;
};

Response read(std::string_view bytes, std::size_t size, bool close = false) {
  ResponseReader reader;
  std::string body;
  in_pieces(bytes, size, [&](std::string_view piece) {
    reader.feed(piece, [&](std::string_view part) { body += part; });
  });
  if (close) reader.close();
  return {reader.done(), reader.status(), body};
}

}  // namespace

TEST_CASE("marks are found however the bytes are cut", "[bench]") {
  std::string text = "data: t12;t0000;tt";
  append_mark(text, 123);
  text += "t000000000000000000x t1";
  append_mark(text, 456'000'000'000);
  for (std::size_t size = 1; size <= text.size(); ++size) {
    MarkScanner scanner;
    std::vector<std::int64_t> found;
    in_pieces(text, size, [&](std::string_view piece) {
      scanner.feed(piece, [&](std::int64_t mark) { found.push_back(mark); });
    });
    CHECK(found == std::vector<std::int64_t>{123, 456'000'000'000});
  }
}

TEST_CASE("a needle is found however the bytes are cut", "[bench]") {
  const std::string text = "data: [DON data: [DONE]";
  for (std::size_t size = 1; size <= text.size(); ++size) {
    Needle there("data: [DONE]");
    Needle missing("data: [DONE]]");
    in_pieces(text, size, [&](std::string_view piece) {
      there.feed(piece);
      missing.feed(piece);
    });
    CHECK(there.found());
    CHECK_FALSE(missing.found());
  }
}

TEST_CASE("base64 in frames is decoded however they are cut", "[bench]") {
  const std::string text =
      R"(xx{"bytes":"aGVsbG8=","p":"ab"}yy{"bytes":"IHdvcmxk"}{"bytes":"IQ)";
  for (std::size_t size = 1; size <= text.size(); ++size) {
    Base64Field field;
    std::string out;
    in_pieces(text, size,
              [&](std::string_view piece) { field.feed(piece, out); });
    CHECK(out == "hello world");
  }
}

TEST_CASE("responses are read however they are cut", "[bench]") {
  const std::string chunked =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nx: y\r\n\r\n";
  const std::string sized =
      "HTTP/1.1 404 Not Found\r\nContent-Length: 6\r\n\r\nhello!";
  for (std::size_t size = 1; size <= chunked.size(); ++size) {
    const Response first = read(chunked, size);
    CHECK(first.done);
    CHECK(first.status == 200);
    CHECK(first.body == "hello!");
    const Response second = read(sized, size);
    CHECK(second.done);
    CHECK(second.status == 404);
    CHECK(second.body == "hello!");
  }
  for (std::size_t size = 0; size < chunked.size(); ++size)
    CHECK_FALSE(read(chunked.substr(0, size), 7, true).done);
  CHECK(read("HTTP/1.1 200 OK\r\n\r\nhello", 4, true).done);
}

TEST_CASE("requests are read however they are cut", "[bench]") {
  const std::string text =
      "POST /a HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi"
      "GET /stats HTTP/1.1\r\n\r\n";
  for (std::size_t size = 1; size <= text.size(); ++size) {
    RequestReader reader;
    std::string seen;
    in_pieces(text, size, [&](std::string_view piece) {
      reader.feed(piece);
      while (const auto request = reader.next())
        seen +=
            std::string(request->path) + "=" + std::string(request->body) + " ";
    });
    CHECK(seen == "/a=hi /stats= ");
  }
}

TEST_CASE("a model's name holds its plan", "[bench]") {
  const Plan plan{
      .events = 7, .interval_us = 20, .think_us = 3, .text_bytes = 99};
  const Plan found = plan_in("{\"model\":\"x-" + model_of(plan) + "\"}", {});
  CHECK(found.events == 7);
  CHECK(found.interval_us == 20);
  CHECK(found.think_us == 3);
  CHECK(found.text_bytes == 99);
  CHECK(plan_in("/model/mock-e5/invoke", {}).events == 5);
  CHECK(plan_in("/model/mock/invoke", {.events = 9}).events == 9);
}

}  // namespace llmproxy::bench
