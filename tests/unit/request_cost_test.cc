// What one request may cost: the bound on values in every dialect, and texts
// that are freed or passed on instead of being copied.
#include <catch2/catch.hpp>

#include "llmproxy/translate.h"
#include "support/gateway_fixture.h"
#include "support/upstream_texts.h"

using namespace llmproxy;
using namespace llmproxy::testing;

namespace {

/// `count` empty arrays, as elements of one more.
std::string arrays(std::size_t count) {
  std::string out = "[[]";
  for (std::size_t i = 1; i < count; ++i) out += ",[]";
  return out + "]";
}

struct PathRow {
  std::string_view dialect;
  std::string path;
  int status;
};

/// Each dialect's chat, and what it answers to a body that is too large.
std::vector<PathRow> chat_paths() {
  return {{"openai-chat", kOpenAiPath, 413},
          {"claude", kClaudePath, 413},
          {"openai-responses", "/v1/responses", 413},
          {"gemini", "/v1beta/models/gpt:generateContent", 413},
          {"bedrock", "/model/gpt/invoke", 413},
          {"bedrock-converse", "/model/gpt/converse", 413}};
}

Config config_with_values(std::size_t most) {
  Config config = test_config();
  config.server.max_body_values = most;
  return config;
}

std::string body_of(std::size_t values) {
  // The object, two values before the array, the array itself.
  return R"({"model":"gpt","max_tokens":9,"x":)" + arrays(values - 4) + "}";
}

}  // namespace

TEST_CASE("a body of too many values is refused in every dialect") {
  for (const PathRow& row : chat_paths()) {
    INFO(row.dialect);
    GatewayFixture fixture(config_with_values(1000));
    fixture.handle(post(row.path, body_of(1001)));
    CHECK(fixture.sink->status() == row.status);
    CHECK(contains(fixture.sink->body(), "more than 1000 values"));
    CHECK(fixture.upstream->requests().empty());
    // One less is read, whatever is found in it.
    fixture.fresh_sink();
    fixture.handle(post(row.path, body_of(1000)));
    CHECK_FALSE(contains(fixture.sink->body(), "values"));
  }
}

TEST_CASE("what is counted or simplified has the same bound") {
  for (const char* path :
       {"/v1/messages/count_tokens", "/v1/chat/openai-side"}) {
    INFO(path);
    GatewayFixture fixture(config_with_values(1000));
    fixture.handle(post(path, body_of(1001)));
    CHECK(fixture.sink->status() == 413);
    CHECK(fixture.upstream->requests().empty());
  }
}

TEST_CASE("what is passed on is not read, unless it must be counted") {
  Config config = config_with_values(1000);
  GatewayFixture unlimited(config);
  unlimited.upstream->play(Script().head(200, json_head()).body("{}"));
  unlimited.handle(
      post(std::string("/openai-side") + kOpenAiPath, body_of(1001)));
  CHECK(unlimited.sink->status() == 200);

  config.limits.enabled = true;
  config.limits.limits.requests_per_day = 10;
  GatewayFixture limited(config);
  for (const char* path : {kOpenAiPath, "/v1/embeddings"}) {
    limited.fresh_sink();
    limited.handle(post(std::string("/openai-side") + path, body_of(1001)));
    CHECK(limited.sink->status() == 413);
  }
  CHECK(limited.upstream->requests().empty());
  limited.fresh_sink();
  limited.upstream->play(Script().head(200, json_head()).body("{}"));
  limited.handle(post("/openai-side/v1/files", "no JSON " + arrays(1001)));
  CHECK(limited.sink->status() == 200);
}

TEST_CASE("an answer of too many values is the upstream's fault") {
  GatewayFixture fixture;
  fixture.upstream->play(
      Script().head(200, json_head()).body(arrays(kDefaultMaxValues)));
  fixture.handle(claude_request("gpt"));
  CHECK(fixture.sink->status() == 502);
  CHECK(contains(fixture.sink->body(), "values"));
}

TEST_CASE("an event of too many values ends the stream with an error") {
  for (const Dialect* to : dialects()) {
    INFO(to->name);
    StreamTranslator stream(*find_dialect("openai-chat"), *to);
    std::string out;
    stream.feed("data: {\"x\":" + arrays(kDefaultMaxValues) + "}\n\n", out);
    REQUIRE(stream.error() != nullptr);
    CHECK(stream.error()->kind == ErrorKind::upstream_malformed);
  }
}

TEST_CASE("a request that is given up is translated as any other") {
  const std::string body =
      R"({"model":"m","max_tokens":9,"messages":[{"role":"user",)"
      R"("content":"caf\u00e9"}],"tools":[]})";
  const Dialect& claude = *find_dialect("claude");
  for (const Dialect* to : dialects()) {
    INFO(to->name);
    for (const char* model : {"", "m", "another-and-longer-name"}) {
      TranslateOptions options;
      options.model = model;
      auto parsed = ParsedRequest::parse(claude, body);
      REQUIRE(parsed);
      const auto kept = translate_request(*parsed, *to, options);
      const auto given = translate_request(*std::move(parsed), *to, options);
      REQUIRE(kept);
      REQUIRE(given);
      CHECK(kept->body == given->body);
      CHECK(kept->path == given->path);
      CHECK(kept->context == given->context);
      CHECK(kept->losses == given->losses);
    }
  }
}

TEST_CASE("a request with images by URL can be translated again") {
  const std::string body =
      R"({"model":"m","messages":[{"role":"user","content":[{"type":)"
      R"("image_url","image_url":{"url":"https://images.test/a.png"}}]}]})";
  const Dialect& converse = *find_dialect("bedrock-converse");
  auto parsed = ParsedRequest::parse(*find_dialect("openai-chat"), body);
  REQUIRE(parsed);
  // Moved from and whole: that is what is tested.
  // NOLINTBEGIN(bugprone-use-after-move)
  CHECK_FALSE(translate_request(*std::move(parsed), converse));
  TranslateOptions options;
  options.fetch_image = [](const std::string&) -> Result<MediaSource> {
    return MediaSource{MediaKind::base64, "aGk=", "image/png"};
  };
  const auto sent = translate_request(*std::move(parsed), converse, options);
  // NOLINTEND(bugprone-use-after-move)
  REQUIRE(sent);
  CHECK(contains(sent->body, "aGk="));
}

TEST_CASE("a body can be taken back as it came") {
  const std::string body = R"({"model": "m", "messages": []})";
  auto parsed = ParsedRequest::parse(*find_dialect("openai-chat"), body);
  REQUIRE(parsed);
  const std::string taken = (*std::move(parsed)).take_body();
  CHECK(taken == body);
}

TEST_CASE("of very many losses the first are told, and that there are more") {
  std::string body = R"({"model":"m","messages":[{"role":"user","content":)"
                     R"("hi"}])";
  constexpr int kUnknown = 3000;
  for (int i = 0; i < kUnknown; ++i) {
    body += ",\"x" + std::to_string(i) + "\":1";
  }
  const auto sent = translate_request(*find_dialect("openai-chat"),
                                      *find_dialect("gemini"), body + "}");
  REQUIRE(sent);
  REQUIRE(sent->losses.size() == 200);
  CHECK(sent->losses.front().path == "/x0");
  CHECK(sent->losses.back().what == "more was lost than is listed here");
}

TEST_CASE("arguments of too many values are refused") {
  const std::string body =
      R"({"model":"m","messages":[{"role":"user","content":"hi"},)"
      R"({"role":"assistant","tool_calls":[{"id":"c","type":"function",)"
      R"("function":{"name":"t","arguments":"{\"x\":)" +
      arrays(kDefaultMaxValues) + R"(}"}}]}]})";
  for (const Dialect* to : dialects()) {
    if (to->name == "openai-chat") continue;
    INFO(to->name);
    const auto sent =
        translate_request(*find_dialect("openai-chat"), *to, body);
    REQUIRE_FALSE(sent);
    CHECK(sent.error().kind == ErrorKind::request_too_large);
    CHECK(contains(sent.error().path, "/messages/1"));
  }
}

TEST_CASE("long members are not repeated in the answer") {
  const std::string body = R"({"model":"m","input":"hi","metadata":{"a":"b"},)"
                           R"("instructions":")" +
                           std::string(300'000, 'i') + "\"}";
  const auto sent = translate_request(*find_dialect("openai-responses"),
                                      *find_dialect("claude"), body);
  REQUIRE(sent);
  CHECK(sent->body.size() > 300'000);
  CHECK(sent->context.echo.text() == R"({"metadata":{"a":"b"}})");
}
