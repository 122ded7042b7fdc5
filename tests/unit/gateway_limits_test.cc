// Gateway: limits as clients meet them. limiter_test.cc has the counting.
#include <catch2/catch.hpp>

#include "support/gateway_fixture.h"
#include "support/upstream_texts.h"

using namespace llmproxy;
using namespace llmproxy::testing;

namespace {

Config config_with(Limits limits, std::vector<LimitOverride> overrides = {}) {
  Config config = test_config();
  config.limits.enabled = true;
  config.limits.limits = limits;
  config.limits.overrides = std::move(overrides);
  return config;
}

Limits per_day(std::int64_t requests, std::int64_t tokens = 0) {
  Limits limits;
  limits.requests_per_day = requests;
  limits.tokens_per_day = tokens;
  return limits;
}

/// Answers with `input` and `output` tokens.
Script counted(int input, int output) {
  return Script()
      .head(200, json_head())
      .body(
          R"({"id":"c","object":"chat.completion","model":"m","choices":[{"index":)"
          R"(0,"message":{"role":"assistant","content":"hi"},"finish_reason":)"
          R"("stop"}],"usage":{"prompt_tokens":)" +
          std::to_string(input) + R"(,"completion_tokens":)" +
          std::to_string(output) + R"(,"total_tokens":)" +
          std::to_string(input + output) + "}}");
}

int ask(GatewayFixture& fixture, HttpRequest request) {
  fixture.fresh_sink();
  fixture.upstream->play(counted(10, 20));
  fixture.handle(std::move(request));
  return fixture.sink->status();
}

HttpRequest of_user(const std::string& user) {
  HttpRequest request = openai_request("gpt");
  request.headers = {{"x-user-id", user}};
  return request;
}

}  // namespace

TEST_CASE("requests above a limit get 429 in the client's dialect") {
  GatewayFixture fixture(config_with(per_day(2)));
  CHECK(ask(fixture, openai_request("gpt")) == 200);
  CHECK(ask(fixture, claude_request("gpt")) == 200);
  CHECK(ask(fixture, claude_request("gpt")) == 429);
  CHECK(at(fixture.sink->body(), "error", "type") == "rate_limit_error");
  CHECK(at(fixture.sink->body(), "type") == "error");
  CHECK(std::stoi(fixture.sink->header("retry-after")) > 0);
  CHECK(fixture.sink->header("x-ratelimit-limit") == "2");
  CHECK(fixture.sink->header("x-ratelimit-remaining") == "0");
  CHECK(fixture.sink->header("x-ratelimit-window") == "day");
  CHECK(fixture.sink->header("x-ratelimit-metric") == "requests");
  CHECK(fixture.sink->header("x-ratelimit-scope") == "all");
  CHECK(fixture.upstream->requests().size() == 2);
  CHECK(ask(fixture, openai_request("gpt")) == 429);
  CHECK(at(fixture.sink->body(), "error", "code") == "rate_limit_exceeded");
}

TEST_CASE("what is passed on as it is counts as well") {
  GatewayFixture fixture(config_with(per_day(1)));
  HttpRequest request = openai_request("gpt");
  request.path = "/openai-side" + request.path;
  CHECK(ask(fixture, request) == 200);
  CHECK(ask(fixture, request) == 429);
  CHECK(ask(fixture, openai_request("gpt")) == 429);
  // What costs no tokens is not a request in this sense.
  CHECK(ask(fixture, get("/openai-side/v1/models")) == 200);
}

TEST_CASE("tokens are settled by what the upstream counted, output included") {
  // 30 tokens a request: after the first 30 of 35 are gone.
  GatewayFixture fixture(config_with(per_day(0, 35)));
  CHECK(ask(fixture, openai_request("gpt")) == 200);
  CHECK(ask(fixture, openai_request("gpt")) == 200);
  CHECK(ask(fixture, openai_request("gpt")) == 429);
  CHECK(fixture.sink->header("x-ratelimit-metric") == "tokens");
}

TEST_CASE("an upstream that fails costs nothing") {
  GatewayFixture fixture(config_with(per_day(1)));
  fixture.upstream->play(
      Script().fail(ErrorKind::upstream_unreachable, "broke"));
  fixture.handle(openai_request("gpt"));
  CHECK(fixture.sink->status() == 502);
  CHECK(ask(fixture, openai_request("gpt")) == 200);
  CHECK(ask(fixture, openai_request("gpt")) == 429);
}

TEST_CASE("users, models and providers have limits of their own") {
  GatewayFixture users(
      config_with({}, {{LimitKind::user, "*", per_day(1)},
                       {LimitKind::user, "boss", per_day(0)}}));
  CHECK(ask(users, of_user("alice")) == 200);
  CHECK(ask(users, of_user("alice")) == 429);
  CHECK(users.sink->header("x-ratelimit-scope") == "user:alice");
  CHECK(ask(users, of_user("bob")) == 200);
  CHECK(ask(users, of_user("boss")) == 200);
  CHECK(ask(users, of_user("boss")) == 200);

  GatewayFixture models(
      config_with({}, {{LimitKind::model, "gpt", per_day(1)}}));
  CHECK(ask(models, openai_request("gpt")) == 200);
  CHECK(ask(models, openai_request("gpt")) == 429);
  CHECK(ask(models, openai_request("gpt-other")) == 200);

  GatewayFixture providers(
      config_with({}, {{LimitKind::provider, "openai-side", per_day(1)}}));
  CHECK(ask(providers, openai_request("gpt")) == 200);
  CHECK(ask(providers, openai_request("gpt-other")) == 429);
}

TEST_CASE("clients are told apart by their keys, which nobody sees") {
  Config config = config_with({}, {{LimitKind::key, "*", per_day(1)}});
  config.server.client_keys.emplace_back("canary-alice");
  config.server.client_keys.emplace_back("canary-bob");
  GatewayFixture fixture(std::move(config));
  const auto of_key = [](const std::string& key) {
    HttpRequest request = openai_request("gpt");
    request.headers = {{"authorization", "Bearer " + key}};
    return request;
  };
  CHECK(ask(fixture, of_key("canary-alice")) == 200);
  CHECK(ask(fixture, of_key("canary-alice")) == 429);
  CHECK(fixture.sink->header("x-ratelimit-scope") == "key");
  CHECK_FALSE(contains(fixture.sink->body(), "canary"));
  CHECK(ask(fixture, of_key("canary-bob")) == 200);
  // Nobody gets more by sending keys that are made up besides.
  HttpRequest more = of_key("canary-alice");
  more.headers.push_back({"x-api-key", "made-up"});
  CHECK(ask(fixture, more) == 429);
}

TEST_CASE("what is passed on unread is limited too") {
  const char* body = R"({"model":"n","prompt":"hi"})";  // no chat
  GatewayFixture fixture(config_with(per_day(1)));
  const HttpRequest chat = post("/openai-side/v1/chat/completions", body);
  CHECK(ask(fixture, chat) == 200);
  CHECK(ask(fixture, chat) == 429);
  const HttpRequest other = post("/openai-side/v1/completions", body);
  CHECK(ask(fixture, other) == 429);
  // What cannot be counted is not let in; see gateway_bypass_test.cc.
  for (const char* unread :
       {R"({"model":"m","model":"n","messages":[]})", "no JSON"}) {
    CAPTURE(unread);
    GatewayFixture strict(config_with(per_day(1)));
    const HttpRequest request =
        post("/openai-side/v1/chat/completions", unread);
    CHECK(ask(strict, request) == 400);
    CHECK(strict.upstream->requests().empty());
  }
  GatewayFixture models(config_with({}, {{LimitKind::model, "n", per_day(1)}}));
  const HttpRequest request =
      post("/openai-side/v1/completions", R"({"model":"n","prompt":"hi"})");
  CHECK(ask(models, request) == 200);
  CHECK(ask(models, request) == 429);
}
