// Gateway: a key goes to the host it belongs to, once, and beside nothing that
// a client made up.
#include <catch2/catch.hpp>

#include "client/key_header.h"
#include "support/gateway_fixture.h"
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

Script openai_answer() {
  return Script().head(200, json_head()).body(kOpenAiAnswer);
}

Script claude_answer() {
  return Script().head(200, json_head()).body(kClaudeAnswer);
}

UpstreamRequest sent(const GatewayFixture& fixture) {
  REQUIRE_FALSE(fixture.upstream->requests().empty());
  return fixture.upstream->requests().back();
}

/// All values of one name, joined by "|".
std::string all(const Headers& headers, std::string_view name) {
  std::string out;
  for (const Header& header : headers) {
    if (!same_header_name(header.name, name)) continue;
    out += (out.empty() ? "" : "|") + header.value;
  }
  return out;
}

Headers passed_answer(Headers upstream) {
  GatewayFixture fixture;
  fixture.upstream->play(Script().head(200, std::move(upstream)).body("{}"));
  fixture.handle(get("/openai-side/v1/models"));
  CHECK(fixture.sink->status() == 200);
  return fixture.sink->headers();
}

}  // namespace

TEST_CASE("a path that no URL begins with reaches nobody") {
  for (const char* path :
       {"anthropic", "claude-side", "claude-side/@127.0.0.1:9/x",
        "claude-side/.evil.test/x", "claude-side@evil.test", "",
        "http://evil.test/", "/claude-side/v1/a b", "/claude-side/v1\\x",
        "/claude-side/v1/\tx", "/claude-side/v1/x#y",
        "/claude-side/v1/\xc3\xa9"}) {
    for (const char* method : {"GET", "POST", "OPTIONS"}) {
      CAPTURE(path, method);
      GatewayFixture fixture;
      fixture.upstream->play(claude_answer());
      HttpRequest request = get(path);
      request.method = method;
      fixture.handle(std::move(request));
      CHECK(fixture.sink->status() == 400);
      CHECK(fixture.upstream->requests().empty());
      CHECK(fixture.sink->finished());
    }
  }
  GatewayFixture fixture;
  HttpRequest request = get("/claude-side/v1/models");
  request.query = "a=1#b";
  fixture.handle(std::move(request));
  CHECK(fixture.sink->status() == 400);
}

TEST_CASE("a header that others take for two reaches nobody") {
  const std::vector<Header> rows = {
      {"x-api-key", std::string("a\0b", 3)},
      {"x-api-key", "a\r\nauthorization: b"},
      {"authorization", "Bearer a\rb"},
      {"anthropic-beta", "a\nb"},
      {"user-agent", "a\x7f"},
      {"x\r\ny", "a"},
      {"x y", "a"},
      {"", "a"},
  };
  for (const char* path : {"/v1/messages", "/claude-side/v1/models"}) {
    for (const Header& header : rows) {
      CAPTURE(path, header.name, header.value);
      GatewayFixture fixture;
      fixture.upstream->play(claude_answer());
      HttpRequest request = get(path);
      request.headers.push_back(header);
      fixture.handle(std::move(request));
      CHECK(fixture.sink->status() == 400);
      CHECK(fixture.upstream->requests().empty());
    }
  }
}

TEST_CASE("whatever a request says, it goes to its backend's host") {
  struct Row {
    std::string path;
    std::string body;
  };
  const std::string chat = R"(","max_tokens":9,"messages":[{"role":"user",)"
                           R"("content":"hi"}]})";
  const Row rows[] = {
      {"/claude-side/@evil.test/x", "{}"},
      {"/claude-side//evil.test/x", "{}"},
      {"/claude-side/%40evil.test", "{}"},
      {"/claude-side/:80@evil.test/", "{}"},
      {"/v1/messages", R"({"model":"any-@evil.test/x)" + chat},
      {"/v1/messages", R"({"model":"any-/../..//evil.test)" + chat},
      {"/v1beta/models/any-@evil.test:generateContent",
       R"({"contents":[{"parts":[{"text":"hi"}]}]})"},
      {"/v1beta/models/any-%2F..%2F@evil.test%23:generateContent",
       R"({"contents":[{"parts":[{"text":"hi"}]}]})"},
      {"/v1/chat/claude-side", R"({"model":"@evil.test/#?)" + chat},
  };
  for (const std::string_view provider : {"anthropic", "gemini", "bedrock"}) {
    Config config = test_config();
    config.backends[1] =
        test_backend("claude-side", provider, "http://up.test", kClaudeKey);
    config.routes.push_back({"any-*", "claude-side", "*"});
    for (const Row& row : rows) {
      CAPTURE(provider, row.path, row.body);
      GatewayFixture fixture(config);
      fixture.upstream->play(claude_answer());
      fixture.handle(post(row.path, row.body));
      for (const UpstreamRequest& request : fixture.upstream->requests()) {
        CHECK(request.url.starts_with("http://up.test/"));
      }
      CHECK(fixture.sink->finished());
    }
  }
}

TEST_CASE("a URL is the backend's only in scheme, host and port") {
  struct Row {
    const char* base;
    const char* url;
    bool near;
  };
  const Row rows[] = {
      {"http://up.test", "http://up.test", true},
      {"http://up.test", "http://up.test/x", true},
      {"http://up.test", "http://up.test?x", true},
      {"http://up.test/v1", "http://up.test/other", true},
      {"http://up.test:80", "http://up.test:80/", true},
      {"http://up.test", "http://up.test.evil.test/", false},
      {"http://up.test", "http://up.test@evil.test/", false},
      {"http://up.test", "http://up.test:8080/", false},
      {"http://up.test:80", "http://up.test:8080/", false},
      {"http://up.test", "https://up.test/", false},
      {"http://up.test", "http://up.test\\@evil.test/", false},
      {"http://up.test", "http://up.test/\\@evil.test/", false},
      {"http://up.test", "http://up.test\t/", false},
      {"http://up.test", "http://up.test/x\r\n", false},
      {"http://up.test", "http://up.test#@evil.test/", false},
      {"http://up.test", "http://up.tes", false},
      {"http://up.test", "", false},
      {"https://x.{region}.test", "https://x.eu-1.test/", true},
      {"https://x.{region}.test", "https://x.us-1.test/", false},
      {"demo:", "demo:/v1/messages", true},
      {"demo:", "http://up.test", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.base, row.url);
    Backend backend = test_backend("b", "anthropic", row.base, kClaudeKey);
    backend.aws.region = "eu-1";
    CHECK(leads_to(backend, row.url) == row.near);
    bool signed_there = false;
    for (const bool with_hook : {false, true}) {
      if (with_hook) {
        backend.sign = [&](UpstreamRequest&) { signed_there = true; };
      }
      UpstreamRequest request;
      request.url = row.url;
      authorize(backend, request);
      CHECK(request.url == (row.near ? row.url : ""));
      CHECK(find_header(request.headers, "x-api-key") ==
            (row.near && !with_hook ? kClaudeKey : ""));
    }
    CHECK(signed_there == row.near);
  }
}

TEST_CASE("no request is sent back or made a tunnel") {
  for (const char* method : {"TRACE", "CONNECT", "TRACK", "trace", "Connect"}) {
    for (const char* path :
         {"/openai-side/v1/models", "/v1/messages", "/health", "/nothing"}) {
      CAPTURE(method, path);
      GatewayFixture fixture;
      HttpRequest request = get(path);
      request.method = method;
      fixture.handle(std::move(request));
      CHECK(fixture.sink->status() == 405);
      CHECK(contains(fixture.sink->header("allow"), "POST"));
      CHECK(fixture.upstream->requests().empty());
    }
  }
  for (const char* method : {"", "GE T", "GET\r\nx: y", "G\xc3\xa9T"}) {
    CAPTURE(method);
    GatewayFixture fixture;
    HttpRequest request = get("/openai-side/v1/models");
    request.method = method;
    fixture.handle(std::move(request));
    CHECK(fixture.sink->status() == 400);
    CHECK(fixture.upstream->requests().empty());
  }
}

TEST_CASE("configured headers win over the client's") {
  Config config = config_of(R"(
backends:
  claude: {provider: anthropic, base_url: "http://claude.test", api_key: ours,
           headers: {anthropic-version: "2099", Anthropic-Beta: "mine, both",
                     x-internal: token-1}}
  openai: {base_url: "http://openai.test/v1", api_key: ours,
           auth_header: x-corp-key,
           headers: {OpenAI-Project: limited, openai-organization: forced,
                     openai-beta: one}}
models: {claude: claude, "/p/claude": claude, gpt: openai,
         m: {backend: claude, prefix: /p}})");
  const Headers client = {{"anthropic-version", "2023-06-01"},
                          {"Anthropic-beta", "both,theirs"},
                          {"anthropic-beta", " more "},
                          {"X-Internal", "forged"},
                          {"openai-project", "mine"},
                          {"openai-organization", "mine"},
                          {"openai-beta", "two"},
                          {"X-Corp-Key", "forged"}};
  const auto ask = [&](HttpRequest request) {
    GatewayFixture fixture(config);
    fixture.upstream->play(claude_answer());
    request.headers.insert(request.headers.end(), client.begin(), client.end());
    fixture.handle(std::move(request));
    return sent(fixture).headers;
  };
  HttpRequest below = claude_request("m");
  below.path = "/p" + below.path;
  HttpRequest file = post("/p/v1/files", "{}");
  HttpRequest passed = claude_request("claude");
  passed.path = "/claude" + passed.path;
  for (const HttpRequest& request :
       {claude_request("claude"), below, file, passed}) {
    CAPTURE(request.path);
    const Headers headers = ask(request);
    CHECK(all(headers, "anthropic-version") == "2099");
    CHECK(all(headers, "x-internal") == "token-1");
    CHECK(all(headers, "x-api-key") == "ours");
    std::string beta = all(headers, "anthropic-beta");
    std::erase(beta, ' ');
    CHECK(beta == "mine,both,theirs,more");
  }
  passed = openai_request("gpt");
  passed.path = "/openai" + passed.path;
  for (const HttpRequest& request : {openai_request("gpt"), passed}) {
    CAPTURE(request.path);
    const Headers headers = ask(request);
    CHECK(all(headers, "openai-project") == "limited");
    CHECK(all(headers, "openai-organization") == "forced");
    CHECK(all(headers, "openai-beta") == "one,two");
    CHECK(all(headers, "x-corp-key") == "ours");
    CHECK(all(headers, "authorization").empty());
  }
}

TEST_CASE("a client's version and betas stay where nothing is configured") {
  GatewayFixture fixture;
  fixture.upstream->play(claude_answer());
  HttpRequest request = claude_request("claude");
  request.headers = {{"anthropic-version", "2024-01-01"},
                     {"anthropic-beta", "a,b"},
                     {"anthropic-beta", "b,c"}};
  fixture.handle(std::move(request));
  CHECK(all(sent(fixture).headers, "anthropic-version") == "2024-01-01");
  CHECK(all(sent(fixture).headers, "anthropic-beta") == "a,b,c");
}

TEST_CASE("a key is sent once, or what stands in its place") {
  Backend backend =
      test_backend("b", "openai", "http://up.test/v1", kOpenAiKey);
  backend.headers = {{"Authorization", "Basic abc"}};
  CHECK(all(upstream_request(backend, "/x", "{}", false).headers,
            "authorization") == "Basic abc");
  backend.headers = {{"Accept", "text/odd"}, {"content-type", "text/odd"}};
  const Headers headers = upstream_request(backend, "/x", "{}", false).headers;
  CHECK(all(headers, "accept") == "text/odd");
  CHECK(all(headers, "content-type") == "text/odd");
  CHECK(all(headers, "authorization") == "Bearer " + kOpenAiKey);

  // A host's own signature, and one for AWS, beside what a client made up.
  UpstreamRequest request;
  request.url = "http://up.test/x";
  request.headers = {{"x-token", "forged"},
                     {"X-Amz-Date", "forged"},
                     {"x-amz-security-token", "forged"}};
  UpstreamRequest signed_by_host = request;
  backend.sign = [](UpstreamRequest& out) {
    out.headers.push_back({"X-Token", "real"});
  };
  authorize(backend, signed_by_host);
  CHECK(all(signed_by_host.headers, "x-token") == "real");
  Backend aws = test_backend("a", "bedrock", "http://up.test", "");
  aws.aws.access_key_id = "AKIA";
  aws.aws.secret_access_key = Secret("secret");
  authorize(aws, request);
  CHECK_FALSE(contains(all(request.headers, "x-amz-date"), "forged"));
  CHECK(all(request.headers, "x-amz-security-token").empty());
  CHECK(contains(all(request.headers, "authorization"), "AKIA"));
}

TEST_CASE("below a prefix with a key of ours nothing of the client's goes") {
  const std::string entry =
      "models:\n  - {frontend_model_name: m, frontend_base_url: /p, "
      "backend_model_name: real, backend_base_url: 'http://up.test'";
  const auto ask = [&](const std::string& more, HttpRequest request) {
    GatewayFixture fixture(config_of(entry + more + "}\n"));
    fixture.upstream->play(openai_answer());
    fixture.handle(std::move(request));
    CHECK(fixture.sink->status() == 200);
    return sent(fixture);
  };
  HttpRequest request =
      post("/p/v1/embeddings", R"({ "model" : "m", "input":"\u00e9", "n":1 })",
           {{"authorization", "Bearer client-own"},
            {"x-api-key", "client-own"},
            {"x-goog-api-key", "client-own"},
            {"api-key", "client-own"},
            {"x-amz-security-token", "client-own"},
            {"cookie", "client-own"},
            {"proxy-authorization", "client-own"},
            {"user-agent", "agent/1"}});
  request.query = "a=1&key=client-own&X-Amz-Signature=client-own";
  const UpstreamRequest ours = ask(", backend_api_key: ours", request);
  CHECK(ours.url == "http://up.test/v1/embeddings?a=1");
  CHECK(ours.body == R"({ "model" : "real", "input":"\u00e9", "n":1 })");
  CHECK(all(ours.headers, "authorization") == "Bearer ours");
  CHECK(all(ours.headers, "user-agent") == "agent/1");
  for (const Header& header : ours.headers) {
    CHECK_FALSE(contains(header.value, "client-own"));
  }
  const UpstreamRequest corp =
      ask(", backend_api_key: ours, backend_auth_header: x-api-key", request);
  CHECK(all(corp.headers, "x-api-key") == "ours");
  CHECK(all(corp.headers, "authorization").empty());

  // Without one the client's goes on.
  const UpstreamRequest theirs = ask("", request);
  CHECK(all(theirs.headers, "authorization") == "Bearer client-own");
  CHECK(contains(theirs.url, "key=client-own"));
  CHECK(theirs.body == ours.body);

  // What names no model of the prefix, or is no JSON, is passed on.
  for (const char* body : {R"({"model":"other"})", R"({"model":5})", "raw\x01",
                           "", R"([{"model":"m"}])"}) {
    request.body = body;
    CHECK(ask(", backend_api_key: ours", request).body == body);
  }
}

TEST_CASE("headers of the connection stay on their side") {
  GatewayFixture fixture;
  fixture.upstream->play(openai_answer());
  fixture.handle(
      get("/openai-side/v1/models", {{"Connection", "close, X-Secret-Hop"},
                                     {"connection", "x-other ,\tx-third"},
                                     {"x-secret-hop", "1"},
                                     {"X-Other", "1"},
                                     {"x-third", "1"},
                                     {"http2-settings", "AAA"},
                                     {"keep-alive", "5"},
                                     {"te", "trailers"},
                                     {"trailer", "x"},
                                     {"upgrade", "h2c"},
                                     {"proxy-authenticate", "1"},
                                     {"Proxy-Status", "1"},
                                     {"x-kept", "1"}}));
  const Headers headers = sent(fixture).headers;
  CHECK(all(headers, "x-kept") == "1");
  for (const char* name : {"connection", "x-secret-hop", "x-other", "x-third",
                           "http2-settings", "keep-alive", "te", "trailer",
                           "upgrade", "proxy-authenticate", "proxy-status"}) {
    CAPTURE(name);
    CHECK(all(headers, name).empty());
  }
  const Headers back = passed_answer({{"connection", "x-hop, X-Two"},
                                      {"Connection", "x-three"},
                                      {"x-hop", "1"},
                                      {"x-two", "1"},
                                      {"x-three", "1"},
                                      {"keep-alive", "timeout=5"},
                                      {"proxy-authenticate", "Basic"},
                                      {"transfer-encoding", "chunked"},
                                      {"x-vendor", "1"}});
  CHECK(all(back, "x-vendor") == "1");
  for (const char* name :
       {"connection", "x-hop", "x-two", "x-three", "keep-alive",
        "proxy-authenticate", "transfer-encoding"}) {
    CAPTURE(name);
    CHECK(all(back, name).empty());
  }
}

TEST_CASE("an upstream says nothing about our origin") {
  const Headers back =
      passed_answer({{"x y", "1"},
                     {"x-a\tb", "1"},
                     {"", "1"},
                     {"alt-svc", "h3=\":443\""},
                     {"Clear-Site-Data", "\"*\""},
                     {"strict-transport-security", "max-age=1"},
                     {"service-worker-allowed", "/"},
                     {"refresh", "0;url=http://evil.test"},
                     {"set-cookie", "a=b"},
                     {"nel", "{}"},
                     {"report-to", "{}"},
                     {"x-accel-redirect", "/etc/passwd"},
                     {"x-sendfile", "/etc/passwd"},
                     {"x-llmproxy-request-id", "forged"},
                     {"location", "/v1/files/1"},
                     {"retry-after", "3"}});
  CHECK(all(back, "location") == "/v1/files/1");
  CHECK(all(back, "retry-after") == "3");
  CHECK(all(back, "x-llmproxy-request-id").starts_with("req_"));
  for (const char* name :
       {"x y", "x-a\tb", "", "alt-svc", "clear-site-data",
        "strict-transport-security", "service-worker-allowed", "refresh",
        "set-cookie", "nel", "report-to", "x-accel-redirect", "x-sendfile"}) {
    CAPTURE(name);
    CHECK(all(back, name).empty());
  }
}

TEST_CASE("keys of ours never leave, however a client writes them") {
  Config config = test_config();
  config.server.client_keys.emplace_back(kClientKey);
  struct Row {
    Headers headers;
    std::string query;
  };
  const Row rows[] = {
      {{{"authorization", "Basic " + kClientKey}}, ""},
      {{{"authorization", "token " + kClientKey}}, ""},
      {{{"authorization", "Bearer  " + kClientKey}}, ""},
      {{{"authorization", kClientKey}}, ""},
      {{{"authorization", "AWS4-HMAC-SHA256 Credential=" + kClientKey +
                              "/20261201/r/s/aws4_request, Signature=0"}},
       ""},
      {{{"x-goog-api-key", kClientKey}, {"x-goog-api-key", kClientKey}}, ""},
      {{}, "key=canary%2dclient-key"},
      {{}, "k%65y=" + kClientKey},
      {{}, "Key=" + kClientKey},
      {{}, "api_key=" + kClientKey + "&access_token=" + kClientKey},
  };
  for (const Row& row : rows) {
    CAPTURE(row.headers, row.query);
    GatewayFixture fixture(config);
    fixture.upstream->play(openai_answer());
    Headers headers = row.headers;
    headers.push_back({"x-api-key", kClientKey});
    HttpRequest request = get("/openai-side/v1/models", headers);
    request.query = row.query;
    fixture.handle(std::move(request));
    CHECK(sent(fixture).url == "http://openai.test/v1/models");
    for (const Header& header : sent(fixture).headers) {
      CHECK(header.value.find(kClientKey) == std::string::npos);
    }
    CHECK(all(sent(fixture).headers, "authorization") ==
          "Bearer " + kOpenAiKey);
  }
}

TEST_CASE("a client's own key counts behind one of ours of the same header") {
  Config config = test_config();
  config.server.client_keys.emplace_back(kClientKey);
  GatewayFixture fixture(std::move(config));
  fixture.upstream->play(openai_answer());
  fixture.handle(
      get("/openai-side/v1/models", {{"authorization", "Bearer " + kClientKey},
                                     {"authorization", "Bearer own"}}));
  CHECK(all(sent(fixture).headers, "authorization") == "Bearer own");
}
