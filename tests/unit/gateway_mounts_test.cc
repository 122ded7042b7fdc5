// Gateway: what is served below prefixes and below the names of backends.
#include <catch2/catch.hpp>

#include "support/gateway_fixture.h"
#include "support/test_data.h"
#include "support/upstream_texts.h"

using namespace llmproxy;
using namespace llmproxy::testing;

namespace {

Config config_of(const std::string& yaml) {
  const auto none = [](const std::string&) -> std::optional<std::string> {
    return std::nullopt;
  };
  auto config = parse_config(yaml, "c.yaml", none);
  REQUIRE(config);
  return *std::move(config);
}

Config config_file(const std::string& name) {
  return config_of(read_data("config/" + name));
}

Script openai_answer() {
  return Script().head(200, json_head()).body(kOpenAiAnswer);
}

const UpstreamRequest& sent(const GatewayFixture& fixture) {
  REQUIRE_FALSE(fixture.upstream->requests().empty());
  static UpstreamRequest last;
  last = fixture.upstream->requests().back();
  return last;
}

std::string sent_header(const GatewayFixture& fixture, std::string_view name) {
  return std::string(find_header(sent(fixture).headers, name));
}

const std::string kClaudeStream =
    kClaudeBegin + claude_text("Hello there") + kClaudeEnd;

}  // namespace

TEST_CASE("a prefix passes requests on with another model and key") {
  GatewayFixture fixture(config_file("dialect_proxy_pass.yaml"));
  fixture.upstream->play(openai_answer());
  HttpRequest request = post(
      "/openai/v1/chat/completions",
      R"({ "model":"gpt-4-proxy", "messages":[{"role":"user",)"
      R"("content":"hi"}],  "odd":1 })",
      {{"authorization", "Bearer client-own"}, {"x-api-key", "client-other"}});
  fixture.handle(std::move(request));
  CHECK(fixture.sink->status() == 200);
  CHECK(sent(fixture).url == "https://api.openai.com/v1/chat/completions");
  CHECK(sent(fixture).body ==
        R"({ "model":"gpt-4", "messages":[{"role":"user",)"
        R"("content":"hi"}],  "odd":1 })");
  // Its own key, and nothing of the client's.
  CHECK(sent_header(fixture, "authorization") == "Bearer sk-...");
  CHECK(sent_header(fixture, "x-api-key").empty());
}

TEST_CASE("a prefix translates where both dialects are given") {
  GatewayFixture fixture(config_file("dialect_proxy_translate.yaml"));
  fixture.upstream->play(Script().head(200, json_head()).body(kClaudeAnswer));
  HttpRequest request = openai_request("claude-via-openai");
  request.path = "/openai-compat" + request.path;
  fixture.handle(std::move(request));
  CHECK(fixture.sink->status() == 200);
  CHECK(sent(fixture).url == "https://api.anthropic.com/v1/messages");
  CHECK(sent_header(fixture, "x-api-key") == "sk-ant-...");
  CHECK(at(sent(fixture).body, "model") == "claude-3-5-sonnet-20241022");
  CHECK(at(fixture.sink->body(), "object") == "chat.completion");
}

TEST_CASE("names below different prefixes do not meet") {
  GatewayFixture fixture(config_file("dialect_proxy_translate.yaml"));
  HttpRequest request = openai_request("gpt4-via-claude");
  request.path = "/openai-compat" + request.path;
  fixture.handle(std::move(request));
  CHECK(fixture.sink->status() == 404);
  fixture.fresh_sink();
  fixture.handle(openai_request("claude-via-openai"));
  CHECK(fixture.sink->status() == 404);
  fixture.fresh_sink();
  fixture.handle(get("/openai-compat/v1/models"));
  CHECK(fixture.sink->status() == 200);
  CHECK(at(fixture.sink->body(), "data", 0, "id") == "claude-via-openai");
  CHECK_FALSE(contains(fixture.sink->body(), "gpt4"));
  CHECK(fixture.upstream->requests().empty());
}

TEST_CASE("below a prefix a wrong base URL is no obstacle either") {
  const std::string entry =
      "models:\n  - {frontend_model_name: m, frontend_base_url: /p, "
      "backend_model_name: x, backend_base_url: 'http://up.test', "
      "backend_api_key: sk-ours}\n";
  struct Row {
    const char* path;
    const char* url;
  };
  // The version is the client's affair, as before.
  const Row rows[] = {
      {"/p/v1/messages", "http://up.test/v1/messages"},
      {"/p/messages", "http://up.test/messages"},
      {"/p//v1/messages", "http://up.test/v1/messages"},
      {"//p/v1/messages/", "http://up.test/v1/messages"},
      {"/p/v1/v1/messages", "http://up.test/v1/messages"},
      {"/p/v1/messages/v1/messages", "http://up.test/v1/messages"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.path);
    GatewayFixture fixture(config_of(entry));
    fixture.upstream->play(Script().head(200, json_head()).body(kClaudeAnswer));
    HttpRequest request = claude_request("m");
    request.path = row.path;
    request.headers = {{"x-api-key", "sk-clients"}};
    fixture.handle(std::move(request));
    CHECK(fixture.sink->status() == 200);
    CHECK(sent(fixture).url == row.url);
    CHECK(at(sent(fixture).body, "model") == "x");
    CHECK(sent_header(fixture, "authorization") == "Bearer sk-ours");
    CHECK(sent_header(fixture, "x-api-key").empty());
  }
  // What is none of ours goes on as it came.
  for (const char* rest : {"/v1/files", "//v1//files/", "/v1/v1/files",
                           "/v1/health", "/v1/messages/batches"}) {
    CAPTURE(rest);
    GatewayFixture fixture(config_of(entry));
    fixture.upstream->play(Script().head(200, json_head()).body("{}"));
    fixture.handle(get("/p" + std::string(rest)));
    CHECK(fixture.sink->status() == 200);
    CHECK(sent(fixture).url == "http://up.test" + std::string(rest));
  }
}

TEST_CASE("a backend's own API is spelled as the client spells it") {
  for (const char* rest :
       {"/chat/completions", "/v1/v1/messages", "//v1//messages/", "/models"}) {
    CAPTURE(rest);
    Config config = test_config();
    config.backends[0].base_url = "http://up.test";
    GatewayFixture fixture(config);
    fixture.upstream->play(Script().head(200, json_head()).body("{}"));
    fixture.handle(post("/openai-side" + std::string(rest), "{}"));
    CHECK(fixture.sink->status() == 200);
    CHECK(sent(fixture).url == "http://up.test" + std::string(rest));
  }
  // Nothing is passed on under another spelling of the name itself.
  GatewayFixture fixture;
  fixture.handle(get("//openai-side/v1/files"));
  CHECK(fixture.sink->status() == 404);
  CHECK(fixture.upstream->requests().empty());
}

TEST_CASE("an entry without a key passes the client's on") {
  const std::string entry =
      "models:\n  - {frontend_model_name: m, frontend_base_url: /p, "
      "backend_model_name: x, backend_base_url: 'http://up.test', ";
  GatewayFixture fixture(
      config_of(entry + "backend_api_key: '', frontend_dialect: openai-chat, "
                        "backend_dialect: claude}\n"));
  fixture.upstream->play(Script().head(200, json_head()).body(kClaudeAnswer));
  HttpRequest request = openai_request("m");
  request.path = "/p" + request.path;
  request.headers = {{"authorization", "Bearer sk-own"}};
  fixture.handle(std::move(request));
  CHECK(fixture.sink->status() == 200);
  // In the header of the dialect that is spoken there.
  CHECK(sent_header(fixture, "x-api-key") == "sk-own");
  CHECK(sent_header(fixture, "authorization").empty());
}

TEST_CASE("without dialects and without a key a prefix is only a prefix") {
  GatewayFixture fixture(config_of(
      "models:\n  - {frontend_model_name: m, frontend_base_url: /p, "
      "backend_model_name: x, backend_base_url: 'http://up.test'}\n"));
  fixture.upstream->play(Script().head(200, json_head()).body(kClaudeAnswer));
  HttpRequest request = claude_request("m");
  request.path = "/p" + request.path;
  request.query = "beta=true";
  request.headers = {{"x-api-key", "sk-own"},
                     {"authorization", "Bearer token"},
                     {"user-agent", "agent/1"},
                     {"anthropic-version", "2023-06-01"}};
  fixture.handle(std::move(request));
  CHECK(sent(fixture).url == "http://up.test/v1/messages?beta=true");
  CHECK(sent_header(fixture, "x-api-key") == "sk-own");
  CHECK(sent_header(fixture, "authorization") == "Bearer token");
  CHECK(sent_header(fixture, "user-agent") == "agent/1");

  fixture.fresh_sink();
  fixture.upstream->play(Script().head(200, json_head()).body("{}"));
  request = post("/p/v1beta/models/m:generateContent",
                 R"({"contents":[{"parts":[{"text":"hi"}]}]})");
  request.query = "key=sk-query";
  fixture.handle(std::move(request));
  CHECK(sent(fixture).url ==
        "http://up.test/v1beta/models/x:generateContent?key=sk-query");
  CHECK(sent_header(fixture, "authorization").empty());
}

TEST_CASE("system prompts are edited inside the client's bytes") {
  const std::string entry =
      "models:\n  - {frontend_model_name: m, frontend_base_url: /p, "
      "backend_model_name: x, backend_base_url: 'http://up.test', "
      "system_replacements: {secret agent: helper}, system_append: 'Be "
      "brief.'}\n";
  GatewayFixture fixture(config_of(entry));
  fixture.upstream->play(Script().head(200, json_head()).body(kClaudeAnswer));
  fixture.handle(post(
      "/p/v1/messages",
      R"({"model":"m","max_tokens":5, "system" : "You are a secret agent.",)"
      R"("messages":[{"role":"user","content":"secret agent  \u00e9"}]})"));
  CHECK(fixture.sink->status() == 200);
  CHECK(sent(fixture).url == "http://up.test/v1/messages");
  CHECK(sent(fixture).body ==
        R"({"model":"x","max_tokens":5, "system" : "You are a helper.)"
        R"(\n\nBe brief.",)"
        R"("messages":[{"role":"user","content":"secret agent  \u00e9"}]})");
}

TEST_CASE("a backend's whole API is served under its name") {
  GatewayFixture fixture;
  fixture.upstream->play(
      Script()
          .head(207, {{"content-type", "text/x-odd"}, {"x-vendor", "1"}})
          .body("as ")
          .body("it is"));
  HttpRequest request = post("/openai-side/v1/files/f-1?", "raw \x01 bytes",
                             {{"authorization", "Bearer sk-own"},
                              {"content-type", "multipart/form-data"},
                              {"cookie", "mine"},
                              {"connection", "keep-alive"}});
  request.method = "PUT";
  request.path = "/openai-side/v1/files/f-1";
  request.query = "a=1&b=%20";
  fixture.handle(std::move(request));
  CHECK(fixture.sink->status() == 207);
  CHECK(fixture.sink->body() == "as it is");
  CHECK(fixture.sink->header("content-type") == "text/x-odd");
  CHECK(fixture.sink->header("x-vendor") == "1");
  // The version that stands in both is there once.
  CHECK(sent(fixture).url == "http://openai.test/v1/files/f-1?a=1&b=%20");
  CHECK(sent(fixture).method == "PUT");
  CHECK(sent(fixture).body == "raw \x01 bytes");
  CHECK(sent_header(fixture, "authorization") == "Bearer sk-own");
  CHECK(sent_header(fixture, "content-type") == "multipart/form-data");
  CHECK(sent_header(fixture, "cookie").empty());
  CHECK(sent_header(fixture, "connection").empty());
}

TEST_CASE("the backend's key goes where a client brings none") {
  GatewayFixture fixture;
  fixture.upstream->play(openai_answer());
  fixture.handle(get("/openai-side/models"));
  CHECK(sent_header(fixture, "authorization") == "Bearer " + kOpenAiKey);
  CHECK(sent(fixture).url == "http://openai.test/v1/models");
}

TEST_CASE("keys of ours never leave") {
  Config config = test_config();
  config.server.client_keys.emplace_back(kClientKey);
  GatewayFixture fixture(std::move(config));
  fixture.handle(get("/openai-side/v1/models"));
  CHECK(fixture.sink->status() == 401);
  fixture.fresh_sink();
  fixture.upstream->play(openai_answer());
  HttpRequest request = get(
      "/openai-side/v1/models",
      {{"authorization", "Bearer " + kClientKey}, {"x-api-key", kClientKey}});
  request.query = "key=" + kClientKey + "&n=2";
  fixture.handle(std::move(request));
  CHECK(fixture.sink->status() == 200);
  CHECK(sent(fixture).url == "http://openai.test/v1/models?n=2");
  CHECK(sent_header(fixture, "authorization") == "Bearer " + kOpenAiKey);
  CHECK(sent_header(fixture, "x-api-key").empty());
}

TEST_CASE("tokens of answers that are passed on are counted") {
  GatewayFixture fixture;
  fixture.upstream->play(openai_answer());
  HttpRequest request = openai_request("gpt-x");
  request.path = "/openai-side" + request.path;
  fixture.handle(std::move(request));
  CHECK(fixture.sink->body() == kOpenAiAnswer);
  CHECK(fixture.record().model == "gpt-x");
  CHECK(fixture.record().backend == "openai-side");
  CHECK(fixture.record().input_tokens);
  CHECK(fixture.record().output_tokens);

  fixture.fresh_sink();
  fixture.upstream->play(Script().head(200, sse_head()).body(kClaudeStream));
  request = claude_request("claude-x", true);
  request.path = "/claude-side" + request.path;
  fixture.handle(std::move(request));
  CHECK(fixture.sink->body() == kClaudeStream);
  CHECK(fixture.record().stream);
  CHECK(fixture.record().output_tokens);
}

TEST_CASE("what an upstream refuses or breaks off comes through") {
  GatewayFixture fixture;
  fixture.upstream->play(Script().head(418, json_head()).body("{\"odd\":1}"));
  fixture.handle(get("/openai-side/v1/teapot"));
  CHECK(fixture.sink->status() == 418);
  CHECK(fixture.sink->body() == "{\"odd\":1}");
  fixture.fresh_sink();
  fixture.upstream->play(
      Script().fail(ErrorKind::upstream_unreachable, "broke"));
  fixture.handle(get("/openai-side/v1/models"));
  CHECK(fixture.sink->status() == 502);
  fixture.fresh_sink();
  fixture.upstream->play(Script()
                             .head(200, json_head())
                             .body("half")
                             .fail(ErrorKind::upstream_truncated, "broke"));
  fixture.handle(get("/openai-side/v1/models"));
  CHECK(fixture.sink->body() == "half");
  CHECK_FALSE(fixture.sink->finished());
}

TEST_CASE("an upstream that repeats our key is not passed on with it") {
  GatewayFixture fixture;
  const std::string told = "bad key " + kOpenAiKey + ".";
  fixture.upstream->play(
      Script()
          .head(401, {{"content-type", "text/plain"},
                      {"content-length", std::to_string(told.size())},
                      {"x-echo", kOpenAiKey}})
          .body(told.substr(0, 12))
          .body(told.substr(12)));
  fixture.handle(get("/openai-side/v1/models"));
  CHECK(fixture.sink->status() == 401);
  CHECK(fixture.sink->body() == "bad key [key].");
  CHECK(fixture.sink->header("content-length") == "14");
  CHECK(fixture.sink->header("x-echo") == "[key]");
}

TEST_CASE("our own paths win over a backend's name, and it can be hidden") {
  Config config = test_config();
  config.backends[0].name = "v1";
  config.routes.clear();
  GatewayFixture fixture(config);
  fixture.handle(get("/v1/models"));
  CHECK(fixture.sink->status() == 200);
  CHECK(fixture.upstream->requests().empty());
  config.server.backend_paths = false;
  GatewayFixture hidden(config);
  hidden.handle(get("/claude-side/v1/models"));
  CHECK(hidden.sink->status() == 404);
}

TEST_CASE("health tells how each provider does") {
  GatewayFixture fixture;
  fixture.handle(get("/health"));
  CHECK(at(fixture.sink->body(), "status") == "ok");
  CHECK(at(fixture.sink->body(), "providers", "openai-side", "status") ==
        "unused");
  fixture.upstream->play(openai_answer());
  fixture.fresh_sink();
  fixture.handle(openai_request("gpt"));
  fixture.upstream->play(
      Script().fail(ErrorKind::upstream_unreachable, "broke"));
  fixture.fresh_sink();
  fixture.handle(claude_request("claude"));
  fixture.fresh_sink();
  fixture.handle(get("/health"));
  const std::string body = fixture.sink->body();
  CHECK(at(body, "providers", "openai-side", "status") == "ok");
  CHECK(at(body, "providers", "openai-side", "requests") == "1");
  CHECK(at(body, "providers", "claude-side", "status") == "failing");
  CHECK(at(body, "providers", "claude-side", "last_status") == "502");
  CHECK_FALSE(contains(body, "canary"));
}

TEST_CASE("health tells strangers only that somebody is there") {
  Config config = test_config();
  config.server.client_keys.emplace_back(kClientKey);
  GatewayFixture fixture(std::move(config));
  fixture.handle(get("/health"));
  CHECK(fixture.sink->body() == R"({"status":"ok"})");
  fixture.fresh_sink();
  fixture.handle(get("/health", {{"x-api-key", kClientKey}}));
  CHECK(contains(fixture.sink->body(), "openai-side"));
}

TEST_CASE("pages of configured origins may call, others may not") {
  Config config = test_config();
  const Headers page = {{"origin", "https://app.test"},
                        {"access-control-request-method", "POST"},
                        {"access-control-request-headers", "x-api-key"}};
  HttpRequest ask = get(kOpenAiPath, page);
  ask.method = "OPTIONS";
  GatewayFixture closed(config);
  closed.handle(ask);
  CHECK(closed.sink->status() == 403);
  CHECK(closed.sink->header("access-control-allow-origin").empty());
  // Whoever looks into it, or into the log, is told why.
  CHECK(contains(closed.sink->body(), "server.cors.origins"));
  CHECK(contains(closed.sink->body(), "https://app.test"));
  CHECK(closed.record().outcome == "permission_denied");
  CHECK(contains(closed.record().error, "origin_not_in_cors_origins"));

  config.server.cors.origins = {"https://app.test"};
  GatewayFixture fixture(config);
  fixture.handle(ask);
  CHECK(fixture.sink->status() == 204);
  CHECK(fixture.sink->header("access-control-allow-origin") ==
        "https://app.test");
  CHECK(fixture.sink->header("access-control-allow-headers") == "x-api-key");
  fixture.fresh_sink();
  fixture.upstream->play(openai_answer());
  HttpRequest request = openai_request("gpt");
  request.headers = page;
  fixture.handle(std::move(request));
  CHECK(fixture.sink->header("access-control-allow-origin") ==
        "https://app.test");
  fixture.fresh_sink();
  fixture.handle(get("/v1/models", {{"origin", "https://evil.test"}}));
  CHECK(fixture.sink->header("access-control-allow-origin").empty());
}

TEST_CASE("a page that somebody visits cannot use an open proxy") {
  struct Row {
    const char* origin;
    int status;
  };
  const Row rows[] = {{"https://evil.test", 403},
                      {"http://evil.test:8080", 403},
                      {"http://localhost.evil.test", 403},
                      {"http://localhost:3000", 200},
                      {"https://127.0.0.1", 200},
                      {"http://[::1]:3000", 200},
                      {"null", 403},
                      {"vscode-webview://abc", 403}};
  for (const Row& row : rows) {
    CAPTURE(row.origin);
    GatewayFixture fixture;
    fixture.upstream->play(openai_answer());
    HttpRequest request = openai_request("gpt");
    request.headers = {{"origin", row.origin}, {"content-type", "text/plain"}};
    fixture.handle(std::move(request));
    CHECK(fixture.sink->status() == row.status);
    CHECK(fixture.upstream->requests().empty() == (row.status == 403));
  }
  // Where a key is asked for, the key says who may.
  Config config = test_config();
  config.server.client_keys.emplace_back(kClientKey);
  GatewayFixture keyed(std::move(config));
  keyed.upstream->play(openai_answer());
  HttpRequest request = openai_request("gpt");
  request.headers = {{"origin", "https://evil.test"},
                     {"x-api-key", kClientKey}};
  keyed.handle(std::move(request));
  CHECK(keyed.sink->status() == 200);
}

TEST_CASE("a client that reads slowly gets all of what is passed on") {
  GatewayFixture fixture;
  fixture.sink->set_capacity(1);
  fixture.upstream->play(
      Script().head(200, json_head()).body("one ").body("two ").body("three"));
  fixture.start(get("/openai-side/v1/models"));
  REQUIRE(eventually([&] {
    fixture.sink->read();
    return fixture.sink->finished();
  }));
  fixture.join();
  CHECK(fixture.sink->body() == "one two three");
  CHECK(fixture.sink->finished());
  CHECK(fixture.sink->faults().empty());
}

TEST_CASE("a path that some SDK puts before its own leads to the same place") {
  GatewayFixture fixture;
  fixture.upstream->play(openai_answer());
  HttpRequest request = openai_request("gpt");
  request.path = "/openai" + request.path;
  fixture.handle(std::move(request));
  CHECK(fixture.sink->status() == 200);
  CHECK(at(sent(fixture).body, "model") == "gpt-up");

  // Where a backend is called so it is that backend's API.
  Config config = test_config();
  config.backends[1].name = "openai";
  GatewayFixture named(std::move(config));
  named.upstream->play(openai_answer());
  request = openai_request("gpt");
  request.path = "/openai" + request.path;
  named.handle(std::move(request));
  CHECK(sent(named).url == "http://claude.test/v1/chat/completions");
}

TEST_CASE("what a base URL and a path share stands there once") {
  Config config = test_config();
  config.backends[0].base_url = "http://groq.test/openai/v1";
  for (const char* path :
       {"/openai-side/v1/models", "/openai-side/openai/v1/models",
        "/openai-side/models"}) {
    CAPTURE(path);
    GatewayFixture fixture(config);
    fixture.upstream->play(openai_answer());
    fixture.handle(get(path));
    CHECK(sent(fixture).url == "http://groq.test/openai/v1/models");
  }
}

TEST_CASE("who asks for a websocket is told that there is none") {
  GatewayFixture fixture;
  fixture.handle(get("/v1/responses",
                     {{"connection", "Upgrade"}, {"upgrade", "websocket"}}));
  CHECK(fixture.sink->status() == 426);
  CHECK(contains(fixture.sink->body(), "\"error\""));
}

TEST_CASE("models are listed for Gemini clients") {
  GatewayFixture fixture;
  fixture.handle(get("/v1/models", {{"x-goog-api-key", "k"}}));
  CHECK(at(fixture.sink->body(), "models", 0, "name") == "models/gpt");
  fixture.fresh_sink();
  fixture.handle(get("/v1beta/models/claude"));
  CHECK(at(fixture.sink->body(), "name") == "models/claude");
  fixture.fresh_sink();
  fixture.handle(get("/v1beta/models/nobody"));
  CHECK(fixture.sink->status() == 404);
  CHECK(at(fixture.sink->body(), "error", "status") == "NOT_FOUND");
}

TEST_CASE("an upstream does not say which pages may read an answer") {
  GatewayFixture fixture;
  fixture.upstream->play(
      Script()
          .head(200, {{"access-control-allow-origin", "*"}, {"x-vendor", "1"}})
          .body("{}"));
  fixture.handle(get("/openai-side/v1/models"));
  CHECK(fixture.sink->header("access-control-allow-origin").empty());
  CHECK(fixture.sink->header("x-vendor") == "1");
}

TEST_CASE("access key ids of ours are no credentials for an upstream") {
  Config config = test_config();
  config.server.client_access_keys.emplace_back("AKIDOFOURS");
  GatewayFixture fixture(std::move(config));
  fixture.upstream->play(openai_answer());
  fixture.handle(
      get("/openai-side/v1/models", {{"authorization",
                                      "AWS4-HMAC-SHA256 Credential="
                                      "AKIDOFOURS/20260102/us-east-1/bedrock/"
                                      "aws4_request, Signature=0"}}));
  CHECK(fixture.sink->status() == 200);
  CHECK(sent_header(fixture, "authorization") == "Bearer " + kOpenAiKey);
}

TEST_CASE("nobody climbs out of a base URL") {
  for (const char* path :
       {"/openai-side/v1/../../admin", "/openai-side/%2e%2e/admin",
        "/openai-side/v1/%2E%2E%2Fadmin", "/openai-side/./x",
        "/openai-side/..\\admin"}) {
    CAPTURE(path);
    GatewayFixture fixture;
    fixture.handle(get(path));
    CHECK(fixture.sink->status() == 400);
    CHECK(fixture.upstream->requests().empty());
  }
  GatewayFixture fixture;
  fixture.upstream->play(openai_answer());
  fixture.handle(get("/openai-side/v1/a..b/..."));
  CHECK(fixture.sink->status() == 200);
}

TEST_CASE("calls beyond the upstream's limit wait, also those passed on") {
  Config config = test_config();
  config.upstream.max_connections = 1;
  config.backends[0].deadlines.first_byte = std::chrono::milliseconds(20);
  GatewayFixture fixture(std::move(config));
  Gate gate;
  fixture.upstream->play(Script().head(200, json_head()).wait(gate).body("{}"));
  fixture.start(get("/openai-side/v1/models"));
  REQUIRE(eventually([&] { return !fixture.upstream->requests().empty(); }));
  RecordingSink second;
  fixture.gateway.handle(get("/openai-side/v1/models"), second);
  CHECK(second.status() == 503);
  CHECK(second.header("retry-after") == "1");
  gate.open();
  fixture.join();
  CHECK(fixture.sink->status() == 200);
}
