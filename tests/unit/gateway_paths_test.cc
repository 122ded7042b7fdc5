// Gateway: APIs that name the model in the path, and turns that go on from
// stored answers. The demo backend answers in every dialect.
#include <catch2/catch.hpp>

#include "support/gateway_fixture.h"
#include "support/upstream_texts.h"

using namespace llmproxy;
using namespace llmproxy::testing;

namespace {

constexpr const char* kResponsesPath = "/v1/responses";

Config config_with_keys() {
  Config config = test_config();
  config.server.client_keys.emplace_back("alice");
  config.server.client_keys.emplace_back("bob");
  return config;
}

HttpRequest turn(const std::string& extra, const std::string& key = "alice") {
  return post(kResponsesPath, R"({"model":"gpt")" + extra + "}",
              {{"authorization", "Bearer " + key}});
}

Script openai_answer() {
  return Script().head(200, json_head()).body(kOpenAiAnswer);
}

std::string sent_body(const GatewayFixture& fixture) {
  return fixture.upstream->requests().back().body;
}

}  // namespace

TEST_CASE("a conversation goes on from a stored answer") {
  GatewayFixture fixture(config_with_keys());
  fixture.upstream->play(openai_answer());
  fixture.handle(turn(R"(,"input":"first question")"));
  REQUIRE(fixture.sink->status() == 200);
  const std::string id = at(fixture.sink->body(), "id");
  REQUIRE(id.starts_with("resp_"));

  fixture.fresh_sink();
  fixture.upstream->play(openai_answer());
  fixture.handle(turn(R"(,"input":[{"role":"user","content":"second"}],)"
                      R"("previous_response_id":")" +
                      id + "\""));
  REQUIRE(fixture.sink->status() == 200);
  const std::string body = sent_body(fixture);
  CHECK(at(body, "messages", 0, "content") == "first question");
  CHECK(at(body, "messages", 1, "role") == "assistant");
  CHECK(at(body, "messages", 2, "content") == "second");
  CHECK_FALSE(contains(body, "previous_response_id"));
  const std::string second = at(fixture.sink->body(), "id");

  // What is stored can be read and removed, by its own client only.
  const Headers alice = {{"authorization", "Bearer alice"}};
  const Headers bob = {{"authorization", "Bearer bob"}};
  const std::string path = std::string(kResponsesPath) + "/" + second;
  for (const auto& [headers, status] :
       {std::pair(bob, 404), std::pair(alice, 200)}) {
    fixture.fresh_sink();
    fixture.handle(get(path, headers));
    CHECK(fixture.sink->status() == status);
  }
  CHECK(at(fixture.sink->body(), "id") == second);
  fixture.fresh_sink();
  HttpRequest removal = get(path, alice);
  removal.method = "DELETE";
  fixture.handle(removal);
  CHECK(at(fixture.sink->body(), "deleted") == "true");
  fixture.fresh_sink();
  fixture.handle(get(path, alice));
  CHECK(fixture.sink->status() == 404);
}

TEST_CASE("an answer that is not stored cannot be gone on from") {
  GatewayFixture fixture(config_with_keys());
  fixture.upstream->play(openai_answer());
  fixture.handle(turn(R"(,"input":"q","store":false)"));
  const std::string id = at(fixture.sink->body(), "id");
  for (const std::string& unknown : {id, std::string("resp_nobody")}) {
    fixture.fresh_sink();
    fixture.handle(
        turn(R"(,"input":"r","previous_response_id":")" + unknown + "\""));
    CHECK(fixture.sink->status() == 400);
    CHECK(at(fixture.sink->body(), "error", "code") ==
          "previous_response_not_found");
    CHECK(at(fixture.sink->body(), "error", "param") == "previous_response_id");
  }
  CHECK(fixture.upstream->requests().size() == 1);
}

TEST_CASE("items of stored answers may be given by their ids") {
  GatewayFixture fixture(config_with_keys());
  fixture.upstream->play(openai_answer());
  fixture.handle(turn(R"(,"input":"first")"));
  const std::string item = at(fixture.sink->body(), "output", 0, "id");
  REQUIRE_FALSE(item.empty());
  const std::string input = R"(,"input":[{"role":"user","content":"first"},)"
                            R"({"type":"item_reference","id":")" +
                            item + R"("},{"role":"user","content":"second"}])";
  fixture.fresh_sink();
  fixture.upstream->play(openai_answer());
  fixture.handle(turn(input));
  CHECK(fixture.sink->status() == 200);
  CHECK(at(sent_body(fixture), "messages", 1, "role") == "assistant");
  CHECK(at(sent_body(fixture), "messages", 1, "content") == "Hello there");
  CHECK(at(sent_body(fixture), "messages", 2, "content") == "second");
  // To somebody else they say nothing.
  fixture.fresh_sink();
  fixture.handle(turn(input, "bob"));
  CHECK(fixture.sink->status() == 400);
}

TEST_CASE("another client's answer cannot be gone on from") {
  GatewayFixture fixture(config_with_keys());
  fixture.upstream->play(openai_answer());
  fixture.handle(turn(R"(,"input":"secret")", "alice"));
  const std::string id = at(fixture.sink->body(), "id");
  fixture.fresh_sink();
  fixture.handle(
      turn(R"(,"input":"r","previous_response_id":")" + id + "\"", "bob"));
  CHECK(fixture.sink->status() == 400);
}

TEST_CASE("a streamed answer is stored as well") {
  GatewayFixture fixture(config_with_keys());
  fixture.upstream->play(
      Script()
          .head(200, sse_head())
          .body(kOpenAiBegin + openai_text("hello") + kOpenAiEnd));
  fixture.handle(turn(R"(,"input":"first","stream":true)"));
  REQUIRE(fixture.sink->status() == 200);
  const std::string body = fixture.sink->body();
  const std::size_t at_id = body.find("\"id\":\"resp_");
  REQUIRE(at_id != std::string::npos);
  const std::string id =
      body.substr(at_id + 6, body.find('"', at_id + 6) - at_id - 6);
  fixture.fresh_sink();
  fixture.upstream->play(openai_answer());
  fixture.handle(
      turn(R"(,"input":"second","previous_response_id":")" + id + "\""));
  CHECK(fixture.sink->status() == 200);
  CHECK(at(sent_body(fixture), "messages", 0, "content") == "first");
}

TEST_CASE("models in paths are routed and renamed") {
  struct Row {
    std::string path;
    std::string body;
  };
  const Row rows[] = {
      {"/v1beta/models/gpt:generateContent",
       R"({"contents":[{"parts":[{"text":"hi"}]}]})"},
      {"/v1/models/gpt:generateContent",
       R"({"contents":[{"parts":[{"text":"hi"}]}]})"},
      {"/model/gpt/converse",
       R"({"messages":[{"role":"user","content":[{"text":"hi"}]}]})"},
      {"/model/%67pt/invoke",
       R"({"anthropic_version":"bedrock-2023-05-31","max_tokens":9,)"
       R"("messages":[{"role":"user","content":"hi"}]})"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.path);
    GatewayFixture fixture;
    fixture.upstream->play(openai_answer());
    fixture.handle(post(row.path, row.body));
    CHECK(fixture.sink->status() == 200);
    REQUIRE(fixture.upstream->requests().size() == 1);
    CHECK(at(sent_body(fixture), "model") == "gpt-up");
    CHECK(at(sent_body(fixture), "messages", 0, "content") == "hi");
  }
}

TEST_CASE("tokens are counted for Gemini clients") {
  GatewayFixture fixture;
  fixture.handle(post("/v1beta/models/gpt:countTokens",
                      R"({"contents":[{"parts":[{"text":"hello there"}]}]})"));
  CHECK(fixture.sink->status() == 200);
  CHECK(std::stoi(at(fixture.sink->body(), "totalTokens")) > 0);
  CHECK(fixture.upstream->requests().empty());
  fixture.fresh_sink();
  fixture.handle(
      post("/v1beta/models/gpt:countTokens",
           R"({"generateContentRequest":{"model":"models/gpt","contents":)"
           R"([{"role":"user","parts":[{"text":"hello"}]}]}})"));
  CHECK(fixture.sink->status() == 200);
  fixture.fresh_sink();
  fixture.handle(post("/v1beta/models/nobody:countTokens", "{}"));
  CHECK(fixture.sink->status() == 404);
}

TEST_CASE("tokens are estimated where the upstream has another dialect") {
  struct Row {
    std::string path;
    std::string body;
    std::string answer;
  };
  const Row rows[] = {
      // Clients need not say max_tokens here.
      {"/v1/messages/count_tokens",
       R"({"model":"gpt","messages":[{"role":"user","content":"hello there"}]})",
       "input_tokens"},
      {"/v1/responses/input_tokens",
       R"({"model":"claude","input":"hello there"})", "input_tokens"},
      {"/v1beta/models/gpt:countTokens",
       R"({"contents":[{"parts":[{"text":"hello there"}]}]})", "totalTokens"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.path);
    GatewayFixture fixture;
    fixture.handle(post(row.path, row.body));
    CHECK(fixture.sink->status() == 200);
    CHECK(std::stoi(at(fixture.sink->body(), row.answer)) > 1);
    CHECK(fixture.sink->header("x-llmproxy-estimated") == "true");
    CHECK(fixture.upstream->requests().empty());
  }
}

TEST_CASE("an upstream that counts tokens is asked") {
  GatewayFixture fixture;
  fixture.upstream->play(
      Script().head(200, json_head()).body(R"({"input_tokens":77})"));
  fixture.handle(post(
      "/v1/messages/count_tokens",
      R"({"model":"claude","messages":[{"role":"user","content":"hi"}]})"));
  CHECK(fixture.sink->status() == 200);
  CHECK(fixture.sink->body() == R"({"input_tokens":77})");
  CHECK(fixture.sink->header("x-llmproxy-estimated").empty());
  REQUIRE(fixture.upstream->requests().size() == 1);
  CHECK(fixture.upstream->requests()[0].url ==
        "http://claude.test/v1/messages/count_tokens");
  // Only the model's name changed.
  CHECK(sent_body(fixture) ==
        R"({"model":"claude-up","messages":[{"role":"user","content":"hi"}]})");
}

TEST_CASE("an upstream that cannot count tokens is no error") {
  GatewayFixture fixture;
  fixture.upstream->play(Script().head(404, json_head()).body("{}"));
  fixture.handle(post(
      "/v1/messages/count_tokens",
      R"({"model":"claude","messages":[{"role":"user","content":"hi"}]})"));
  CHECK(fixture.sink->status() == 200);
  CHECK(fixture.sink->header("x-llmproxy-estimated") == "true");
  // What is wrong with the request or the key is told.
  fixture.fresh_sink();
  fixture.upstream->play(
      Script()
          .head(401, json_head())
          .body(R"({"type":"error","error":{"type":"authentication_error",)"
                R"("message":"no"}})"));
  fixture.handle(post(
      "/v1/messages/count_tokens",
      R"({"model":"claude","messages":[{"role":"user","content":"hi"}]})"));
  CHECK(fixture.sink->status() == 401);
}

TEST_CASE("what agents report about themselves is taken and not kept") {
  GatewayFixture fixture;
  fixture.handle(post("/api/event_logging/batch", R"({"events":[]})"));
  CHECK(fixture.sink->status() == 200);
  CHECK(fixture.upstream->requests().empty());
}

TEST_CASE("a verb that is none is told, not sent to another method") {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"/v1beta/models/gpt:generatecontent",
       "did you mean \"generateContent\"?"},
      {"/v1beta/models/gpt:streamGeneratecontent",
       "did you mean \"streamGenerateContent\"?"},
      {"/v1beta/models/gpt:embedcontent", "did you mean \"embedContent\"?"},
      {"/v1beta/models/gpt:predict", "countTokens"},
      {"/v1beta/models/gpt", "generateContent"},
      {"/v1beta/models/gpt%3AgenerateContent", "a colon"},
      {"/v1beta/models/gpt/generateContent", "a colon"},
      {"/v1beta/v1beta/models/gpt:predict", "countTokens"},
  };
  for (const auto& [path, words] : rows) {
    CAPTURE(path);
    GatewayFixture fixture;
    fixture.handle(post(std::string(path), R"({"contents":[]})"));
    CHECK(fixture.sink->status() == 404);
    CHECK_THAT(fixture.sink->body(), Catch::Contains(std::string(path)) &&
                                         Catch::Contains("NOT_FOUND") &&
                                         !Catch::Contains("use GET"));
    // As the text stands in JSON.
    std::string text(words);
    for (std::size_t at = 0; (at = text.find('"', at)) != std::string::npos;
         at += 2) {
      text.insert(at, 1, '\\');
    }
    CHECK_THAT(fixture.sink->body(), Catch::Contains(text));
  }
  GatewayFixture fixture;
  fixture.handle(post("/v1beta/models", "{}"));
  CHECK(fixture.sink->status() == 405);
}

TEST_CASE("chats are also served below /api") {
  GatewayFixture fixture;
  fixture.upstream->play(openai_answer());
  HttpRequest request = openai_request("gpt");
  request.path = "/api/v1/chat/completions";
  fixture.handle(std::move(request));
  CHECK(fixture.sink->status() == 200);
  REQUIRE(fixture.upstream->requests().size() == 1);
  CHECK(fixture.upstream->requests()[0].url ==
        "http://openai.test/v1/chat/completions");
}

TEST_CASE("a request target is split at its query", "[target]") {
  struct Row {
    const char* target;
    const char* path;
    const char* query;
  };
  const Row rows[] = {
      {"/v1/messages", "/v1/messages", ""},
      {"/v1/messages?beta=true", "/v1/messages", "beta=true"},
      {"/v1/messages?", "/v1/messages", ""},
      {"/a%3Fb?x=1?y=2", "/a%3Fb", "x=1?y=2"},
      {"?x", "", "x"},
      {"", "", ""},
  };
  for (const Row& row : rows) {
    HttpRequest request;
    request.path = "old";
    request.query = "old";
    request.set_target(row.target);
    CHECK(request.path == row.path);
    CHECK(request.query == row.query);

    const HttpRequest made = HttpRequest::from_target(
        "PUT", row.target, {{"x-a", "1"}}, "{}", "10.0.0.1");
    CHECK(made.method == "PUT");
    CHECK(made.path == row.path);
    CHECK(made.query == row.query);
    CHECK(made.headers == Headers{{"x-a", "1"}});
    CHECK(made.body == "{}");
    CHECK(made.peer == "10.0.0.1");
  }
}

TEST_CASE("a host may give the whole target for the path", "[target]") {
  GatewayFixture fixture;
  fixture.upstream->play(Script().head(200, json_head()).body(kOpenAiAnswer));
  HttpRequest request = claude_request("gpt");
  request.path += "?beta=true";
  fixture.handle(std::move(request));
  CHECK(fixture.sink->status() == 200);

  fixture.fresh_sink();
  fixture.upstream->play(Script()
                             .head(200, {{"content-type", "text/event-stream"}})
                             .body(kOpenAiBegin)
                             .body(openai_text("Hello"))
                             .body(kOpenAiEnd));
  fixture.handle(
      post("/v1beta/models/gpt:streamGenerateContent?alt=sse",
           R"({"contents":[{"role":"user","parts":[{"text":"hi"}]}]})"));
  CHECK(fixture.sink->status() == 200);
  CHECK(fixture.sink->body().starts_with("data: {"));
}
