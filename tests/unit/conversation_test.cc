// Conversations made by hand: parts become content, answers become messages.
#include "llmproxy/conversation.h"

#include <array>
#include <catch2/catch.hpp>
#include <type_traits>
#include <vector>

#include "llmproxy/client.h"
#include "llmproxy/validate.h"
#include "support/client_calls.h"
#include "support/scripted_transport.h"

using namespace llmproxy;

namespace {

/// One answer with a part of every kind.
ChatResponse full_answer() {
  ChatResponse answer;
  answer.content = {ThinkingPart{"hm", "sig"},
                    TextPart{"One"},
                    ToolCallPart{"c1", "clock", "{}"},
                    ImagePart{},
                    TextPart{" two"},
                    RefusalPart{"no"},
                    ToolCallPart{"c2", "map", R"({"a":1})"}};
  return answer;
}

template <class Part>
void converts() {
  static_assert(std::is_aggregate_v<Part>);
  static_assert(std::is_convertible_v<Part, ContentPart>);
  static_assert(std::is_convertible_v<const Part&, ContentPart>);
  const Part part{};
  const ContentPart copied = part;
  const ContentPart moved = Part{};
  CHECK(copied == moved);
  REQUIRE(copied.as<Part>() != nullptr);
  CHECK(*copied.as<Part>() == part);
  std::vector<ContentPart> content{part, Part{}};
  content.push_back(part);
  content.emplace_back(Part{});
  CHECK(content == std::vector<ContentPart>(4, part));
}

}  // namespace

TEST_CASE("every part becomes content") {
  static_assert(std::is_aggregate_v<ContentPart>);
  converts<TextPart>();
  converts<ImagePart>();
  converts<DocumentPart>();
  converts<AudioPart>();
  converts<ThinkingPart>();
  converts<ToolCallPart>();
  converts<ToolResultPart>();
  converts<RefusalPart>();
  converts<OpaquePart>();
}

TEST_CASE("the text of an answer is its texts, in their order") {
  CHECK(full_answer().text() == "One two");
  CHECK(to_message(full_answer()).text() == "One two");
  CHECK(ChatResponse().text().empty());
  ChatResponse silent;
  silent.content = {ThinkingPart{"hm"}, RefusalPart{"no"}};
  CHECK(silent.text().empty());
}

TEST_CASE("the calls of an answer are its calls, in their order") {
  const std::vector<ToolCallPart> expected = {{"c1", "clock", "{}"},
                                              {"c2", "map", R"({"a":1})"}};
  CHECK(full_answer().tool_calls() == expected);
  CHECK(ChatResponse().tool_calls().empty());
}

TEST_CASE("an answer becomes the model's message, whole") {
  const ChatResponse answer = full_answer();
  const Message copied = to_message(answer);
  CHECK(copied.role == Role::assistant);
  CHECK(copied.content == answer.content);
  CHECK(to_message(full_answer()) == copied);
}

TEST_CASE("a tool's result names its call") {
  const Message good = tool_result({"c1", "clock", "{}"}, "12:00");
  CHECK(good.role == Role::user);
  REQUIRE(good.content.size() == 1);
  const auto* result = good.content[0].as<ToolResultPart>();
  REQUIRE(result != nullptr);
  CHECK(*result == ToolResultPart{"c1", {TextPart{"12:00"}}});
  const Message bad = tool_result({"c1", "clock", "{}"}, "broken", true);
  CHECK(bad.content[0].as<ToolResultPart>()->is_error);
}

TEST_CASE("bytes become base64 of their type") {
  struct Row {
    std::string bytes;
    const char* base64;
  };
  const Row rows[] = {{"", ""},
                      {"f", "Zg=="},
                      {"fo", "Zm8="},
                      {"foo", "Zm9v"},
                      {"foob", "Zm9vYg=="},
                      {std::string("\0\xff\x80", 3), "AP+A"}};
  for (const Row& row : rows) {
    INFO(row.base64);
    const MediaSource expected{MediaKind::base64, row.base64, "image/png"};
    CHECK(image_from_bytes(row.bytes, "image/png").source == expected);
    const std::vector<std::uint8_t> octets(row.bytes.begin(), row.bytes.end());
    CHECK(image_from_bytes(octets, "image/png").source == expected);
    std::vector<std::byte> bytes;
    for (const std::uint8_t octet : octets) bytes.push_back(std::byte{octet});
    CHECK(image_from_bytes(bytes, "image/png").source == expected);
    CHECK(document_from_bytes(octets, "image/png").source == expected);
    CHECK(audio_from_bytes(bytes, "wav").source.data == row.base64);
  }
  CHECK(document_from_bytes("x", "application/pdf", "a.pdf").title == "a.pdf");
  CHECK(audio_from_bytes("x", "mp3").format == "mp3");
  const ImagePart far = image_from_url("https://example.com/cat.png");
  CHECK(far.source.kind == MediaKind::url);
  CHECK(far.source.data == "https://example.com/cat.png");
}

TEST_CASE("a conversation made by hand is one that every dialect takes") {
  ChatRequest request;
  request.model = "m-1";
  request.messages.push_back(
      {Role::user,
       {TextPart{"What is this?"}, image_from_bytes("png", "image/png")}});
  ChatResponse answer;
  answer.content = {TextPart{"I look it up."}, ToolCallPart{"c1", "map", "{}"},
                    ToolCallPart{"c2", "map", "{}"}};
  request.messages.push_back(to_message(answer));
  for (const ToolCallPart& call : answer.tool_calls()) {
    request.messages.push_back(tool_result(call, "said by " + call.id));
  }
  REQUIRE(validate(request));
  for (const Provider& provider : providers()) {
    if (provider.dialect.empty()) continue;
    INFO(provider.name);
    auto transport = std::make_shared<testing::ScriptedTransport>();
    const Client client(make_backend(provider, Secret("sk-1"), "http://h"),
                        transport);
    Losses losses;
    (void)client.send(request, {.losses = &losses});
    REQUIRE(transport->requests().size() == 1);
    const std::string body = transport->requests()[0].body;
    CHECK(body.find("cG5n") != std::string::npos);
    CHECK(body.find("said by c1") != std::string::npos);
    CHECK(body.find("said by c2") != std::string::npos);
    for (const Loss& loss : losses) {
      INFO(loss.path << ": " << loss.what);
      CHECK(loss.what.find("result") == std::string::npos);
    }
  }
}
