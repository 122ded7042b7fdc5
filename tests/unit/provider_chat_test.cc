// POST /v1/chat/{provider}: the simple body and the simple answer.
#include <catch2/catch.hpp>

#include "support/gateway_fixture.h"
#include "support/upstream_texts.h"

using namespace llmproxy;
using namespace llmproxy::testing;

namespace {

constexpr const char* kSimple =
    R"({"model":"some-model","messages":[{"role":"system","content":"Be )"
    R"(kind."},{"role":"user","content":"hi"}],"max_tokens":9,"stream":false})";

Script openai_answer() {
  return Script().head(200, json_head()).body(kOpenAiAnswer);
}

const UpstreamRequest sent(const GatewayFixture& fixture) {
  REQUIRE_FALSE(fixture.upstream->requests().empty());
  return fixture.upstream->requests().back();
}

std::string sent_header(const GatewayFixture& fixture, std::string_view name) {
  return std::string(find_header(sent(fixture).headers, name));
}

const std::string kClaudeStream =
    kClaudeBegin + claude_text("Hello there") + kClaudeEnd;

}  // namespace

TEST_CASE("a provider in the path answers in the simple form") {
  GatewayFixture fixture;
  fixture.upstream->play(openai_answer());
  fixture.handle(post("/v1/chat/openai-side", kSimple));
  CHECK(fixture.sink->status() == 200);
  const std::string body = fixture.sink->body();
  CHECK(at(body, "provider") == "openai-side");
  CHECK(at(body, "content") ==
        at(kOpenAiAnswer, "choices", 0, "message", "content"));
  CHECK(at(body, "content_parts", 0, "type") == "text");
  CHECK(at(body, "stop_reason") == "stop");
  CHECK(at(sent(fixture).body, "model") == "some-model");
  CHECK(sent_header(fixture, "authorization") == "Bearer " + kOpenAiKey);

  fixture.fresh_sink();
  fixture.upstream->play(Script().head(200, json_head()).body(kClaudeAnswer));
  fixture.handle(post("/v1/chat/claude-side", kSimple));
  CHECK(fixture.sink->status() == 200);
  CHECK(at(sent(fixture).body, "system") == "Be kind.");
  CHECK(at(sent(fixture).body, "max_tokens") == "9");
  // In the provider's own word.
  CHECK(at(fixture.sink->body(), "stop_reason") == "end_turn");
}

TEST_CASE("the header's key wins over the provider's own") {
  GatewayFixture fixture;
  fixture.upstream->play(openai_answer());
  fixture.handle(
      post("/v1/chat/openai-side", kSimple, {{"x-api-key", "sk-mine"}}));
  CHECK(sent_header(fixture, "authorization") == "Bearer sk-mine");
}

TEST_CASE("without any key the answer says which is missing") {
  Config config = test_config();
  Backend keyless = test_backend("gemini", "gemini", "http://gemini.test", "");
  keyless.pass_credentials = true;
  config.backends.push_back(std::move(keyless));
  GatewayFixture fixture(std::move(config));
  fixture.handle(post("/v1/chat/gemini", kSimple));
  CHECK(fixture.sink->status() == 401);
  CHECK(contains(fixture.sink->body(), "GEMINI_API_KEY"));
  fixture.fresh_sink();
  fixture.handle(post("/v1/chat/nobody", kSimple));
  CHECK(fixture.sink->status() == 404);
  CHECK(fixture.upstream->requests().empty());
}

TEST_CASE("images of both forms arrive") {
  GatewayFixture fixture;
  fixture.upstream->play(Script().head(200, json_head()).body(kClaudeAnswer));
  fixture.handle(post(
      "/v1/chat/claude-side",
      R"({"model":"m","max_tokens":5,"messages":[{"role":"user","content":[)"
      R"({"type":"text","text":"what?"},)"
      R"({"type":"image_url","url":"https://e.test/a.jpg"},)"
      R"({"type":"image_base64","data":"aGk=","mime_type":"image/jpeg"}]}]})"));
  CHECK(fixture.sink->status() == 200);
  const std::string body = sent(fixture).body;
  CHECK(at(body, "messages", 0, "content", 1, "source", "url") ==
        "https://e.test/a.jpg");
  CHECK(at(body, "messages", 0, "content", 2, "source", "data") == "aGk=");
  CHECK(at(body, "messages", 0, "content", 2, "source", "media_type") ==
        "image/jpeg");
}

TEST_CASE("images in answers come as content parts") {
  Config config = test_config();
  config.backends.push_back(
      test_backend("gemini", "gemini", "http://gemini.test", "k-gemini-key"));
  GatewayFixture fixture(std::move(config));
  fixture.upstream->play(
      Script()
          .head(200, json_head())
          .body(
              R"({"candidates":[{"content":{"role":"model","parts":[{"text":"here"},)"
              R"({"inlineData":{"mimeType":"image/png","data":"aGk="}}]},)"
              R"("finishReason":"STOP"}],"modelVersion":"g"})"));
  fixture.handle(post("/v1/chat/gemini", kSimple));
  CHECK(fixture.sink->status() == 200);
  const std::string body = fixture.sink->body();
  CHECK(at(body, "content") == "here");
  CHECK(at(body, "content_parts", 1, "type") == "image_base64");
  CHECK(at(body, "content_parts", 1, "mime_type") == "image/png");
  CHECK(at(body, "content_parts", 1, "data") == "aGk=");
  CHECK(at(body, "stop_reason") == "STOP");
}

TEST_CASE("streams are the upstream's own bytes") {
  GatewayFixture fixture;
  fixture.upstream->play(Script().head(200, sse_head()).body(kClaudeStream));
  fixture.handle(post("/v1/chat/claude-side",
                      R"({"model":"m","max_tokens":5,"stream":true,)"
                      R"("messages":[{"role":"user","content":"hi"}]})"));
  CHECK(fixture.sink->status() == 200);
  CHECK(fixture.sink->body() == kClaudeStream);
  CHECK(fixture.sink->header("content-type") == "text/event-stream");
  CHECK(fixture.record().output_tokens);
  // What the upstream has no field for is told here, too.
  fixture.fresh_sink();
  fixture.upstream->play(Script().head(200, sse_head()).body(kClaudeStream));
  fixture.handle(post("/v1/chat/claude-side",
                      R"({"model":"m","max_tokens":5,"stream":true,"seed":7,)"
                      R"("messages":[{"role":"user","content":"hi"}]})"));
  CHECK(contains(fixture.sink->header("x-llmproxy-loss"), "seed"));
}

TEST_CASE("an upstream's error keeps its status and body") {
  GatewayFixture fixture;
  const std::string error = R"({"type":"error","error":{"type":"x"}})";
  fixture.upstream->play(Script().head(418, json_head()).body(error));
  fixture.handle(post("/v1/chat/claude-side", kSimple));
  CHECK(fixture.sink->status() == 418);
  CHECK(fixture.sink->body() == error);
  fixture.fresh_sink();
  fixture.upstream->play(
      Script().fail(ErrorKind::upstream_unreachable, "broke"));
  fixture.handle(post("/v1/chat/claude-side", kSimple));
  CHECK(fixture.sink->status() == 502);
}

TEST_CASE("bad simple bodies are told where they are bad") {
  GatewayFixture fixture;
  fixture.handle(post("/v1/chat/openai-side",
                      R"({"model":"m","messages":[{"role":"user","content":)"
                      R"([{"type":"image_url"}]}]})"));
  CHECK(fixture.sink->status() == 400);
  CHECK(contains(fixture.sink->body(), "url is required"));
  fixture.fresh_sink();
  fixture.handle(post("/v1/chat/openai-side", "[]"));
  CHECK(fixture.sink->status() == 400);
  fixture.fresh_sink();
  fixture.handle(get("/v1/chat/openai-side"));
  CHECK(fixture.sink->status() == 405);
}
