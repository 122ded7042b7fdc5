// Ids of kept answers: ours, random, and the same wherever they stand.
#include "gateway/answer_ids.h"

#include <set>

#include <catch2/catch.hpp>

#include "support/gateway_fixture.h"
#include "support/upstream_texts.h"

using namespace llmproxy;
using namespace llmproxy::testing;

namespace {

constexpr const char* kResponses = "/v1/responses";

HttpRequest turn(const std::string& model, bool stream,
                 const std::string& extra = "") {
  return post(kResponses, R"({"model":")" + model +
                              R"(","input":"hi","stream":)" +
                              (stream ? "true" : "false") + extra + "}");
}

/// "resp_" and 32 hexadecimal digits.
bool is_own(const std::string& id) {
  return id.size() == 37 && id.starts_with("resp_") &&
         id.find_first_not_of("0123456789abcdef", 5) == std::string::npos;
}

/// Every id of an answer in a text.
std::set<std::string> ids_in(const std::string& text) {
  std::set<std::string> out;
  for (std::size_t at = text.find("\"resp_"); at != std::string::npos;
       at = text.find("\"resp_", at + 1)) {
    out.insert(text.substr(at + 1, text.find('"', at + 1) - at - 1));
  }
  return out;
}

Config demo_config() {
  Config config = test_config();
  config.backends.push_back(make_backend(*find_provider("demo"), Secret()));
  config.routes.push_back({"demo", "demo", ""});
  return config;
}

void play(GatewayFixture& fixture, const std::string& model, bool stream) {
  const bool claude = model == "claude";
  if (!stream) {
    fixture.upstream->play(Script()
                               .head(200, json_head())
                               .body(claude ? kClaudeAnswer : kOpenAiAnswer));
    return;
  }
  fixture.upstream->play(
      Script()
          .head(200, sse_head())
          .body(claude ? kClaudeBegin + claude_text("hello") + kClaudeEnd
                       : kOpenAiBegin + openai_text("hello") + kOpenAiEnd));
}

}  // namespace

TEST_CASE("kept answers have ids of their own") {
  for (const char* model : {"gpt", "claude", "demo"}) {
    for (const bool stream : {false, true}) {
      CAPTURE(model, stream);
      GatewayFixture fixture(demo_config());
      std::set<std::string> seen;
      for (int i = 0; i < 3; ++i) {
        fixture.fresh_sink();
        play(fixture, model, stream);
        fixture.handle(turn(model, stream));
        REQUIRE(fixture.sink->status() == 200);
        const std::set<std::string> ids = ids_in(fixture.sink->body());
        REQUIRE(ids.size() == 1);
        CHECK(is_own(*ids.begin()));
        seen.insert(*ids.begin());
        const std::string digits = ids.begin()->substr(5);
        // Nothing else that the client sees tells it.
        for (const Header& header : fixture.sink->headers()) {
          CHECK_FALSE(contains(header.value, digits));
        }
        // The client finds it, and goes on from it.
        const std::string id = *ids.begin();
        fixture.fresh_sink();
        fixture.handle(get(std::string(kResponses) + "/" + id));
        CHECK(fixture.sink->status() == 200);
        CHECK(at(fixture.sink->body(), "id") == id);
        fixture.fresh_sink();
        play(fixture, model, false);
        fixture.handle(
            turn(model, false, R"(,"previous_response_id":")" + id + "\""));
        CHECK(fixture.sink->status() == 200);
        fixture.fresh_sink();
        HttpRequest removal = get(std::string(kResponses) + "/" + id);
        removal.method = "DELETE";
        fixture.handle(removal);
        CHECK(fixture.sink->status() == 200);
      }
      CHECK(seen.size() == 3);
    }
  }
}

TEST_CASE("two conversations of one owner do not meet") {
  // The upstream gives the same id each time.
  GatewayFixture fixture;
  std::vector<std::string> ids;
  for (const char* text : {"alice's", "bob's"}) {
    fixture.fresh_sink();
    fixture.upstream->play(Script().head(200, json_head()).body(kOpenAiAnswer));
    fixture.handle(post(
        kResponses, R"({"model":"gpt","input":")" + std::string(text) + "\"}"));
    ids.push_back(at(fixture.sink->body(), "id"));
  }
  REQUIRE(ids[0] != ids[1]);
  fixture.fresh_sink();
  fixture.upstream->play(Script().head(200, json_head()).body(kOpenAiAnswer));
  fixture.handle(post(
      kResponses, R"({"model":"gpt","input":"on","previous_response_id":")" +
                      ids[0] + "\"}"));
  const std::string sent = fixture.upstream->requests().back().body;
  CHECK(contains(sent, "alice's"));
  CHECK_FALSE(contains(sent, "bob's"));
  // What the upstream called it leads to nothing.
  fixture.fresh_sink();
  fixture.handle(get("/v1/responses/resp_1"));
  CHECK(fixture.sink->status() == 404);
}

TEST_CASE("answers of a backend that keeps them itself stay as they are") {
  Config config = test_config();
  config.backends[0].dialect = find_dialect("openai-responses");
  GatewayFixture fixture(config);
  const std::string body =
      R"({"id":"resp_up1","object":"response","status":"completed",)"
      R"("model":"x","output":[]})";
  fixture.upstream->play(Script().head(200, json_head()).body(body));
  fixture.handle(turn("gpt", false));
  CHECK(fixture.sink->body() == body);
  // One that goes on from what is kept here is kept here, under our id.
  config.routes.push_back({"other", "claude-side", "x"});
  GatewayFixture mixed(config);
  mixed.upstream->play(Script().head(200, json_head()).body(kClaudeAnswer));
  mixed.handle(turn("claude", false));
  const std::string first = at(mixed.sink->body(), "id");
  mixed.fresh_sink();
  mixed.upstream->play(Script().head(200, json_head()).body(body));
  mixed.handle(
      turn("gpt", false, R"(,"previous_response_id":")" + first + "\""));
  CHECK(mixed.sink->status() == 200);
  CHECK(is_own(at(mixed.sink->body(), "id")));
  CHECK(at(mixed.sink->body(), "id") != first);
}

TEST_CASE("an id is replaced where it is one, and nowhere else") {
  gateway::AnswerIdChange change("resp_new");
  std::string body =
      R"({"id":"resp_1","output":[{"id":"msg_1_0","text":"resp_1 1 \"resp_1\"",)"
      R"("call_id":"call_1"},{"id":"fc_1_12"},{"id":"x1"},{"id":"1"},)"
      R"({"id":"msg_1_0_x"},{"id":"msg_11_0"}]})";
  change.apply_to_answer(body);
  CHECK(at(body, "id") == "resp_new");
  CHECK(at(body, "output", 0, "id") == "msg_new_0");
  CHECK(at(body, "output", 0, "text") == "resp_1 1 \"resp_1\"");
  CHECK(at(body, "output", 1, "id") == "fc_new_12");
  CHECK(at(body, "output", 2, "id") == "x1");
  CHECK(at(body, "output", 3, "id") == "1");
  CHECK(at(body, "output", 4, "id") == "msg_1_0_x");
  CHECK(at(body, "output", 5, "id") == "msg_11_0");
  for (const char* odd : {"", "{", "[]", R"({"id":""})", R"({"id":"resp_"})",
                          R"({"id":7})", "{}"}) {
    gateway::AnswerIdChange other("resp_new");
    std::string text = odd;
    other.apply_to_answer(text);
    CHECK(text == odd);
  }
}

TEST_CASE("request ids do not tell each other") {
  GatewayFixture fixture;
  std::set<std::string> ids;
  for (int i = 0; i < 200; ++i) {
    fixture.fresh_sink();
    fixture.handle(get("/healthz"));
    ids.insert(fixture.sink->header("x-llmproxy-request-id"));
  }
  CHECK(ids.size() == 200);
  // Of another process, which counts from the same number.
  GatewayFixture other;
  other.handle(get("/healthz"));
  CHECK_FALSE(ids.contains(other.sink->header("x-llmproxy-request-id")));
}
