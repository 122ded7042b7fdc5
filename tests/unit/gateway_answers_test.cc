// Gateway: answers of upstreams that are too large, not what was asked for, or
// say when to come back.
#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <utility>

#include "gateway/upstream_answer.h"
#include "support/stream_sides.h"

using namespace llmproxy;
using namespace llmproxy::testing;

namespace {

HttpRequest either_request(bool as_openai, const char* model, bool stream) {
  return as_openai ? openai_request(model, stream)
                   : claude_request(model, stream);
}

Config small_config() {
  Config config = test_config();
  config.upstream.max_answer_bytes = 1000;
  return config;
}

/// The message that a client of any dialect gets for `script`.
template <class Check>
void for_all_forms(const Script& script, Check check,
                   const Config& config = test_config()) {
  for (const char* model : {"gpt", "claude"}) {
    for (const bool as_openai : {true, false}) {
      for (const bool stream : {true, false}) {
        INFO(model << " " << as_openai << " " << stream);
        GatewayFixture fixture(config);
        fixture.upstream->play(script);
        fixture.handle(either_request(as_openai, model, stream));
        CHECK(fixture.sink->faults().empty());
        CHECK(fixture.sink->finished());
        check(fixture);
      }
    }
  }
}

std::string message(const GatewayFixture& fixture) {
  return at(fixture.sink->body(), "error", "message");
}

}  // namespace

TEST_CASE("an answer that must be held and is too large is a 502") {
  const Script script = Script()
                            .head(200, json_head())
                            .body("{\"x\":\"" + std::string(900, 'a'))
                            .body(std::string(900, 'a'))
                            .silence();
  for_all_forms(
      script,
      [](const GatewayFixture& fixture) {
        CHECK(fixture.sink->status() == 502);
        CHECK(contains(message(fixture), "larger than 1000 bytes"));
      },
      small_config());
}

TEST_CASE("of an error only so much is read") {
  Gate never;
  const Script script =
      Script()
          .head(500, {{"content-type", "text/plain"}})
          .repeat("it broke " + std::string(100'000, 'e'), never);
  for_all_forms(script, [](const GatewayFixture& fixture) {
    CHECK(fixture.sink->status() >= 500);
    CHECK(contains(message(fixture), "it broke"));
    CHECK(fixture.sink->body().size() < (2u << 20));
  });
}

TEST_CASE("an error without an end is no error of the client's") {
  GatewayFixture fixture;
  Gate never;
  fixture.upstream->play(Script()
                             .head(500, {{"content-type", "text/plain"}})
                             .repeat(std::string(100'000, 'e'), never));
  fixture.handle(get("/openai-side/v1/files"));
  CHECK(fixture.sink->status() == 502);
  CHECK(contains(message(fixture), "status 500"));
  CHECK(fixture.record().outcome == "upstream_malformed");
}

TEST_CASE("a page, a packed file and nothing are called what they are") {
  struct Row {
    std::string body;
    const char* type;
    const char* says;
  };
  const Row rows[] = {
      {"<!DOCTYPE html><html></html>", "text/html; charset=utf-8",
       "a web page (content-type text/html; charset=utf-8)"},
      {"\n  <html></html>", "application/json", "a web page"},
      {"\xEF\xBB\xBF<html></html>", "text/event-stream", "a web page"},
      {std::string("\x1f\x8b\x08\x00\x00", 5), "application/json",
       "is compressed"},
      {std::string("\x1f\x8b\x08\x00\x00", 5), "text/event-stream",
       "is compressed"},
      {"", "application/json", "is empty"},
  };
  for (const Row& row : rows) {
    INFO(row.body << " as " << row.type);
    const Script script =
        Script().head(200, {{"content-type", row.type}}).body(row.body);
    for_all_forms(script, [&](const GatewayFixture& fixture) {
      CHECK(fixture.sink->status() == 502);
      CHECK(contains(message(fixture), row.says));
    });
  }
}

TEST_CASE("a redirect is called one, with no more than its host") {
  const Script script = Script().head(
      307, {{"location", "https://user:pw@login.example.com:8443/x?key=abc"}});
  for_all_forms(script, [](const GatewayFixture& fixture) {
    CHECK(fixture.sink->status() == 502);
    CHECK(contains(message(fixture), "status 307"));
    CHECK(contains(message(fixture), "https://login.example.com:8443"));
    CHECK_FALSE(contains(fixture.sink->body(), "key"));
    CHECK_FALSE(contains(fixture.sink->body(), "pw"));
    CHECK(fixture.upstream->requests().size() == 1);
  });
}

TEST_CASE("a key that an upstream repeats in its headers stays here") {
  for (const bool as_openai : {true, false}) {
    for (const bool stream : {true, false}) {
      INFO(as_openai << " " << stream);
      GatewayFixture fixture;
      Headers head = stream ? sse_head() : json_head();
      head.push_back({"x-request-id", "req " + kOpenAiKey});
      head.push_back({"x-ratelimit-limit-requests", kOpenAiKey});
      head.push_back({"retry-after", kOpenAiKey});
      std::string body = kOpenAiAnswer;
      if (stream) {
        body = kOpenAiBegin;
        body.append(openai_text("hi")).append(kOpenAiEnd);
      }
      fixture.upstream->play(Script().head(200, head).body(std::move(body)));
      fixture.handle(either_request(as_openai, "gpt", stream));
      CHECK(fixture.sink->status() == 200);
      for (const Header& header : fixture.sink->headers()) {
        CHECK_FALSE(contains(header.value, kOpenAiKey));
      }
      CHECK(fixture.sink->header("retry-after") == "[key]");
    }
  }
}

TEST_CASE("a content-type that is wrong or missing does not matter") {
  const char* types[] = {
      "text/plain",        "application/octet-stream", "",
      "text/event-stream", "application/json",         "text/html"};
  for (const char* type : types) {
    for (const bool streamed : {true, false}) {
      INFO(type << (streamed ? " events" : " whole"));
      Headers head;
      if (*type != '\0') head.push_back({"content-type", type});
      GatewayFixture fixture;
      std::string answer = "\n ";
      answer += kOpenAiAnswer;
      if (streamed) {
        answer = kOpenAiBegin;
        answer += openai_text("Hello there");
        answer += kOpenAiEnd;
      }
      fixture.upstream->play(Script().head(200, head).body(answer));
      fixture.handle(claude_request("gpt", true));
      CHECK(fixture.sink->status() == 200);
      CHECK(contains(fixture.sink->body(), "Hello there"));
      CHECK(contains(fixture.sink->body(), good_end(false)));
    }
  }
}

TEST_CASE("a byte order mark before an answer is taken away") {
  for (const bool as_openai : {true, false}) {
    for (const bool stream : {true, false}) {
      GatewayFixture fixture;
      fixture.upstream->play(Script()
                                 .head(200, json_head())
                                 .body("\xEF\xBB")
                                 .body("\xBF" + kOpenAiAnswer));
      fixture.handle(either_request(as_openai, "gpt", stream));
      CHECK(fixture.sink->status() == 200);
      CHECK(contains(fixture.sink->body(), "Hello"));
      CHECK_FALSE(contains(fixture.sink->body(), "\xEF\xBB\xBF"));
    }
  }
}

TEST_CASE("when to try again reaches every client") {
  Config config = test_config();
  config.backends.push_back(test_backend(
      "gemini-side", "gemini", "http://gemini.test", "canary-gemini-key"));
  config.routes.push_back({"gemini", "gemini-side", ""});
  const std::string busy =
      R"({"error":{"code":429,"message":"slow down","status":)"
      R"("RESOURCE_EXHAUSTED","details":[{"@type":)"
      R"("type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.4s"}]}})";
  const auto retry_after = [&](HttpRequest request, const Headers& head,
                               const std::string& body) {
    GatewayFixture fixture(config);
    fixture.upstream->play(Script().head(429, head).body(body));
    fixture.handle(std::move(request));
    CHECK(fixture.sink->status() == 429);
    int count = 0;
    for (const Header& header : fixture.sink->headers()) {
      if (same_header_name(header.name, "retry-after")) ++count;
    }
    CHECK(count <= 1);
    return fixture.sink->header("retry-after");
  };
  const std::string chat = R"({"contents":[{"role":"user","parts":[{"text":)"
                           R"("hi"}]}]})";
  const std::string simple = R"({"model":"m","messages":[{"role":"user",)"
                             R"("content":"hi"}]})";
  const std::string responses = R"({"model":"gemini","input":"hi"})";
  for (const bool stream : {true, false}) {
    CHECK(retry_after(openai_request("gemini", stream), json_head(), busy) ==
          "35");
    CHECK(retry_after(claude_request("gemini", stream), json_head(), busy) ==
          "35");
  }
  for (const char* path :
       {"/v1beta/models/gemini:generateContent",
        "/v1beta/models/gemini:streamGenerateContent",
        "/v1beta/models/gemini:countTokens",
        "/gemini-side/v1beta/models/gemini:generateContent"}) {
    INFO(path);
    CHECK(retry_after(post(path, chat), json_head(), busy) == "35");
  }
  CHECK(retry_after(post("/v1/chat/gemini-side", simple), json_head(), busy) ==
        "35");
  CHECK(retry_after(post("/v1/responses", responses), json_head(), busy) ==
        "35");
  // The upstream's own header wins.
  CHECK(
      retry_after(openai_request("gemini"),
                  {{"content-type", "application/json"}, {"retry-after", "9"}},
                  busy) == "9");
  // Without any hint only clients that would give up are given one.
  CHECK(retry_after(openai_request("gemini"), json_head(), "{}").empty());
  CHECK(retry_after(post("/v1/responses", responses), json_head(), "{}") ==
        "1");
}

TEST_CASE("events that are passed on ask not to be collected") {
  const auto headers_of = [](const Headers& head) {
    GatewayFixture fixture;
    fixture.upstream->play(Script().head(200, head).body("data: x\n\n"));
    fixture.handle(post("/openai-side/v1/chat/completions", "{}"));
    return fixture.sink->headers();
  };
  const auto count = [](const Headers& headers, std::string_view name) {
    return std::count_if(headers.begin(), headers.end(),
                         [&](const Header& header) {
                           return same_header_name(header.name, name);
                         });
  };
  const Headers events = headers_of(sse_head());
  CHECK(find_header(events, "x-accel-buffering") == "no");
  CHECK(find_header(events, "cache-control") == "no-cache");
  const Headers said = headers_of({{"content-type", "text/event-stream"},
                                   {"Cache-Control", "no-store"},
                                   {"X-Accel-Buffering", "no"}});
  CHECK(count(said, "x-accel-buffering") == 1);
  CHECK(count(said, "cache-control") == 1);
  CHECK(find_header(said, "cache-control") == "no-store");
  CHECK(count(headers_of(json_head()), "x-accel-buffering") == 0);
}
