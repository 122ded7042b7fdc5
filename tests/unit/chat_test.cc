// Rules of the canonical model: turns, tool names, media, streams.
#include <catch2/catch.hpp>

#include "base/text.h"
#include "chat/custom_tools.h"
#include "chat/media.h"
#include "chat/schema.h"
#include "chat/sequencer.h"
#include "chat/tool_names.h"
#include "chat/turns.h"
#include "llmproxy/stream.h"

namespace llmproxy {
namespace {

ContentPart call(std::string id) {
  return {ToolCallPart{std::move(id), "f", "{}", false}, {}, {}};
}

ContentPart result(std::string id, std::string text) {
  ToolResultPart part;
  part.call_id = std::move(id);
  part.content.push_back({TextPart{std::move(text), {}}, {}, {}});
  return {std::move(part), {}, {}};
}

Message turn(Role role, std::vector<ContentPart> content) {
  Message message;
  message.role = role;
  message.content = std::move(content);
  return message;
}

std::vector<std::string> result_ids(const Message& message) {
  std::vector<std::string> ids;
  for (const ContentPart& part : message.content) {
    if (const auto* r = part.as<ToolResultPart>()) ids.push_back(r->call_id);
  }
  return ids;
}

TEST_CASE("results move behind their calls, in the order of the calls") {
  std::vector<Message> messages = {
      user_message("go"),
      turn(Role::assistant, {call("a"), call("b")}),
      turn(Role::user, {result("b", "2")}),
      user_message("approved"),
      turn(Role::user, {result("a", "1")}),
      user_message("next"),
  };
  Losses losses;
  REQUIRE(pair_tool_results(messages, losses));
  REQUIRE(messages.size() == 5);
  CHECK(result_ids(messages[2]) == std::vector<std::string>{"a", "b"});
  CHECK(joined_text(messages[3].content, "") == "approved");
  CHECK(joined_text(messages[4].content, "") == "next");
  CHECK(losses.empty());
}

TEST_CASE("a call without a result gets one, and the client is told") {
  std::vector<Message> messages = {
      user_message("go"),
      turn(Role::assistant, {call("a"), call("b")}),
      turn(Role::user, {result("a", "1"), {TextPart{"stop", {}}, {}, {}}}),
  };
  Losses losses;
  REQUIRE(pair_tool_results(messages, losses));
  CHECK(result_ids(messages[2]) == std::vector<std::string>{"a", "b"});
  CHECK(messages[2].content[1].as<ToolResultPart>()->is_error);
  CHECK(losses.size() == 1);
}

TEST_CASE("a result without a call becomes text, first of all it is refused") {
  Losses losses;
  std::vector<Message> orphan = {user_message("go"),
                                 turn(Role::user, {result("ghost", "42")})};
  REQUIRE(pair_tool_results(orphan, losses));
  CHECK(joined_text(orphan[1].content, "") == "[tool result ghost] 42");
  CHECK(losses.size() == 1);

  std::vector<Message> first = {turn(Role::user, {result("ghost", "42")})};
  const auto refused = pair_tool_results(first, losses);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::invalid_request);
}

TEST_CASE("a call that ends the history needs no result yet") {
  std::vector<Message> messages = {user_message("go"),
                                   turn(Role::assistant, {call("a")})};
  Losses losses;
  REQUIRE(pair_tool_results(messages, losses));
  CHECK(messages.size() == 2);
  CHECK(losses.empty());
}

TEST_CASE("tool aliases are valid, unique and the same every time") {
  const std::string base(64, 'x');
  const std::string a = tool_alias(base + "_one", 64);
  const std::string b = tool_alias(base + "_two", 64);
  CHECK(valid_tool_name(a, 64));
  CHECK(valid_tool_name(b, 64));
  CHECK(a != b);
  CHECK(tool_alias(base + "_one", 64) == a);
  CHECK(tool_alias("mcp__srv__a-b", 64) == "mcp__srv__a-b");
  CHECK(valid_tool_name(tool_alias("mcp__srv__a.b", 64), 64));
  CHECK(tool_alias("2.0", 64).starts_with("_2_0_"));
  CHECK(tool_alias("-a.b", 64).starts_with("_-a_b_"));
  CHECK(valid_tool_name(tool_alias("2" + base + "_one", 64), 64));
}

TEST_CASE("call ids become safe on both sides and stay different") {
  std::vector<Message> messages = {
      turn(Role::assistant, {call("a b"), call("a.b"), call("a_b")}),
      turn(Role::user,
           {result("a b", ""), result("a.b", ""), result("a_b", "")}),
  };
  make_call_ids_safe(messages);
  std::vector<std::string> calls;
  for (const ContentPart& part : messages[0].content) {
    calls.push_back(part.as<ToolCallPart>()->id);
  }
  CHECK(calls == result_ids(messages[1]));
  CHECK(calls[2] == "a_b");
  CHECK(calls[0] != calls[1]);
  CHECK(calls[0] != calls[2]);
  CHECK(calls[1] != calls[2]);
  for (const std::string& id : calls) CHECK(valid_tool_name(id, 200));
}

TEST_CASE("data URLs in their many spellings") {
  struct Row {
    std::string url;
    MediaKind kind;
    std::string media_type;
    std::string data;
  };
  const std::vector<Row> rows = {
      {"data:image/jpg;base64,QUJD", MediaKind::base64, "image/jpeg", "QUJD"},
      {"DATA:IMAGE/PNG;BASE64,QUJD", MediaKind::base64, "image/png", "QUJD"},
      {"data:image/png;charset=utf-8;base64,QUJD", MediaKind::base64,
       "image/png", "QUJD"},
      {"data:text/plain,a%20b", MediaKind::text, "text/plain", "a b"},
      {"data:,hi", MediaKind::text, "text/plain", "hi"},
      {"https://example.com/a.png", MediaKind::url, "",
       "https://example.com/a.png"},
  };
  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.url) {
      const auto source = media_from_url(row.url, "/x");
      REQUIRE(source);
      CHECK(source->kind == row.kind);
      CHECK(source->media_type == row.media_type);
      CHECK(source->data == row.data);
    }
  }
  CHECK_FALSE(media_from_url("file:///etc/passwd", "/x"));
  CHECK_FALSE(media_from_url("data:image/png;base64", "/x"));
}

// RFC 4648, section 10.
TEST_CASE("base64: the vectors of its standard, both ways") {
  struct Row {
    std::string_view bytes;
    std::string_view text;
  };
  constexpr Row kVectors[] = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
      {{"\x01\xFF\x00z", 4}, "Af8Aeg=="},
      {"\xFB\xEF\xFF", "++//"},
  };
  for (const Row& row : kVectors) {
    CAPTURE(row.text);
    CHECK(encode_base64(row.bytes) == row.text);
    CHECK(decode_base64(row.text) == std::string(row.bytes));
  }
}

TEST_CASE("base64: every byte at every place, there and back") {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  for (int shift = 0; shift < 3; ++shift) {
    CHECK(decode_base64(encode_base64(bytes)) == bytes);
    bytes.insert(bytes.begin(), 'x');
  }
}

TEST_CASE("base64: what is none is not read") {
  CHECK_FALSE(decode_base64("a*b="));
}

TEST_CASE("schemas are closed without touching properties named alike") {
  Losses losses;
  const RawJson schema = *RawJson::parse(
      "{\"type\":\"object\",\"properties\":{"
      "\"minimum\":{\"type\":\"integer\",\"minimum\":0},"
      "\"list\":{\"type\":\"array\",\"items\":"
      "{\"type\":\"object\"}}}}");
  const std::string expected =
      "{\"type\":\"object\",\"properties\":{"
      "\"minimum\":{\"type\":\"integer\",\"description\":\"(minimum: 0)\"},"
      "\"list\":{\"type\":\"array\",\"items\":"
      "{\"type\":\"object\",\"additionalProperties\":false}}},"
      "\"additionalProperties\":false}";
  CHECK(closed_schema(schema, "/s", "It", losses) == expected);
  REQUIRE(losses.size() == 1);
  CHECK(losses[0].path == "/s/properties/minimum/minimum");
}

TEST_CASE("a wrapped text is unwrapped however it is cut") {
  const std::string wrapped =
      R"( {"input": "line1\nli\"ne2 \ud83d\ude00 \u00e9"})";
  const std::string expected = "line1\nli\"ne2 \xF0\x9F\x98\x80 \xC3\xA9";
  for (std::size_t cut = 0; cut <= wrapped.size(); ++cut) {
    InputUnwrapper unwrapper;
    std::string out;
    unwrapper.feed(wrapped.substr(0, cut), out);
    unwrapper.feed(wrapped.substr(cut), out);
    CHECK(unwrapper.finish(out));
    CHECK(out == expected);
  }
}

TEST_CASE("a text wrapped otherwise is recovered and reported") {
  struct Row {
    std::string arguments;
    std::string expected;
  };
  for (const Row& row : std::vector<Row>{{R"({"patch":"x"})", "x"},
                                         {R"("bare")", "bare"},
                                         {"no json", "no json"}}) {
    InputUnwrapper unwrapper;
    std::string out;
    unwrapper.feed(row.arguments, out);
    CHECK_FALSE(unwrapper.finish(out));
    CHECK(out == row.expected);
  }
}

/// Writes down the order of events as "s0 d0 e0".
struct Order final : EventSink {
  std::string text;
  void on_event(const StreamEvent& event) override {
    constexpr std::string_view kLetters = "?sde";
    if (!text.empty()) text += ' ';
    text += kLetters[static_cast<std::size_t>(event.kind)];
    text += std::to_string(event.part);
    text += event.text;
  }
};

TEST_CASE("interleaved parts come out one after the other, none lost") {
  Order order;
  Sequencer sequencer(order);
  const auto send = [&](EventKind kind, std::uint32_t part,
                        std::string_view text = {}) {
    StreamEvent event;
    event.kind = kind;
    event.part_kind = PartKind::tool_call;
    event.part = part;
    event.text = text;
    sequencer.on_event(event);
  };
  send(EventKind::part_started, 0);
  send(EventKind::part_started, 1);
  send(EventKind::part_delta, 1, "x");
  send(EventKind::part_delta, 0, "a");
  send(EventKind::part_started, 2);
  send(EventKind::part_delta, 1, "y");
  send(EventKind::part_ended, 0);
  send(EventKind::part_delta, 1, "z");
  send(EventKind::part_ended, 2);
  send(EventKind::part_ended, 1);
  CHECK(order.text == "s0 d0a e0 s1 d1x d1y d1z e1 s2 e2");
}

TEST_CASE("events add up to the response they replay") {
  ChatResponse response;
  response.id = "r1";
  response.model = "m";
  response.content = {
      {ThinkingPart{"hm", "sig", {}}, {}, {}},
      {ThinkingPart{{}, {}, "opaque"}, {}, {}},
      {TextPart{"Hello there,  world\n", {*RawJson::parse(R"({"c":1})")}},
       {},
       {}},
      {ToolCallPart{"c1", "f", R"({"a":1})", false}, {}, {}},
      {RefusalPart{"no"}, {}, {}},
      {OpaquePart{"claude", "x", *RawJson::parse("{}")}, {}, {}},
  };
  response.stop_reason = StopReason::tool_use;
  response.usage.input_tokens = 3;
  for (const bool words : {false, true}) {
    Accumulator accumulator;
    replay(response, accumulator, words);
    CHECK(accumulator.done());
    CHECK(accumulator.response() == response);
  }
}

}  // namespace
}  // namespace llmproxy
