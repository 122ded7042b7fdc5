// Gateway: endpoints, client keys, models, and what is refused before any
// upstream is asked.
#include "llmproxy/gateway.h"

#include <set>

#include <catch2/catch.hpp>

#include "support/gateway_fixture.h"

using namespace llmproxy;
using namespace llmproxy::testing;

namespace {

const Headers kAsClaude = {{"anthropic-version", "2023-06-01"}};

Config config_with_keys() {
  Config config = test_config();
  config.server.client_keys = {Secret("first-key"), Secret(kClientKey)};
  return config;
}

HttpRequest with_header(HttpRequest request, std::string name,
                        std::string value) {
  request.headers.push_back({std::move(name), std::move(value)});
  return request;
}

}  // namespace

TEST_CASE("health is told to anybody") {
  GatewayFixture fixture(config_with_keys());
  for (const char* path : {"/health", "/healthz"}) {
    fixture.fresh_sink();
    fixture.handle(get(path));
    CHECK(fixture.sink->status() == 200);
    CHECK(fixture.sink->body() == R"({"status":"ok"})");
    CHECK(fixture.sink->header("content-type") == "application/json");
    CHECK(fixture.sink->header("content-length") == "15");
    CHECK(fixture.sink->finished());
    CHECK(fixture.sink->faults().empty());
  }
}

TEST_CASE("probes are answered without a body") {
  GatewayFixture fixture(config_with_keys());
  for (const char* path : {"/", "/api/hello", "/health"}) {
    fixture.fresh_sink();
    HttpRequest request = get(path);
    request.method = "HEAD";
    fixture.handle(std::move(request));
    CHECK(fixture.sink->status() == 200);
    CHECK(fixture.sink->body().empty());
    CHECK(fixture.sink->finished());
  }
}

TEST_CASE("models are listed in the shape of the dialect that asks") {
  GatewayFixture fixture;
  fixture.handle(get("/v1/models"));
  CHECK(fixture.sink->status() == 200);
  std::string body = fixture.sink->body();
  CHECK(at(body, "object") == "list");
  CHECK(at(body, "data", 0, "id") == "gpt");
  CHECK(at(body, "data", 0, "object") == "model");
  CHECK(at(body, "data", 0, "owned_by") == "openai-side");
  CHECK(std::stoll(at(body, "data", 0, "created")) > 1'700'000'000);
  CHECK(at(body, "data", 1, "id") == "claude");
  CHECK(at(body, "data", 2, "id") == "team/claude");
  // Patterns are no names.
  CHECK(at(body, "data", 3).empty());

  fixture.fresh_sink();
  fixture.handle(get("/v1/models", kAsClaude));
  body = fixture.sink->body();
  CHECK(at(body, "data", 0, "type") == "model");
  CHECK(at(body, "data", 0, "id") == "gpt");
  CHECK(at(body, "data", 0, "display_name") == "gpt");
  const std::string created = at(body, "data", 0, "created_at");
  CHECK(created.size() == std::string_view("2026-01-31T12:00:00Z").size());
  CHECK(created.back() == 'Z');
  CHECK(at(body, "has_more") == "false");
  CHECK(at(body, "first_id") == "gpt");
  CHECK(at(body, "last_id") == "team/claude");
}

TEST_CASE("an empty list of models has no first and no last") {
  Config config = test_config();
  config.routes = {{"gpt-*", "openai-side", ""}};
  GatewayFixture fixture(config);
  fixture.handle(get("/v1/models", kAsClaude));
  CHECK(fixture.sink->body() ==
        R"({"data":[],"has_more":false,"first_id":null,"last_id":null})");
}

TEST_CASE("one model is found by its name, encoded or not") {
  GatewayFixture fixture;
  for (const char* id : {"gpt", "team%2Fclaude", "team/claude", "gpt-any"}) {
    fixture.fresh_sink();
    fixture.handle(get(std::string("/v1/models/") + id));
    CHECK(fixture.sink->status() == 200);
    CHECK(at(fixture.sink->body(), "object") == "model");
  }
  fixture.fresh_sink();
  fixture.handle(get("/v1/models/team%2fclaude", kAsClaude));
  CHECK(at(fixture.sink->body(), "id") == "team/claude");
  CHECK(at(fixture.sink->body(), "type") == "model");

  fixture.fresh_sink();
  fixture.handle(get("/v1/models/none"));
  CHECK(fixture.sink->status() == 404);
  CHECK(at(fixture.sink->body(), "error", "code") == "model_not_found");
  // A "%" that encodes nothing is a character like any other.
  fixture.fresh_sink();
  fixture.handle(get("/v1/models/%zz%2"));
  CHECK(fixture.sink->status() == 404);
}

TEST_CASE("unknown paths and wrong methods") {
  GatewayFixture fixture;
  fixture.handle(get("/v1/nothing"));
  CHECK(fixture.sink->status() == 404);
  CHECK(contains(at(fixture.sink->body(), "error", "message"),
                 "there is no GET /v1/nothing here"));
  CHECK(at(fixture.sink->body(), "error", "code") == "unknown_url");

  fixture.fresh_sink();
  fixture.handle(get("/v1/nothing", kAsClaude));
  CHECK(fixture.sink->status() == 404);
  CHECK(at(fixture.sink->body(), "type") == "error");
  CHECK(at(fixture.sink->body(), "error", "type") == "not_found_error");

  fixture.fresh_sink();
  fixture.handle(get(kOpenAiPath));
  CHECK(fixture.sink->status() == 405);
  CHECK(fixture.sink->header("allow") == "POST");
  CHECK(at(fixture.sink->body(), "error", "message") ==
        "the method GET is not supported for /v1/chat/completions; use POST");

  fixture.fresh_sink();
  fixture.handle(post("/health", ""));
  CHECK(fixture.sink->status() == 405);
  CHECK(fixture.sink->header("allow") == "GET, HEAD");

  fixture.fresh_sink();
  fixture.handle(get(kClaudePath));
  CHECK(fixture.sink->status() == 405);
  CHECK(at(fixture.sink->body(), "type") == "error");
  CHECK(fixture.record().outcome == "invalid_request");
}

TEST_CASE("every answer carries an id of its own") {
  GatewayFixture fixture;
  std::set<std::string> ids;
  for (const char* path : {"/health", "/v1/models", "/none", "/health"}) {
    fixture.fresh_sink();
    fixture.handle(get(path));
    const std::string id = fixture.sink->header("x-llmproxy-request-id");
    CHECK(id.starts_with("req_"));
    CHECK(id == fixture.record().request_id);
    ids.insert(id);
  }
  CHECK(ids.size() == 4);
}

TEST_CASE("a key is asked for in either header") {
  GatewayFixture fixture(config_with_keys());
  const auto status = [&](HttpRequest request) {
    fixture.fresh_sink();
    fixture.handle(std::move(request));
    return fixture.sink->status();
  };
  const HttpRequest models = get("/v1/models");
  CHECK(status(with_header(models, "Authorization", "Bearer first-key")) ==
        200);
  CHECK(status(with_header(models, "authorization", "bearer " + kClientKey)) ==
        200);
  CHECK(status(with_header(models, "X-Api-Key", kClientKey)) == 200);
  // Claude Code sends both when both are set; one that fits is enough.
  CHECK(status(with_header(with_header(models, "x-api-key", "other"),
                           "authorization", "Bearer first-key")) == 200);

  CHECK(status(models) == 401);
  CHECK(status(with_header(models, "authorization", "Bearer wrong")) == 401);
  CHECK(status(with_header(models, "authorization", "Bearer ")) == 401);
  CHECK(status(with_header(models, "authorization", "first-key")) == 401);
  CHECK(status(with_header(models, "authorization", "Basic first-key")) == 401);
  CHECK(status(with_header(models, "x-api-key", "first-ke")) == 401);
  CHECK(status(with_header(models, "x-api-key", "first-key2")) == 401);
  CHECK(status(with_header(models, "x-api-key", "")) == 401);
}

TEST_CASE("a missing key is told in the client's dialect") {
  GatewayFixture fixture(config_with_keys());
  fixture.handle(openai_request("gpt"));
  CHECK(fixture.sink->status() == 401);
  CHECK_FALSE(at(fixture.sink->body(), "error", "message").empty());
  CHECK(fixture.record().outcome == "unauthenticated");

  fixture.fresh_sink();
  fixture.handle(claude_request("claude"));
  CHECK(fixture.sink->status() == 401);
  CHECK(at(fixture.sink->body(), "error", "type") == "authentication_error");
  CHECK(fixture.upstream->requests().empty());
}

TEST_CASE("a body over the limit is refused") {
  Config config = test_config();
  config.server.max_body_bytes = 100;
  GatewayFixture fixture(config);
  fixture.handle(post(kClaudePath, std::string(101, ' ')));
  CHECK(fixture.sink->status() == 413);
  CHECK(at(fixture.sink->body(), "error", "type") == "request_too_large");
  fixture.fresh_sink();
  fixture.handle(post(kOpenAiPath, std::string(101, ' ')));
  CHECK(fixture.sink->status() == 413);
  // At the limit it is read, and found to be no JSON.
  fixture.fresh_sink();
  fixture.handle(post(kOpenAiPath, std::string(100, ' ')));
  CHECK(fixture.sink->status() == 400);
}

TEST_CASE("an unknown model is a 404 in the dialect's own words") {
  GatewayFixture fixture;
  fixture.handle(openai_request("none"));
  CHECK(fixture.sink->status() == 404);
  CHECK(at(fixture.sink->body(), "error", "code") == "model_not_found");
  CHECK(contains(at(fixture.sink->body(), "error", "message"), "'none'"));

  fixture.fresh_sink();
  fixture.handle(claude_request("none", true));
  CHECK(fixture.sink->status() == 404);
  CHECK(at(fixture.sink->body(), "type") == "error");
  CHECK(at(fixture.sink->body(), "error", "type") == "not_found_error");
  CHECK(at(fixture.sink->body(), "request_id") ==
        fixture.sink->header("request-id"));
  CHECK(fixture.record().model == "none");
  CHECK(fixture.record().outcome == "not_found");

  // A name of any length neither fills the log nor comes back whole.
  fixture.fresh_sink();
  fixture.handle(openai_request(std::string(199, 'x') + "\xc3\xa9" +
                                std::string(100'000, 'y')));
  CHECK(fixture.sink->status() == 404);
  CHECK(fixture.sink->body().size() < 1000);
  CHECK(fixture.record().model == std::string(199, 'x') + "...");
  CHECK(fixture.upstream->requests().empty());
}

TEST_CASE("a bad body is a 400 that names the place") {
  GatewayFixture fixture;
  for (const char* body :
       {"", "{", "[]", "null", R"({"model":5})", R"({"messages":[]})",
        R"({"model":"gpt"} x)", "\xff\xfe"}) {
    for (const char* path : {kOpenAiPath, kClaudePath}) {
      fixture.fresh_sink();
      fixture.handle(post(path, body));
      CHECK(fixture.sink->status() == 400);
      CHECK_FALSE(at(fixture.sink->body(), "error", "message").empty());
      CHECK(fixture.sink->header("content-type") == "application/json");
    }
  }
  CHECK(fixture.upstream->requests().empty());
}

TEST_CASE("a request is recorded without its content") {
  GatewayFixture fixture;
  const std::string secret = "canary-content-3f";
  fixture.handle(post(kClaudePath,
                      R"({"model":"gpt","max_tokens":1,"messages":[{"role":")" +
                          secret + R"(","content":"x"}]})"));
  CHECK(fixture.sink->status() == 400);
  const RequestRecord record = fixture.record();
  CHECK(record.method == "POST");
  CHECK(record.path == kClaudePath);
  CHECK(record.peer == "192.0.2.7");
  CHECK(record.client_dialect == "claude");
  CHECK(record.model == "gpt");
  CHECK(record.status == 400);
  CHECK(record.outcome == "invalid_request");
  CHECK_FALSE(contains(record.error, secret));
  CHECK(record.first_byte);
  CHECK(record.total >= *record.first_byte);
}
