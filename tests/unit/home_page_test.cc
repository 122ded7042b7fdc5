// Gateway: the page at /, and what it tells to whom.
#include "gateway/home_page.h"

#include <openssl/evp.h>

#include <array>

#include <catch2/catch.hpp>

#include "llmproxy/version.h"
#include "support/gateway_fixture.h"

using namespace llmproxy;
using namespace llmproxy::testing;

namespace {

const Headers kBrowser = {
    {"host", "localhost:8080"},
    {"accept", "Text/HTML,application/xhtml+xml,*/*;q=0.8"}};
const Headers kCurl = {{"host", "localhost:8080"}, {"accept", "*/*"}};

/// Names that would do harm where nobody escapes them.
Config hostile_config() {
  Config config = test_config();
  config.routes = {{"<script>alert(1)</script>", "openai-side", ""},
                   {"a\"b'c&d", "openai-side", ""},
                   {"plain-1", "openai-side", ""}};
  return config;
}

std::string page(const Config& config, Headers headers,
                 const std::string& path = "/") {
  GatewayFixture fixture(config);
  fixture.handle(get(path, std::move(headers)));
  CHECK(fixture.sink->status() == 200);
  CHECK(fixture.sink->finished());
  return fixture.sink->body();
}

std::string sha256(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), sum.data(), &size, EVP_sha256(),
             nullptr);
  std::array<unsigned char, 2 * EVP_MAX_MD_SIZE> out{};
  const int length =
      EVP_EncodeBlock(out.data(), sum.data(), static_cast<int>(size));
  return std::string(out.begin(), out.begin() + length);
}

}  // namespace

TEST_CASE("a browser gets HTML, curl gets text", "[page]") {
  const std::string html = page(hostile_config(), kBrowser);
  CHECK(html.starts_with("<!doctype html>"));
  const std::string text = page(hostile_config(), kCurl);
  CHECK(text.starts_with("llm-proxy " LLMPROXY_VERSION "\n"));
  constexpr const char* kTitle = "llm-proxy " LLMPROXY_VERSION;
  for (const std::string& body : {html, text}) {
    for (const char* part :
         {kTitle, "plain-1", "/v1/messages", "/v1/chat/completions",
          "/v1/responses", "/v1/models", "/health",
          "OPENAI_BASE_URL=http://localhost:8080/v1",
          "ANTHROPIC_BASE_URL=http://localhost:8080\n",
          "GOOGLE_GEMINI_BASE_URL=http://localhost:8080\n",
          "curl http://localhost:8080/v1/chat/completions", "llm-proxy env"}) {
      CAPTURE(part);
      CHECK(contains(body, part));
    }
  }
  CHECK(contains(html, "<a href=\"/health\">"));
}

TEST_CASE("nothing on the page is taken for HTML", "[page]") {
  const std::string html = page(hostile_config(), kBrowser);
  CHECK_FALSE(contains(html, "<script"));
  CHECK(contains(html, "&lt;script&gt;alert(1)&lt;/script&gt;"));
  CHECK(contains(html, "a&quot;b&#39;c&amp;d"));
  CHECK(gateway::html_escaped("<a href='x'>\"&") ==
        "&lt;a href=&#39;x&#39;&gt;&quot;&amp;");
  // A name that a shell would read goes into no command.
  Config config = hostile_config();
  config.routes.pop_back();
  CHECK(contains(page(config, kCurl), R"({"model":"MODEL")"));
  CHECK(contains(page(hostile_config(), kCurl), R"({"model":"plain-1")"));
}

TEST_CASE("a hostile Host is not on the page", "[page]") {
  Config config = test_config();
  config.server.client_keys.emplace_back(kClientKey);
  for (const char* host :
       {"<script>alert(1)</script>", "a\"onload=x", "evil.test/<b>",
        "x'; rm -rf ~; '", "$(id)", "`id`", "a b"}) {
    CAPTURE(host);
    for (const Headers& accept : {kBrowser, kCurl}) {
      Headers headers = accept;
      headers[0].value = host;
      const std::string body = page(config, headers);
      CHECK_FALSE(contains(body, host));
      CHECK(contains(body, "http://127.0.0.1:8080/v1"));
    }
  }
}

TEST_CASE("the page allows nothing but its own style", "[page]") {
  GatewayFixture fixture;
  fixture.handle(get("/", kBrowser));
  const std::string policy = fixture.sink->header("content-security-policy");
  CHECK(contains(policy, "default-src 'none'"));
  CHECK(contains(policy, "frame-ancestors 'none'"));
  CHECK_FALSE(contains(policy, "unsafe"));
  CHECK(
      contains(policy, "'sha256-" + sha256(gateway::home_page_style()) + "'"));
  CHECK(contains(
      fixture.sink->body(),
      "<style>" + std::string(gateway::home_page_style()) + "</style>"));
  CHECK(fixture.sink->header("content-type") == "text/html; charset=utf-8");
  CHECK(fixture.sink->header("x-content-type-options") == "nosniff");
  CHECK(fixture.sink->header("vary") == "accept");
}

TEST_CASE("strangers are not told what there is", "[page]") {
  Config config = test_config();
  config.server.client_keys.emplace_back(kClientKey);
  for (const Headers& accept : {kBrowser, kCurl}) {
    std::string body = page(config, accept);
    CHECK_FALSE(contains(body, "team/claude"));
    CHECK_FALSE(contains(body, "gpt-*"));
    CHECK(contains(body, "YOUR_KEY"));
    CHECK_FALSE(contains(body, kClientKey));
    Headers wrong = accept;
    wrong.push_back({"x-api-key", "wrong"});
    CHECK_FALSE(contains(page(config, wrong), "team/claude"));
    Headers known = accept;
    known.push_back({"x-api-key", kClientKey});
    body = page(config, known);
    CHECK(contains(body, "team/claude"));
    CHECK(contains(body, "gpt-*"));
    CHECK_FALSE(contains(body, kClientKey));
    CHECK_FALSE(contains(body, kOpenAiKey));
  }
  // Nor pages of others, whatever name they reach us by.
  for (const Header& foreign :
       {Header{"host", "evil.test"}, Header{"sec-fetch-site", "cross-site"},
        Header{"origin", "http://evil.test"}}) {
    Headers headers = {foreign, {"accept", "text/html"}};
    CHECK_FALSE(contains(page(test_config(), headers), "team/claude"));
  }
}

TEST_CASE("strangers make us ask nobody", "[page]") {
  Config config = test_config();
  config.server.client_keys.emplace_back(kClientKey);
  GatewayFixture fixture(config);
  fixture.handle(get("/", kCurl));
  CHECK(fixture.upstream->requests().empty());
}

TEST_CASE("the page has what patterns lead to, and an end", "[page]") {
  Config config = test_config();
  std::string data;
  for (int i = 0; i < 500; ++i) {
    data += (i == 0 ? "" : ",");
    data += R"({"id":"gpt-)" + std::to_string(i) + "\"}";
  }
  GatewayFixture fixture(config);
  fixture.upstream->play(
      Script().head(200, json_head()).body(R"({"data":[)" + data + "]}"));
  fixture.handle(get("/", kCurl));
  const std::string body = fixture.sink->body();
  CHECK(contains(body, "gpt-96\n"));
  CHECK_FALSE(contains(body, "gpt-97\n"));
  // Three are configured.
  CHECK(contains(body, "and 403 more: GET /v1/models lists them"));
  CHECK(body.size() < 10'000);
}

TEST_CASE("a prefix has a page of its own", "[page]") {
  Config config = test_config();
  config.routes[0].prefix = "/team";
  const std::string all = page(config, kCurl);
  CHECK(contains(all, "more below /team: GET /team/v1/models"));
  for (const char* path : {"/team", "/team/"}) {
    CAPTURE(path);
    const std::string body = page(config, kCurl, path);
    CHECK(contains(body, "OPENAI_BASE_URL=http://localhost:8080/team/v1"));
    CHECK_FALSE(contains(body, "team/claude"));
  }
}

TEST_CASE("probes and pictures of the root are answered quietly", "[page]") {
  GatewayFixture fixture;
  HttpRequest head = get("/", kBrowser);
  head.method = "HEAD";
  fixture.handle(std::move(head));
  CHECK(fixture.sink->status() == 200);
  CHECK(fixture.sink->body().empty());
  fixture.fresh_sink();
  fixture.handle(get("/favicon.ico", kBrowser));
  CHECK(fixture.sink->status() == 204);
  CHECK(fixture.record().outcome == "ok");
}
