// Gateway without client keys: what web pages may ask of it.
#include <catch2/catch.hpp>

#include "support/gateway_fixture.h"
#include "support/upstream_texts.h"

using namespace llmproxy;
using namespace llmproxy::testing;

namespace {

/// Status of a chat with these headers; nothing goes upstream when refused.
int chat_status(const Config& config, Headers headers) {
  GatewayFixture fixture(config);
  fixture.upstream->play(Script().head(200, json_head()).body(kOpenAiAnswer));
  HttpRequest request = openai_request("gpt");
  request.headers = std::move(headers);
  fixture.handle(std::move(request));
  const int status = fixture.sink->status();
  CHECK(fixture.upstream->requests().empty() == (status == 403));
  return status;
}

struct Row {
  Headers headers;
  int status;
};

void check_rows(const Config& config, const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    for (const Header& header : row.headers) {
      UNSCOPED_INFO(header.name << ": " << header.value);
    }
    CHECK(chat_status(config, row.headers) == row.status);
  }
}

}  // namespace

TEST_CASE("origins are those of this machine or configured ones") {
  Config config = test_config();
  check_rows(
      config,
      {{{{"origin", "null"}}, 403},
       {{{"origin", ""}}, 403},
       {{{"origin", "file://"}}, 403},
       {{{"origin", "vscode-webview://abc"}}, 403},
       {{{"origin", "chrome-extension://abc"}}, 403},
       {{{"origin", "HTTP://evil.test"}}, 403},
       {{{"origin", "http://localhost.evil.test"}}, 403},
       {{{"origin", "http://127.0.0.1.evil.test"}}, 403},
       {{{"origin", "http://localhost@evil.test"}}, 403},
       {{{"origin", "http://localhost:3000@evil.test"}}, 403},
       {{{"origin", "http://[::1]evil.test"}}, 403},
       {{{"origin", "http://[::1].evil.test"}}, 403},
       {{{"origin", "http://[::1"}}, 403},
       {{{"origin", "http://.localhost"}}, 403},
       {{{"origin", "http://128.0.0.1"}}, 403},
       {{{"origin", "http://localhost"}, {"origin", "http://evil.test"}}, 403},
       {{{"origin", "http://localhost"}, {"origin", "http://localhost"}}, 403},
       {{{"origin", "HTTP://LocalHost:3000"}}, 200},
       {{{"origin", "http://127.0.0.2"}}, 200},
       {{{"origin", "http://[::1]:3000"}}, 200},
       {{{"origin", "https://app.localhost:1"}}, 200},
       {{}, 200}});
  config.server.cors.origins = {"null", "vscode-webview://",
                                "https://App.test"};
  check_rows(
      config,
      {{{{"origin", "null"}}, 200},
       {{{"origin", "vscode-webview://abc"}}, 200},
       {{{"origin", "vscode-webview://"}}, 200},
       {{{"origin", "vscode-webviews://abc"}}, 403},
       {{{"origin", "https://app.TEST"}}, 200},
       {{{"origin", "https://app.test:444"}}, 403},
       {{{"origin", "https://app.test"}, {"sec-fetch-site", "cross-site"}},
        200},
       {{{"origin", "http://app.test"}}, 403}});
}

TEST_CASE("what a browser says about the page's site is believed") {
  const Config config = test_config();
  check_rows(
      config,
      {{{{"sec-fetch-site", "cross-site"}}, 403},
       {{{"Sec-Fetch-Site", "same-site"}}, 403},
       {{{"sec-fetch-site", "odd"}}, 403},
       {{{"sec-fetch-site", "none"}, {"sec-fetch-site", "cross-site"}}, 403},
       {{{"sec-fetch-site", "none"}}, 200},
       {{{"sec-fetch-site", "same-origin"}}, 200},
       {{{"sec-fetch-site", "same-site"}, {"origin", "http://localhost:3"}},
        200},
       {{{"sec-fetch-site", "cross-site"}, {"origin", "http://localhost:3"}},
        403}});
}

TEST_CASE("the proxy answers to its own names") {
  Config config = test_config();
  const std::vector<Row> own = {{{{"host", "localhost"}}, 200},
                                {{{"host", "LOCALHOST:8080"}}, 200},
                                {{{"host", "localhost.:8080"}}, 200},
                                {{{"host", "app.localhost"}}, 200},
                                {{{"host", "127.0.0.1:8080"}}, 200},
                                {{{"host", "127.1.2.3"}}, 200},
                                {{{"host", "[::1]:8080"}}, 200},
                                {{{"host", "[::ffff:127.0.0.1]"}}, 200}};
  const std::vector<Row> foreign = {
      {{{"host", "evil.test:8080"}}, 403},
      {{{"host", "localhost.evil.test"}}, 403},
      {{{"host", "127.0.0.1.evil.test"}}, 403},
      {{{"host", "127.0.0.1"}, {"host", "evil.test"}}, 403},
      {{{"host", ""}}, 403}};
  check_rows(config, own);
  check_rows(config, foreign);
  check_rows(config, {{{{"host", "192.0.2.1"}}, 403},
                      {{{"host", "proxy"}}, 403},
                      {{{"host", "[2001:db8::1]"}}, 403}});
  config.server.host = "192.0.2.1";
  check_rows(config, {{{{"host", "192.0.2.1:8080"}}, 200},
                      {{{"host", "192.0.2.2:8080"}}, 403}});
  for (const char* everywhere : {"", "0.0.0.0", "::"}) {
    config.server.host = everywhere;
    check_rows(config, own);
    check_rows(config, foreign);
    check_rows(config, {{{{"host", "192.0.2.1"}}, 200},
                        {{{"host", "proxy:80"}}, 200},
                        {{{"host", "[2001:db8::1]:80"}}, 200}});
  }
  config.server.hosts = {"Proxy.internal"};
  check_rows(config, {{{{"host", "proxy.INTERNAL:99"}}, 200},
                      {{{"host", "x.proxy.internal"}}, 403}});
  config.server.hosts = {"*"};
  check_rows(config, {{{{"host", "evil.test"}}, 200},
                      {{{"host", "evil.test"}, {"origin", "null"}}, 403}});
}

TEST_CASE("a refusal says what to do, and keys make it unnecessary") {
  GatewayFixture fixture;
  HttpRequest request = claude_request("claude");
  request.headers = {{"host", "evil.test"}};
  fixture.handle(request);
  CHECK(fixture.sink->status() == 403);
  CHECK(at(fixture.sink->body(), "error", "type") == "permission_error");
  CHECK(contains(fixture.sink->body(), "server.hosts"));
  Config config = test_config();
  config.server.client_keys.emplace_back(kClientKey);
  CHECK(chat_status(config, {{"host", "evil.test"},
                             {"origin", "null"},
                             {"sec-fetch-site", "cross-site"},
                             {"x-api-key", kClientKey}}) == 200);
}

TEST_CASE("load balancers may look under any name") {
  const Headers stranger = {{"host", "lb.test"},
                            {"sec-fetch-site", "cross-site"}};
  for (const char* path : {"/healthz", "/health"}) {
    GatewayFixture fixture;
    fixture.handle(get(path, stranger));
    CHECK(fixture.sink->status() == 200);
    // Names of backends are not for strangers.
    CHECK(fixture.sink->body() == R"({"status":"ok"})");
  }
  for (const char* path : {"/", "/health", "/healthz", "/api/hello"}) {
    GatewayFixture fixture;
    HttpRequest request = get(path, stranger);
    request.method = "HEAD";
    fixture.handle(std::move(request));
    CHECK(fixture.sink->status() == 200);
  }
  for (const char* path : {"/v1/models", "/openai-side/v1/files",
                           "/v1/responses/x", "/openai-side/healthz"}) {
    CAPTURE(path);
    GatewayFixture fixture;
    fixture.handle(get(path, stranger));
    CHECK(fixture.sink->status() == 403);
    CHECK(fixture.upstream->requests().empty());
  }
  GatewayFixture fixture;
  fixture.handle(post("/api/event_logging/batch", "{}", stranger));
  CHECK(fixture.sink->status() == 403);
}
