// Event stream framing: worked frames, and everything that can be wrong.
#include "wire/event_stream.h"

#include <array>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "llmproxy/dialect.h"

namespace llmproxy::wire {
namespace {

std::string from_hex(std::string_view hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out += static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1]));
  }
  return out;
}

// Computed apart from this code, and read by the AWS SDK for JavaScript.
const std::string kChunkFrame = from_hex(
    "0000009b0000004b22fa51700b3a6576656e742d747970650700056368756e6b0d"
    "3a636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e0d"
    "3a6d6573736167652d747970650700056576656e747b226279746573223a226579"
    "4a306558426c496a6f695932397564475675644639696247396a6131397a644739"
    "77496977696157356b5a5867694f6a4239227dc0567ebe");
constexpr std::string_view kChunkPayload =
    R"({"bytes":"eyJ0eXBlIjoiY29udGVudF9ibG9ja19zdG9wIiwiaW5kZXgiOjB9"})";
const std::string kThrottlingFrame = from_hex(
    "0000008e00000061514180540f3a657863657074696f6e2d747970650700137468726f"
    "74746c696e67457863657074696f6e0d3a636f6e74656e742d74797065070010617070"
    "6c69636174696f6e2f6a736f6e0d3a6d6573736167652d74797065070009657863"
    "657074696f6e7b226d657373616765223a22546f6f206d616e7920746f6b656e73"
    "227dc81b1ec1");

struct Seen {
  std::string name;
  std::string data;
  bool exception;
  bool operator==(const Seen&) const = default;
};

std::vector<Seen> decode(EventStreamDecoder& decoder,
                         const std::vector<std::string>& pieces) {
  std::vector<Seen> out;
  Frame frame;
  for (const std::string& piece : pieces) {
    decoder.feed(piece);
    while (decoder.next(frame)) {
      out.push_back(
          {std::string(frame.name), std::string(frame.data), frame.exception});
    }
  }
  return out;
}

std::string fault_of(const std::string& bytes) {
  EventStreamDecoder decoder;
  decode(decoder, {bytes});
  return std::string(decoder.fault());
}

void put_u32(std::string& out, std::uint32_t value) {
  for (const int shift : {24, 16, 8, 0}) {
    out += static_cast<char>(value >> shift & 255);
  }
}

/// A prelude whose own checksum is right.
std::string prelude(std::uint32_t length, std::uint32_t headers) {
  std::string out;
  put_u32(out, length);
  put_u32(out, headers);
  put_u32(out, crc32(out));
  return out;
}

std::string message(std::string_view headers, std::string_view payload) {
  std::string out =
      prelude(static_cast<std::uint32_t>(16 + headers.size() + payload.size()),
              static_cast<std::uint32_t>(headers.size()));
  out += headers;
  out += payload;
  put_u32(out, crc32(out));
  return out;
}

TEST_CASE("event stream: the checksum is that of zlib") {
  CHECK(crc32("123456789") == 0xcbf43926u);
  CHECK(crc32("") == 0);
}

TEST_CASE("event stream: worked frames, both ways") {
  std::string chunk;
  append_event_frame(chunk, "chunk", kChunkPayload);
  CHECK(chunk == kChunkFrame);
  std::string exception;
  append_exception_frame(exception, "throttlingException",
                         R"({"message":"Too many tokens"})");
  CHECK(exception == kThrottlingFrame);
  EventStreamDecoder decoder;
  CHECK(decode(decoder, {kChunkFrame + kThrottlingFrame}) ==
        std::vector<Seen>{
            {"chunk", std::string(kChunkPayload), false},
            {"throttlingException", R"({"message":"Too many tokens"})", true}});
  CHECK(decoder.consumed() == kChunkFrame.size() + kThrottlingFrame.size());
  CHECK(decoder.fault().empty());
}

TEST_CASE("event stream: cut anywhere, the frames are the same") {
  std::string bytes;
  append_event_frame(bytes, "messageStart", R"({"role":"assistant"})");
  append_keep_alive_frame(bytes);
  bytes += kThrottlingFrame;
  EventStreamDecoder whole;
  const std::vector<Seen> expected = decode(whole, {bytes});
  REQUIRE(expected.size() == 3);
  std::vector<std::string> single;
  for (const char c : bytes) single.emplace_back(1, c);
  EventStreamDecoder bytewise;
  CHECK(decode(bytewise, single) == expected);
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    EventStreamDecoder decoder;
    CHECK(decode(decoder, {bytes.substr(0, cut), bytes.substr(cut)}) ==
          expected);
  }
}

TEST_CASE("event stream: half a frame is none, and no fault") {
  EventStreamDecoder decoder;
  CHECK(decode(decoder, {kThrottlingFrame.substr(0, 141)}).empty());
  Frame frame;
  CHECK_FALSE(decoder.last(frame));
  CHECK(decoder.fault().empty());
  CHECK(decoder.consumed() == 0);
}

TEST_CASE("event stream: every flipped bit is noticed") {
  for (std::size_t bit = 0; bit < kThrottlingFrame.size() * 8; ++bit) {
    std::string bytes = kThrottlingFrame;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    EventStreamDecoder decoder;
    CHECK(decode(decoder, {bytes}).empty());
    CHECK_FALSE(decoder.fault().empty());
  }
}

TEST_CASE("event stream: a fault comes behind what was whole, and stays") {
  std::string bytes = kThrottlingFrame + kThrottlingFrame;
  bytes.back() = static_cast<char>(~bytes.back());
  EventStreamDecoder decoder;
  CHECK(decode(decoder, {bytes, kThrottlingFrame}).size() == 1);
  CHECK(decoder.consumed() == kThrottlingFrame.size());
  CHECK_THAT(std::string(decoder.fault()), Catch::Contains("checksum"));
}

TEST_CASE("event stream: impossible lengths are refused before the bytes") {
  CHECK_THAT(fault_of(prelude(15, 0)), Catch::Contains("impossible"));
  CHECK_THAT(fault_of(prelude(0, 0)), Catch::Contains("impossible"));
  CHECK_THAT(fault_of(prelude(40, 25)), Catch::Contains("impossible"));
  CHECK_THAT(fault_of(prelude(0xFFFFFFFF, 0xFFFFFFF0)),
             Catch::Contains("impossible"));
  CHECK_THAT(fault_of(prelude(0xFFFFFFFF, 0)), Catch::Contains("too large"));
  CHECK_THAT(fault_of(prelude(1u << 25, 0)), Catch::Contains("too large"));
  CHECK(fault_of(prelude(16, 0)).empty());
}

TEST_CASE("event stream: text in place of frames is refused at once") {
  CHECK_THAT(fault_of("event: message_start\ndata: {}\n\n"),
             Catch::Contains("not made of"));
  CHECK_THAT(fault_of("{\"message\":\"no\"}"), Catch::Contains("not made of"));
}

TEST_CASE("event stream: headers of every type, in any order") {
  const std::string kind =
      std::string("\x0d:message-type\x07\x00\x05", 17) + "event" +
      std::string("\x0b:event-type\x07\x00\x04", 15) + "ping";
  const std::string others =
      std::string("\1a\0", 3) + std::string("\1b\1", 3) +
      std::string("\1c\2x", 4) + std::string("\1d\3xx", 5) +
      std::string("\1e\4xxxx", 7) + std::string("\1f\5xxxxxxxx", 11) +
      std::string("\1g\6\0\2xx", 7) + std::string("\1h\x08xxxxxxxx", 11) +
      std::string("\1i\x09xxxxxxxxxxxxxxxx", 19);
  for (const std::string& headers : {kind + others, others + kind}) {
    EventStreamDecoder decoder;
    CHECK(decode(decoder, {message(headers, "{}")}) ==
          std::vector<Seen>{{"ping", "{}", false}});
  }
}

TEST_CASE("event stream: broken headers and unknown kinds") {
  const std::string kind =
      std::string("\x0d:message-type\x07\x00\x05", 17) + "event";
  CHECK_THAT(fault_of(message("", "{}")), Catch::Contains("unknown kind"));
  CHECK_THAT(fault_of(message(kind.substr(0, 20), "{}")),
             Catch::Contains("broken headers"));
  CHECK_THAT(fault_of(message(kind + std::string("\1a\x0a", 3), "{}")),
             Catch::Contains("broken headers"));
  CHECK_THAT(fault_of(message(kind + "\x7f", "{}")),
             Catch::Contains("broken headers"));
}

TEST_CASE("event stream: an error message has its text in a header") {
  const std::array headers = {EventHeader{":error-code", "Broken"},
                              EventHeader{":error-message", "it broke"},
                              EventHeader{":message-type", "error"}};
  std::string bytes;
  append_event_message(bytes, headers, "");
  EventStreamDecoder decoder;
  CHECK(decode(decoder, {bytes}) ==
        std::vector<Seen>{{"Broken", "it broke", true}});
}

TEST_CASE("event stream: dialects tell a fault as the upstream's") {
  for (const char* name : {"bedrock", "bedrock-converse"}) {
    const auto decoder = find_dialect(name)->new_stream_decoder({});
    Accumulator sum;
    decoder->feed("<html>no frames at all</html>", sum);
    REQUIRE(sum.error());
    CHECK(sum.error()->kind == ErrorKind::upstream_malformed);
    const auto cut = find_dialect(name)->new_stream_decoder({});
    Accumulator half;
    cut->feed(kThrottlingFrame.substr(0, 100), half);
    cut->finish(half);
    REQUIRE(half.error());
    CHECK(half.error()->kind == ErrorKind::upstream_truncated);
  }
}

}  // namespace
}  // namespace llmproxy::wire
