// Known paths in the spellings that wrong base URLs give them.
#include "gateway/known_path.h"

#include <catch2/catch.hpp>

#include "gateway/endpoints.h"
#include "support/gateway_fixture.h"
#include "support/upstream_texts.h"

using namespace llmproxy;
using namespace llmproxy::testing;
using namespace llmproxy::gateway;

namespace {

/// What a request comes to: the endpoint's path, "=" where it is the one that
/// was asked for, "405 METHODS" or "404".
std::string meaning(const std::string& method, const std::string& path) {
  const Match match = find_meant(method, path);
  if (match.endpoint) return match.path.empty() ? "=" : match.path;
  return match.allowed.empty() ? "404" : "405 " + match.allowed;
}

struct Row {
  std::string method;
  std::string path;
  std::string meant;
};

const Row kRows[] = {
    // As they are.
    {"POST", "/v1/chat/completions", "="},
    {"POST", "/api/v1/chat/completions", "="},
    {"POST", "/v1/messages", "="},
    {"POST", "/v1/messages/count_tokens", "="},
    {"POST", "/v1/responses", "="},
    {"POST", "/v1beta/models/m:generateContent", "="},
    {"POST", "/v1beta/models/openai/gpt:generateContent", "="},
    {"POST", "/model/m/converse", "="},
    {"POST", "/v1/chat/openai", "="},
    {"GET", "/v1/models", "="},
    {"GET", "/v1/models/team/gpt", "="},
    {"GET", "/v1/responses/resp_1", "="},
    {"GET", "/", "="},
    {"HEAD", "/", "="},
    {"GET", "/health", "="},
    // Without the version.
    {"POST", "/chat/completions", "/v1/chat/completions"},
    {"POST", "/messages", "/v1/messages"},
    {"POST", "/messages/count_tokens", "/v1/messages/count_tokens"},
    {"POST", "/responses", "/v1/responses"},
    {"POST", "/responses/input_tokens", "/v1/responses/input_tokens"},
    {"GET", "/responses/resp_1", "/v1/responses/resp_1"},
    {"DELETE", "/responses/resp_1", "/v1/responses/resp_1"},
    {"POST", "/models/m:generateContent", "/v1/models/m:generateContent"},
    {"POST", "/models/a/b:streamGenerateContent",
     "/v1/models/a/b:streamGenerateContent"},
    {"POST", "/models/m:countTokens", "/v1/models/m:countTokens"},
    {"GET", "/models", "/v1/models"},
    {"GET", "/models/team%2Fgpt", "/v1/models/team%2Fgpt"},
    {"POST", "/chat/openai", "/v1/chat/openai"},
    // With the version twice, or with two.
    {"POST", "/v1/v1/messages", "/v1/messages"},
    {"POST", "/v1/v1/v1/messages", "/v1/messages"},
    {"POST", "/v1/v1/chat/completions", "/v1/chat/completions"},
    {"POST", "/v1/v1/chat/openai", "/v1/chat/openai"},
    {"GET", "/v1/v1/models", "/v1/models"},
    {"GET", "/v1/v1/models/m", "/v1/models/m"},
    {"POST", "/v1beta/v1beta/models/m:generateContent",
     "/v1beta/models/m:generateContent"},
    {"POST", "/v1/v1beta/models/m:generateContent",
     "/v1beta/models/m:generateContent"},
    {"POST", "/v1beta/v1/models/m:generateContent",
     "/v1/models/m:generateContent"},
    {"POST", "/v1alpha/models/m:generateContent",
     "/v1/models/m:generateContent"},
    {"GET", "/v1/v1beta/models", "/v1beta/models"},
    {"GET", "/v1beta/v1beta/models", "/v1beta/models"},
    {"POST", "/v1beta/v1/messages", "/v1/messages"},
    // Where there is none.
    {"POST", "/v1/model/m/converse", "/model/m/converse"},
    {"POST", "/v1/model/m/invoke", "/model/m/invoke"},
    {"GET", "/v1/health", "/health"},
    {"HEAD", "/v1/healthz", "/healthz"},
    {"HEAD", "/v1/api/hello", "/api/hello"},
    {"POST", "/v1/api/event_logging/batch", "/api/event_logging/batch"},
    {"GET", "/v1", "/"},
    {"GET", "/v1/", "/"},
    {"HEAD", "/v1", "/"},
    // Slashes.
    {"POST", "//v1/chat/completions", "/v1/chat/completions"},
    {"POST", "///v1/messages", "/v1/messages"},
    {"POST", "/v1//messages", "/v1/messages"},
    {"POST", "/v1/messages/", "/v1/messages"},
    {"POST", "/v1/messages//", "/v1/messages"},
    {"POST", "/v1/chat/completions/", "/v1/chat/completions"},
    {"POST", "/v1//chat//completions/", "/v1/chat/completions"},
    {"POST", "//chat/completions", "/v1/chat/completions"},
    {"POST", "//v1beta/models/m:generateContent",
     "/v1beta/models/m:generateContent"},
    {"POST", "/v1beta//models//m:generateContent",
     "/v1beta/models/m:generateContent"},
    {"POST", "/v1beta/models/m:generateContent/",
     "/v1beta/models/m:generateContent"},
    {"POST", "//model/m/converse", "/model/m/converse"},
    {"GET", "/v1/models/", "/v1/models"},
    {"GET", "//v1/models", "/v1/models"},
    {"GET", "/v1/models/m/", "/v1/models/m"},
    {"GET", "/v1/responses/resp_1/", "/v1/responses/resp_1"},
    {"GET", "//", "/"},
    {"GET", "//health", "/health"},
    {"GET", "/health/", "/health"},
    // As vendors have them in their base URLs.
    {"GET", "/api/v1/models", "/v1/models"},
    {"GET", "/api/v1/models/m", "/v1/models/m"},
    {"POST", "/api/v1/messages", "/v1/messages"},
    {"POST", "/api/v1/messages/count_tokens", "/v1/messages/count_tokens"},
    {"POST", "/api/v1/responses", "/v1/responses"},
    {"GET", "/api/v1/health", "/health"},
    {"POST", "/api/v1beta/models/m:generateContent",
     "/v1beta/models/m:generateContent"},
    {"POST", "/openai/v1/responses", "/v1/responses"},
    {"POST", "/openai/chat/completions", "/v1/chat/completions"},
    {"POST", "/v1beta/openai/chat/completions", "/v1/chat/completions"},
    {"GET", "/v1beta/openai/models", "/v1/models"},
    {"POST", "/anthropic/v1/messages", "/v1/messages"},
    {"POST", "/inference/v1/chat/completions", "/v1/chat/completions"},
    // A base URL that is an endpoint.
    {"POST", "/v1/chat/completions/chat/completions", "/v1/chat/completions"},
    {"POST", "/v1/chat/completions/v1/chat/completions",
     "/v1/chat/completions"},
    {"POST", "/chat/completions/chat/completions", "/v1/chat/completions"},
    {"POST", "/v1/chat/chat/completions", "/v1/chat/completions"},
    {"GET", "/v1/chat/completions/models", "/v1/models"},
    {"GET", "/v1/chat/models", "/v1/models"},
    {"POST", "/v1/messages/v1/messages", "/v1/messages"},
    {"POST", "/v1/messages/v1/messages/count_tokens",
     "/v1/messages/count_tokens"},
    {"POST", "/v1/messages/messages", "/v1/messages"},
    {"POST", "/v1/responses/responses", "/v1/responses"},
    {"GET", "/v1/responses/responses/resp_1", "/v1/responses/resp_1"},
    {"POST", "/v1/models/chat/completions", "/v1/chat/completions"},
    {"POST", "/v1/chat/completions/responses", "/v1/responses"},
    // What is no chat.
    {"POST", "/embeddings", "/v1/embeddings"},
    {"POST", "/v1/v1/audio/transcriptions", "/v1/audio/transcriptions"},
    {"POST", "/v1/embeddings/embeddings", "/v1/embeddings"},
    {"POST", "//v1/completions/", "/v1/completions"},
    {"POST", "/v1/chat/completions/embeddings", "/v1/embeddings"},
    {"POST", "/models/m:embedContent", "/v1/models/m:embedContent"},
    {"POST", "/v2/rerank", "="},
    {"POST", "/api/v2/rerank", "/v2/rerank"},
    {"POST", "/v1/v2/rerank", "/v2/rerank"},
    // Another method.
    {"GET", "/v1/messages", "405 POST"},
    {"GET", "/messages", "405 POST"},
    {"GET", "/v1/messages/", "405 POST"},
    {"GET", "/v1/chat/completions/", "405 POST"},
    {"PUT", "//v1/messages", "405 POST"},
    {"POST", "/v1/models", "405 GET"},
    {"POST", "/models", "405 GET"},
    {"DELETE", "/v1/models/m", "405 GET"},
    {"POST", "/v1/health", "405 GET, HEAD"},
    {"POST", "/", "405 GET, HEAD"},
    // Nobody can tell.
    {"POST", "/v1", "404"},
    {"POST", "//", "404"},
    {"POST", "/foo", "404"},
    {"GET", "/v1/nothing", "404"},
    {"POST", "/foo/v1/messages", "404"},
    {"POST", "/v1/messages/foo", "404"},
    {"POST", "/v1/messages/batches", "404"},
    {"POST", "/v1/messages/../chat/completions", "404"},
    {"POST", "/./v1/messages", "404"},
    {"POST", "/v2/messages", "404"},
    {"POST", "/v1/Messages", "404"},
    {"POST", "/v1messages", "404"},
    {"POST", "/demo:generateContent", "404"},
    // Nothing is decoded.
    {"POST", "/v1%2Fmessages", "404"},
    {"POST", "%2Fv1/messages", "404"},
    {"POST", "/%2F/v1/messages", "404"},
    {"POST", "/v%31/messages", "404"},
    {"POST", "/v1/v1/mess%61ges", "404"},
    {"GET", "/v1/responses/resp_1/input_items", "404"},
    {"POST", "/v1/responses/compact", "404"},
    {"GET", "", "404"},
    {"GET", "v1/models", "404"},
};

}  // namespace

TEST_CASE("a wrong base URL leads to the path that is meant", "[paths]") {
  for (const Row& row : kRows) {
    CAPTURE(row.method, row.path);
    CHECK(meaning(row.method, row.path) == row.meant);
  }
}

TEST_CASE("every path of every dialect is found in every spelling", "[paths]") {
  for (const Dialect* dialect : dialects()) {
    for (const ClientPath& client : dialect->client_paths) {
      std::string path(client.pattern);
      const std::size_t at = path.find("{model}");
      if (at != std::string::npos) path.replace(at, 7, "some/model");
      for (const std::string& spelled :
           {"/" + path, path + "/", "//" + path + "//", "/v1" + path,
            "/api" + path, "/v1/v1" + path, "/openai/v1" + path}) {
        CAPTURE(spelled);
        const Match match = find_meant("POST", spelled);
        REQUIRE(match.endpoint);
        CHECK(&asking_dialect(match.path.empty() ? spelled : match.path, {}) ==
              dialect);
        CHECK(&asking_dialect(spelled, {}) == dialect);
        CHECK(match.endpoint->key == Key::required);
      }
    }
  }
}

TEST_CASE("a long path costs no more than a short one", "[paths]") {
  int asked = 0;
  std::string path;
  for (int i = 0; i < 10'000; ++i) path += "/v1";
  path += "/messages";
  const auto found = known_path(path, {[&](std::string_view) {
                                         ++asked;
                                         return false;
                                       },
                                       [](std::string_view) { return true; }});
  CHECK_FALSE(found);
  CHECK(asked < 50);
}

TEST_CASE("a client with a wrong base URL is answered", "[paths]") {
  struct Asked {
    const char* path;
    HttpRequest request;
  };
  const Asked rows[] = {
      {"/chat/completions", openai_request("gpt")},
      {"//v1/chat/completions", openai_request("gpt")},
      {"/v1/chat/completions/chat/completions", openai_request("gpt")},
      {"/v1/v1/messages", claude_request("gpt")},
      {"/messages/", claude_request("gpt")},
      {"/models/gpt:generateContent",
       post("", R"({"contents":[{"parts":[{"text":"hi"}]}]})")},
      {"/v1/v1beta/models/gpt:generateContent",
       post("", R"({"contents":[{"parts":[{"text":"hi"}]}]})")},
  };
  for (const Asked& row : rows) {
    CAPTURE(row.path);
    GatewayFixture fixture;
    fixture.upstream->play(Script().head(200, json_head()).body(kOpenAiAnswer));
    HttpRequest request = row.request;
    request.path = row.path;
    fixture.handle(std::move(request));
    CHECK(fixture.sink->status() == 200);
    REQUIRE(fixture.upstream->requests().size() == 1);
    CHECK(fixture.upstream->requests()[0].url ==
          "http://openai.test/v1/chat/completions");
    CHECK(at(fixture.upstream->requests()[0].body, "model") == "gpt-up");
    // The log has what was asked.
    CHECK(fixture.record().path == row.path);
  }
}

TEST_CASE("keys and limits hold for every spelling", "[paths]") {
  Config config = test_config();
  config.server.client_keys.emplace_back(kClientKey);
  config.limits.enabled = true;
  config.limits.limits.requests_per_day = 1;
  for (const char* path : {"/messages", "//v1/messages", "/v1/v1/messages",
                           "/v1/messages/", "/api/v1/messages"}) {
    CAPTURE(path);
    GatewayFixture fixture(config);
    HttpRequest request = claude_request("claude");
    request.path = path;
    fixture.handle(request);
    CHECK(fixture.sink->status() == 401);
    CHECK(fixture.upstream->requests().empty());
    request.headers = {{"x-api-key", kClientKey}};
    for (const int status : {200, 429}) {
      fixture.fresh_sink();
      fixture.upstream->play(
          Script().head(200, json_head()).body(kClaudeAnswer));
      fixture.handle(request);
      CHECK(fixture.sink->status() == status);
    }
  }
  for (const char* path : {"/models", "//v1/models", "/v1/models/",
                           "/responses/resp_x", "/chat/openai-side"}) {
    CAPTURE(path);
    GatewayFixture fixture(config);
    fixture.handle(std::string(path).starts_with("/chat") ? post(path, "{}")
                                                          : get(path));
    CHECK(fixture.sink->status() == 401);
  }
}

TEST_CASE("what is left is told, in the client's own words", "[paths]") {
  struct Left {
    HttpRequest request;
    std::vector<std::string> said;
  };
  const Headers host = {{"host", "proxy.local:8080"}};
  Headers claude = host;
  claude.push_back({"anthropic-version", "2023-06-01"});
  Headers gemini = host;
  gemini.push_back({"x-goog-api-key", "k"});
  const Left rows[] = {
      {post("/v1/foo", "{}", host),
       {R"("message":"there is no POST /v1/foo here)",
        "OpenAI client ends in /v1: http://proxy.local:8080/v1",
        R"("code":"unknown_url")", R"("type":"invalid_request_error")"}},
      {post("/v1/foo", "{}", claude),
       {"there is no POST /v1/foo here", "Anthropic client ends without /v1",
        "http://proxy.local:8080 (", "not_found_error"}},
      {post("/v1beta/foo", "{}", gemini),
       {"there is no POST /v1beta/foo here", "http://proxy.local:8080 (",
        R"("status":"NOT_FOUND")"}},
      {post("/model/x/foo", "{}", host),
       {"there is no POST /model/x/foo here", "Bedrock"}},
      {get("/v1/foo",
           {{"host", "proxy.local"}, {"x-forwarded-proto", "https"}}),
       {"https://proxy.local/v1"}},
      {get("/v1/foo", {}), {"http://THIS-PROXY/v1"}},
  };
  Config config = test_config();
  config.server.hosts = {"*"};
  for (const Left& row : rows) {
    CAPTURE(row.request.path);
    GatewayFixture fixture(config);
    fixture.handle(row.request);
    CHECK(fixture.sink->status() == 404);
    for (const std::string& said : row.said) {
      CAPTURE(said, fixture.sink->body());
      CHECK(contains(fixture.sink->body(), said));
    }
    CHECK_FALSE(contains(fixture.sink->body(), "model_not_found"));
    CHECK(fixture.record().error == "not_found, code unknown_url");
    CHECK(fixture.upstream->requests().empty());
  }
}

TEST_CASE("a Host that is none is not repeated", "[paths]") {
  Config config = test_config();
  config.server.hosts = {"*"};
  for (const char* host : {"<script>", "a b", "\"x", "evil.test/path",
                           "user@evil.test", "a\xff"}) {
    CAPTURE(host);
    GatewayFixture fixture(config);
    fixture.handle(get("/v1/foo", {{"host", host}}));
    CHECK(fixture.sink->status() == 404);
    CHECK(contains(fixture.sink->body(), "http://THIS-PROXY/v1"));
  }
}

TEST_CASE("a method that a path does not take is named", "[paths]") {
  GatewayFixture fixture;
  fixture.handle(get("/messages"));
  CHECK(fixture.sink->status() == 405);
  CHECK(fixture.sink->header("allow") == "POST");
  CHECK(at(fixture.sink->body(), "error", "message") ==
        "the method GET is not supported for /messages; use POST");
  CHECK(at(fixture.sink->body(), "type") == "error");
}

TEST_CASE("an unknown provider in the path is no unknown model", "[paths]") {
  GatewayFixture fixture;
  fixture.handle(post("/v1/chat/nobody", R"({"messages":[]})"));
  CHECK(fixture.sink->status() == 404);
  CHECK(at(fixture.sink->body(), "error", "code") == "unknown_url");
  CHECK(contains(fixture.sink->body(), "/v1/chat/completions"));
}
