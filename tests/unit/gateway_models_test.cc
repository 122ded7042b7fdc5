// Gateway: lists of models, with what backends say that they have.
#include <algorithm>

#include <catch2/catch.hpp>

#include "gateway/model_lists.h"
#include "support/gateway_fixture.h"
#include "support/upstream_texts.h"

using namespace llmproxy;
using namespace llmproxy::testing;
using namespace std::chrono_literals;

namespace {

const Headers kAsClaude = {{"anthropic-version", "2023-06-01"}};
const Headers kAsGemini = {{"x-goog-api-key", "k"}};

/// One backend that can be asked, behind a pattern.
Config pattern_config(std::vector<Route> routes) {
  Config config = test_config();
  config.routes = std::move(routes);
  return config;
}

Script list_of(const std::string& ids) {
  std::string data;
  std::string_view left = ids;
  while (!left.empty()) {
    const std::size_t end = std::min(left.find(' '), left.size());
    data += (data.empty() ? R"({"id":")" : R"(,{"id":")");
    data += std::string(left.substr(0, end)) + "\"}";
    left.remove_prefix(std::min(end + 1, left.size()));
  }
  return Script()
      .head(200, json_head())
      .body(R"({"object":"list","data":[)" + data + "]}");
}

/// The ids of an answer in OpenAI's or Anthropic's shape, in order.
std::string ids_of(const std::string& body) {
  std::string out;
  for (int i = 0;; ++i) {
    const std::string id = at(body, "data", i, "id");
    if (id.empty()) return out;
    out += (out.empty() ? "" : " ") + id;
  }
}

std::string listed(GatewayFixture& fixture, HttpRequest request) {
  fixture.fresh_sink();
  fixture.handle(std::move(request));
  CHECK(fixture.sink->status() == 200);
  return ids_of(fixture.sink->body());
}

std::string listed(GatewayFixture& fixture,
                   const std::string& path = "/v1/models") {
  return listed(fixture, get(path));
}

}  // namespace

TEST_CASE("a list shows what patterns lead to", "[models]") {
  GatewayFixture fixture(pattern_config({{"gpt", "openai-side", "gpt-up"},
                                         {"gpt-*", "openai-side", ""},
                                         {"my/*", "openai-side", "*"}}));
  fixture.upstream->play(list_of("gpt-5 whisper-1 gpt-5-mini"));
  // The routes that nobody wrote do not repeat what others show.
  CHECK(listed(fixture) == "gpt gpt-5 gpt-5-mini my/whisper-1");
  REQUIRE(fixture.upstream->requests().size() == 1);
  const UpstreamRequest asked = fixture.upstream->requests()[0];
  CHECK(asked.method == "GET");
  CHECK(asked.url == "http://openai.test/v1/models");
  CHECK(find_header(asked.headers, "authorization") == "Bearer " + kOpenAiKey);
  CHECK_FALSE(find_header(asked.headers, "x-llmproxy-hops").empty());
  // Not asked again.
  CHECK(listed(fixture) == "gpt gpt-5 gpt-5-mini my/whisper-1");
  CHECK(fixture.upstream->requests().size() == 1);
  CHECK(at(fixture.sink->body(), "data", 1, "owned_by") == "openai-side");
  CHECK(at(fixture.sink->body(), "data", 1, "object") == "model");
}

TEST_CASE("patterns that somebody wrote are all shown", "[models]") {
  Config config = pattern_config(
      {{"gpt-*", "openai-side", ""}, {"my/*", "openai-side", "*"}});
  for (Route& route : config.routes) route.origin = "c.yaml:1";
  GatewayFixture fixture(std::move(config));
  fixture.upstream->play(list_of("gpt-5"));
  CHECK(listed(fixture) == "gpt-5 my/gpt-5");
}

TEST_CASE("a name that leads elsewhere is not a pattern's", "[models]") {
  GatewayFixture fixture(pattern_config({{"gpt-5", "claude-side", "other"},
                                         {"gpt-*", "openai-side", ""},
                                         {"*", "claude-side", ""}}));
  fixture.upstream->play(list_of("gpt-5 gpt-6"));
  // Of the other one.
  fixture.upstream->play(list_of("gpt-7 claude-1"));
  const std::string all = listed(fixture);
  CHECK(all == "gpt-5 gpt-6 claude-1");
}

TEST_CASE("the list is in the shape of the dialect that asks", "[models]") {
  GatewayFixture fixture(pattern_config({{"g*", "openai-side", ""}}));
  fixture.upstream->play(list_of("g1 g2 g3"));
  listed(fixture);
  CHECK(listed(fixture, get("/v1/models", kAsClaude)) == "g1 g2 g3");
  std::string body = fixture.sink->body();
  CHECK(at(body, "has_more") == "false");
  CHECK(at(body, "first_id") == "g1");
  CHECK(at(body, "last_id") == "g3");
  CHECK(at(body, "data", 2, "type") == "model");
  fixture.fresh_sink();
  fixture.handle(get("/v1beta/models"));
  body = fixture.sink->body();
  CHECK(at(body, "models", 2, "name") == "models/g3");
  CHECK(at(body, "nextPageToken").empty());
  // And one of them.
  using One = std::pair<std::string, Headers>;
  for (const auto& [path, headers] :
       {One{"/v1/models/g2", {}}, One{"/v1/models/g2", kAsClaude},
        One{"/v1beta/models/g2", {}}, One{"/models/g2", kAsGemini}}) {
    fixture.fresh_sink();
    fixture.handle(get(path, headers));
    CHECK(fixture.sink->status() == 200);
    CHECK(contains(fixture.sink->body(), "g2"));
  }
  CHECK(fixture.upstream->requests().size() == 1);
}

TEST_CASE("clients get the pages that they ask for", "[models]") {
  GatewayFixture fixture(pattern_config({{"m*", "openai-side", ""}}));
  fixture.upstream->play(list_of("m1 m2 m3 m4 m5"));
  listed(fixture);
  struct Row {
    const char* query;
    const char* ids;
    const char* more;
  };
  const Row rows[] = {
      {"", "m1 m2 m3 m4 m5", "false"},
      {"limit=2", "m1 m2", "true"},
      {"limit=5", "m1 m2 m3 m4 m5", "false"},
      {"limit=1000", "m1 m2 m3 m4 m5", "false"},
      {"limit=2&after_id=m2", "m3 m4", "true"},
      {"after_id=m4&limit=2", "m5", "false"},
      {"limit=2&after_id=m5", "", "false"},
      {"limit=2&before_id=m4", "m2 m3", "true"},
      {"limit=2&before_id=m3", "m1 m2", "false"},
      {"before_id=m1", "", "false"},
      {"after_id=m2&before_id=m5", "m3 m4", "false"},
      {"after_id=m5&before_id=m1", "", "false"},
      // What makes no sense asks for nothing.
      {"limit=0", "m1 m2 m3 m4 m5", "false"},
      {"limit=-1", "m1 m2 m3 m4 m5", "false"},
      {"limit=x", "m1 m2 m3 m4 m5", "false"},
      {"limit=99999999999999999999", "m1 m2 m3 m4 m5", "false"},
      {"after_id=", "m1 m2 m3 m4 m5", "false"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.query);
    HttpRequest request = get("/v1/models", kAsClaude);
    request.query = row.query;
    const std::string ids = listed(fixture, std::move(request));
    CHECK(ids == row.ids);
    CHECK(at(fixture.sink->body(), "has_more") == row.more);
  }
  // Clients of OpenAI's know no pages.
  HttpRequest request = get("/v1/models");
  request.query = "limit=2";
  const std::string ids = listed(fixture, std::move(request));
  CHECK(ids == "m1 m2 m3 m4 m5");

  std::string seen;
  std::string token;
  for (int pages = 1; pages <= 3; ++pages) {
    fixture.fresh_sink();
    request = get("/v1beta/models");
    request.query = "pageSize=2&pageToken=" + token;
    fixture.handle(std::move(request));
    seen += at(fixture.sink->body(), "models", 0, "name") + " ";
    token = at(fixture.sink->body(), "nextPageToken");
    CHECK(token.empty() == (pages == 3));
  }
  CHECK(seen == "models/m1 models/m3 models/m5 ");

  using Wrong = std::pair<const char*, const char*>;
  for (const auto& [path, query] :
       {Wrong{"/v1/models", "after_id=nobody"},
        Wrong{"/v1/models", "before_id=nobody"},
        Wrong{"/v1beta/models", "pageToken=nobody"}}) {
    fixture.fresh_sink();
    request = get(path, kAsClaude);
    request.query = query;
    fixture.handle(std::move(request));
    CHECK(fixture.sink->status() == 400);
  }
}

TEST_CASE("a vendor's pages are put together", "[models]") {
  GatewayFixture fixture(pattern_config({{"*", "claude-side", ""}}));
  fixture.upstream->play(
      Script()
          .head(200, json_head())
          .body(R"({"data":[{"id":"a"},{"id":"b"}],"has_more":true,)"
                R"("last_id":"b"})"));
  fixture.upstream->play(Script()
                             .head(200, json_head())
                             .body(R"({"data":[{"id":"c"}],"has_more":false,)"
                                   R"("last_id":"c"})"));
  CHECK(listed(fixture) == "a b c");
  const auto requests = fixture.upstream->requests();
  REQUIRE(requests.size() == 2);
  CHECK(requests[0].url == "http://claude.test/v1/models?limit=1000");
  CHECK(requests[1].url ==
        "http://claude.test/v1/models?limit=1000&after_id=b");
  for (const UpstreamRequest& request : requests) {
    CHECK(find_header(request.headers, "x-api-key") == kClaudeKey);
    CHECK_FALSE(find_header(request.headers, "anthropic-version").empty());
  }
}

TEST_CASE("a list without pages is asked for once", "[models]") {
  GatewayFixture fixture(pattern_config({{"*", "openai-side", ""}}));
  fixture.upstream->play(
      Script()
          .head(200, json_head())
          .body(R"({"data":[{"id":"a"}],"has_more":true,"last_id":"a"})"));
  CHECK(listed(fixture) == "a");
  CHECK(fixture.upstream->requests().size() == 1);
}

TEST_CASE("a backend that fails hides nothing else", "[models]") {
  const Script failures[] = {
      Script().fail(ErrorKind::upstream_unreachable, "refused"),
      Script().head(401, json_head()).body(R"({"error":{"message":"no"}})"),
      Script().head(404, json_head()).body("{}"),
      Script().head(302, {{"location", "http://evil.test/"}}),
      Script().head(200, json_head()).body("<html>"),
      Script().head(200, json_head()),
      Script()
          .head(200, json_head())
          .body(R"({"data":[{"id":"half"}]})")
          .fail(ErrorKind::upstream_truncated, "cut"),
      Script()
          .head(200, json_head())
          .body(R"({"data":[{"id":")" + std::string(9 << 20, 'x') + "\"}]}"),
  };
  for (const Script& failure : failures) {
    GatewayFixture fixture(pattern_config({{"named", "openai-side", ""},
                                           {"gpt-*", "openai-side", ""},
                                           {"claude-*", "claude-side", ""}}));
    fixture.upstream->play(failure);
    fixture.upstream->play(list_of("claude-1"));
    CHECK(listed(fixture) == "named claude-1");
    // It is not asked again at once.
    CHECK(listed(fixture) == "named claude-1");
    CHECK(fixture.upstream->requests().size() == 2);
  }
}

TEST_CASE("an old list is shown while the next is on its way", "[models]") {
  Config config = pattern_config({{"m*", "openai-side", ""}});
  config.server.model_lists = 1ms;
  GatewayFixture fixture(std::move(config));
  fixture.upstream->play(list_of("m1"));
  CHECK(listed(fixture) == "m1");
  Gate gate;
  fixture.upstream->play(Script()
                             .head(200, json_head())
                             .wait(gate)
                             .body(R"({"data":[{"id":"m2"}]})"));
  // Old after a millisecond: it is asked, and nobody waits.
  REQUIRE(eventually([&] {
    CHECK(listed(fixture) == "m1");
    return fixture.upstream->requests().size() == 2;
  }));
  CHECK(listed(fixture) == "m1");
  gate.open();
  // Whatever fails afterwards does not hide it again.
  REQUIRE(eventually([&] { return listed(fixture) == "m2"; }));
}

TEST_CASE("the first list does not wait for a backend for long", "[models]") {
  GatewayFixture fixture(pattern_config(
      {{"named", "openai-side", ""}, {"m*", "openai-side", ""}}));
  fixture.upstream->play(Script().silence());
  const auto begin = std::chrono::steady_clock::now();
  CHECK(listed(fixture) == "named");
  const auto waited = std::chrono::steady_clock::now() - begin;
  CHECK(waited >= gateway::ModelLists::kFirstWait);
  // The next does not wait at all, and asks nobody.
  CHECK(listed(fixture) == "named");
  CHECK(std::chrono::steady_clock::now() - begin < waited + 1s);
  CHECK(fixture.upstream->requests().size() == 1);
  // The Gateway ends though the backend is silent.
}

TEST_CASE("many ask for a list at once, and one asks the backend", "[models]") {
  GatewayFixture fixture(pattern_config({{"m*", "openai-side", ""}}));
  Gate gate;
  fixture.upstream->play(Script()
                             .head(200, json_head())
                             .wait(gate)
                             .body(R"({"data":[{"id":"m1"}]})"));
  std::vector<RecordingSink> sinks(8);
  std::vector<std::thread> threads;
  for (RecordingSink& sink : sinks) {
    threads.emplace_back(
        [&] { fixture.gateway.handle(get("/v1/models"), sink); });
  }
  REQUIRE(eventually([&] { return fixture.upstream->requests().size() == 1; }));
  gate.open();
  for (std::thread& thread : threads) thread.join();
  for (const RecordingSink& sink : sinks) CHECK(ids_of(sink.body()) == "m1");
  CHECK(fixture.upstream->requests().size() == 1);
}

TEST_CASE("who leaves does not wait for a list", "[models]") {
  GatewayFixture fixture(pattern_config({{"m*", "openai-side", ""}}));
  fixture.upstream->play(Script().silence());
  fixture.sink->leave();
  fixture.handle(get("/v1/models"));
  CHECK(fixture.upstream->requests().size() == 1);
}

TEST_CASE("a backend is asked with our key or not at all", "[models]") {
  Config config = pattern_config({{"m*", "openai-side", ""}});
  config.backends[0].api_key = Secret();
  config.backends[0].pass_credentials = true;
  GatewayFixture fixture(config);
  CHECK(listed(fixture, get("/v1/models",
                            {{"authorization", "Bearer sk-clients"}})) == "");
  CHECK(fixture.upstream->requests().empty());
  // Nor where nobody wants lists.
  config = pattern_config({{"m*", "openai-side", ""}});
  config.server.model_lists = 0ms;
  GatewayFixture closed(config);
  CHECK(listed(closed) == "");
  CHECK(closed.upstream->requests().empty());
  // And not with what a client brings.
  GatewayFixture own(pattern_config({{"m*", "openai-side", ""}}));
  own.upstream->play(list_of("m1"));
  CHECK(listed(own, get("/v1/models", {{"authorization", "Bearer sk-clients"},
                                       {"cookie", "c"}})) == "m1");
  const UpstreamRequest asked = own.upstream->requests().at(0);
  for (const Header& header : asked.headers) {
    CHECK_FALSE(contains(header.value, "sk-clients"));
    CHECK(header.name != "cookie");
  }
}

TEST_CASE("an upstream that repeats our key does not show it", "[models]") {
  GatewayFixture fixture(pattern_config({{"*", "openai-side", ""}}));
  fixture.upstream->play(list_of("m1 " + kOpenAiKey));
  listed(fixture);
  CHECK(contains(fixture.sink->body(), "m1"));
  CHECK_FALSE(contains(fixture.sink->body(), kOpenAiKey));
}

TEST_CASE("a prefix lists its own", "[models]") {
  Config config =
      pattern_config({{"a*", "openai-side", ""}, {"b*", "claude-side", ""}});
  config.routes[1].prefix = "/team";
  GatewayFixture fixture(std::move(config));
  fixture.upstream->play(list_of("a1 b1"));
  CHECK(listed(fixture) == "a1");
  fixture.upstream->play(list_of("a2 b2"));
  CHECK(listed(fixture, "/team/v1/models") == "b2");
  CHECK(listed(fixture, "/team/models") == "b2");
  CHECK(listed(fixture, "//team//v1/models/") == "b2");
  CHECK(fixture.upstream->requests().size() == 2);
}

TEST_CASE("lists do not take the place of calls", "[models]") {
  Config config = pattern_config({{"m*", "openai-side", ""}});
  config.upstream.max_connections = 1;
  GatewayFixture fixture(std::move(config));
  Gate gate;
  fixture.upstream->play(
      Script().head(200, json_head()).wait(gate).body(kOpenAiAnswer));
  fixture.start(openai_request("m1"));
  REQUIRE(eventually([&] { return !fixture.upstream->requests().empty(); }));
  RecordingSink second;
  fixture.gateway.handle(get("/v1/models"), second);
  CHECK(ids_of(second.body()).empty());
  CHECK(fixture.upstream->requests().size() == 1);
  gate.open();
  fixture.join();
  // It was not asked; now it is, and gives its place back.
  fixture.upstream->play(list_of("m1"));
  CHECK(listed(fixture) == "m1");
  fixture.fresh_sink();
  fixture.upstream->play(Script().head(200, json_head()).body(kOpenAiAnswer));
  fixture.handle(openai_request("m1"));
  CHECK(fixture.sink->status() == 200);
}
