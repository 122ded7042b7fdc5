// Gateway: nobody gets around what is counted, and nothing goes in circles.
#include <catch2/catch.hpp>

#include "support/gateway_fixture.h"
#include "support/upstream_texts.h"

using namespace llmproxy;
using namespace llmproxy::testing;

namespace {

/// One chat a minute with the model "gpt-lim", wherever it is asked for.
Config limited_config() {
  Config config = test_config();
  config.limits.enabled = true;
  config.limits.overrides.push_back({LimitKind::model, "gpt-lim", {}});
  config.limits.overrides.back().limits.requests_per_minute = 1;
  return config;
}

const std::string kChat =
    R"({"model":"gpt-lim","messages":[{"role":"user","content":"hi"}]})";

std::string utf16(std::string_view text) {
  std::string out = "\xff\xfe";
  for (const char c : text) {
    out += c;
    out += '\0';
  }
  return out;
}

std::string deep(std::size_t levels) {
  std::string body = kChat;
  body.insert(body.size() - 1,
              ",\"x\":" + std::string(levels, '[') + std::string(levels, ']'));
  return body;
}

}  // namespace

TEST_CASE("a limit of a model holds however the request is written") {
  const std::string below = "/openai-side";
  const std::string gemini = R"({"contents":[{"parts":[{"text":"hi"}]}]})";
  struct Row {
    std::string path;
    std::string body;
    Headers headers = {};
  };
  const std::string chat = below + "/v1/chat/completions";
  const std::vector<Row> rows = {
      {kOpenAiPath, kChat},
      {chat, kChat},
      {chat + "/", kChat},
      {below + "//v1//chat/completions", kChat},
      {below + "/v1/chat%2Fcompletions", kChat},
      {below + "/v1/embeddings", kChat},
      {chat, "\xef\xbb\xbf" + kChat},
      {chat, utf16(kChat)},
      {chat, deep(70)},
      {chat, std::string(1, '\0') + kChat},
      {chat, "  \r\n" + kChat},
      {chat, R"({"Model":"gpt-lim","messages":[]})"},
      {chat, R"({"model":"cheap","MODEL":"gpt-lim","messages":[]})"},
      {chat, R"({"model":"cheap","model":"gpt-lim","messages":[]})"},
      {chat, R"({"model":"gpt-lim ","messages":[]})"},
      {chat, R"({"model":"\tgpt-lim\u0000","messages":[]})"},
      {chat, "\x1f\x8b\x08 packed", {{"content-encoding", "gzip"}}},
      {chat, "anything else"},
      {below + "/v1/embeddings", "\xef\xbb\xbf" + kChat},
      {below + "/v1/embeddings", "packed", {{"content-encoding", "br"}}},
      {below + "/v1beta/models/gpt-lim:generateContent", gemini},
      {below + "/v1beta/models/gpt-lim%3agenerateContent", gemini},
      {below + "/v1beta/models/gpt-lim:generateContent/", gemini},
      {below + "//v1beta/models/gpt-lim:generateContent", gemini},
      {below + "/model/gpt%2Dlim/converse",
       R"({"messages":[{"role":"user","content":[{"text":"hi"}]}]})"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.path, row.body);
    GatewayFixture fixture(limited_config());
    fixture.upstream->play(Script().head(200, json_head()).body(kOpenAiAnswer));
    fixture.handle(openai_request("gpt-lim"));
    REQUIRE(fixture.sink->status() == 200);
    fixture.fresh_sink();
    fixture.handle(post(row.path, row.body, row.headers));
    CHECK((fixture.sink->status() == 429 || fixture.sink->status() == 400));
    CHECK(fixture.upstream->requests().size() == 1);
  }
}

TEST_CASE("what no limit is about is passed on, with limits and without") {
  struct Row {
    Config config;
    std::string path;
    std::string body;
  };
  const std::vector<Row> rows = {
      {limited_config(), "/openai-side/v1/files", "--x\r\nraw\x01"},
      {limited_config(), "/openai-side/v1/files", ""},
      {limited_config(), "/openai-side/v1/embeddings", R"({"model":"other"})"},
      {test_config(), "/openai-side/v1/chat/completions",
       "\xef\xbb\xbf" + kChat},
      {test_config(), "/openai-side/v1/chat/completions", deep(70)}};
  for (const Row& row : rows) {
    CAPTURE(row.path, row.body);
    GatewayFixture fixture(row.config);
    fixture.upstream->play(Script().head(200, json_head()).body("{}"));
    fixture.handle(post(row.path, row.body));
    CHECK(fixture.sink->status() == 200);
    REQUIRE(fixture.upstream->requests().size() == 1);
    CHECK(fixture.upstream->requests()[0].body == row.body);
  }
}

TEST_CASE("a model in two spellings is none") {
  GatewayFixture fixture;
  fixture.handle(post(kOpenAiPath,
                      R"({"model":"gpt","Model":"gpt-5-pro","messages":)"
                      R"([{"role":"user","content":"hi"}]})"));
  CHECK(fixture.sink->status() == 400);
  CHECK(fixture.upstream->requests().empty());
}

TEST_CASE("a request that comes back is cut off") {
  GatewayFixture fixture;
  const auto marks_after = [&](HttpRequest request) {
    fixture.fresh_sink();
    fixture.upstream->play(Script().head(200, json_head()).body(kOpenAiAnswer));
    fixture.handle(std::move(request));
    const auto requests = fixture.upstream->requests();
    return std::string(find_header(requests.back().headers, "x-llmproxy-hops"));
  };
  HttpRequest passed = get("/openai-side/v1/models");
  HttpRequest simple =
      post("/v1/chat/openai-side",
           R"({"model":"gpt","messages":[{"role":"user","content":"hi"}]})");
  for (HttpRequest request :
       {openai_request("gpt"), openai_request("gpt", true),
        claude_request("gpt"), passed, simple}) {
    CAPTURE(request.path);
    const std::string mark = marks_after(request);
    CHECK(mark.size() >= 8);
    // Behind another proxy the marks of both are there.
    request.headers.push_back({"X-LLMProxy-Hops", "other"});
    CHECK(marks_after(request) == "other," + mark);
    const std::size_t sent = fixture.upstream->requests().size();
    for (const std::string& marks :
         {mark, "other," + mark, mark + ",other", std::string(40, ',')}) {
      fixture.fresh_sink();
      HttpRequest back = request;
      back.headers.push_back({"x-llmproxy-hops", marks});
      fixture.handle(back);
      CHECK(fixture.sink->status() == 508);
    }
    CHECK(fixture.upstream->requests().size() == sent);
  }
  // Told in the client's dialect.
  fixture.fresh_sink();
  HttpRequest claude = claude_request("claude");
  claude.headers = {{"x-llmproxy-hops", std::string(40, ',')}};
  fixture.handle(claude);
  CHECK(at(fixture.sink->body(), "type") == "error");
  // Another Gateway has another mark.
  GatewayFixture other;
  other.upstream->play(Script().head(200, json_head()).body(kOpenAiAnswer));
  HttpRequest request = openai_request("gpt");
  request.headers = {{"x-llmproxy-hops", marks_after(openai_request("gpt"))}};
  other.handle(request);
  CHECK(other.sink->status() == 200);
}
