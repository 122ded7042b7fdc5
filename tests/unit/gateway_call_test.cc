// Gateway: calls whose answer comes in one piece.
#include <catch2/catch.hpp>

#include "support/gateway_fixture.h"
#include "support/upstream_texts.h"

using namespace llmproxy;
using namespace llmproxy::testing;

namespace {

// Everything odd that must survive: order, white space, numbers, unknowns.
std::string odd_body(const std::string& model) {
  return "{ \"zeta\" : 1.50,\n\t\"model\":\"" + model +
         "\", \"big\":12345678901234567890, \"stream\" : false,"
         "\"messages\":[{\"role\":\"user\",\"content\":\"h\\u00e9 "
         "\\\"model\\\":\\\"gpt\\\"\"}],\"max_tokens\": 64 ,"
         "\"deep\":{\"model\":\"gpt\",\"b\":null,\"a\":[ ]} }\n";
}

std::string header(const UpstreamRequest& request, std::string_view name) {
  return std::string(find_header(request.headers, name));
}

Script whole(const std::string& body) {
  return Script().head(200, json_head()).body(body);
}

}  // namespace

TEST_CASE("the same dialect passes every byte but the model") {
  struct Row {
    const char* path;
    const char* model;
    const char* sent;
    const char* url;
  };
  const Row rows[] = {
      {kOpenAiPath, "gpt", "gpt-up", "http://openai.test/v1/chat/completions"},
      {kOpenAiPath, "gpt-other", "gpt-other",
       "http://openai.test/v1/chat/completions"},
      {kClaudePath, "claude", "claude-up", "http://claude.test/v1/messages"},
  };
  for (const Row& row : rows) {
    GatewayFixture fixture;
    const std::string answer =
        row.path == std::string(kOpenAiPath) ? kOpenAiAnswer : kClaudeAnswer;
    fixture.upstream->play(whole(answer));
    fixture.handle(post(row.path, odd_body(row.model)));
    REQUIRE(fixture.upstream->requests().size() == 1);
    const UpstreamRequest sent = fixture.upstream->requests()[0];
    CHECK(sent.url == row.url);
    CHECK(sent.method == "POST");
    CHECK(sent.body == odd_body(row.sent));
    CHECK(fixture.sink->status() == 200);
    CHECK(fixture.sink->body() == answer);
    CHECK(fixture.sink->header("content-type") == "application/json");
    CHECK(fixture.sink->header("content-length") ==
          std::to_string(answer.size()));
    CHECK(fixture.sink->faults().empty());
  }
}

TEST_CASE("an OpenAI client is answered by a claude upstream") {
  GatewayFixture fixture;
  fixture.upstream->play(whole(kClaudeAnswer));
  fixture.handle(openai_request("claude"));
  REQUIRE(fixture.upstream->requests().size() == 1);
  const UpstreamRequest sent = fixture.upstream->requests()[0];
  CHECK(sent.url == "http://claude.test/v1/messages");
  CHECK(at(sent.body, "model") == "claude-up");
  CHECK_FALSE(at(sent.body, "max_tokens").empty());
  CHECK(header(sent, "x-api-key") == kClaudeKey);
  CHECK(header(sent, "anthropic-version") == "2023-06-01");
  CHECK(fixture.sink->status() == 200);
  const std::string body = fixture.sink->body();
  CHECK(at(body, "object") == "chat.completion");
  CHECK(at(body, "choices", 0, "message", "content") == "Hello there");
  CHECK(at(body, "choices", 0, "finish_reason") == "stop");
  CHECK(at(body, "usage", "prompt_tokens") == "11");
}

TEST_CASE("a claude client is answered by an OpenAI upstream") {
  GatewayFixture fixture;
  fixture.upstream->play(whole(kOpenAiAnswer));
  fixture.handle(claude_request("gpt"));
  REQUIRE(fixture.upstream->requests().size() == 1);
  const UpstreamRequest sent = fixture.upstream->requests()[0];
  CHECK(sent.url == "http://openai.test/v1/chat/completions");
  CHECK(header(sent, "authorization") == "Bearer " + kOpenAiKey);
  CHECK(fixture.sink->status() == 200);
  const std::string body = fixture.sink->body();
  CHECK(at(body, "type") == "message");
  CHECK(at(body, "content", 0, "text") == "Hello there");
  CHECK(at(body, "stop_reason") == "end_turn");
}

TEST_CASE("tokens are recorded for both kinds of call") {
  for (const char* model : {"gpt", "claude"}) {
    for (const bool as_openai : {true, false}) {
      GatewayFixture fixture;
      fixture.upstream->play(
          whole(model == std::string("gpt") ? kOpenAiAnswer : kClaudeAnswer));
      fixture.handle(as_openai ? openai_request(model) : claude_request(model));
      const RequestRecord record = fixture.record();
      CHECK(record.status == 200);
      CHECK(record.outcome == "ok");
      CHECK(record.input_tokens == 11);
      CHECK(record.output_tokens == 2);
      CHECK(record.cached_tokens == 4);
      CHECK(record.model == model);
      CHECK(record.upstream_model == std::string(model) + "-up");
      CHECK_FALSE(record.stream);
    }
  }
}

TEST_CASE("a query string is no part of the path") {
  GatewayFixture fixture;
  fixture.upstream->play(whole(kClaudeAnswer));
  HttpRequest request = claude_request("claude");
  request.query = "beta=true&key=" + kClientKey;
  fixture.handle(std::move(request));
  CHECK(fixture.sink->status() == 200);
  CHECK(fixture.upstream->requests()[0].url ==
        "http://claude.test/v1/messages");
}

TEST_CASE("credentials stay on their side") {
  const Headers sent_by_client = {
      {"Authorization", "Bearer " + kClientKey},
      {"X-Api-Key", kClientKey},
      {"x-goog-api-key", kClientKey},
      {"api-key", kClientKey},
      {"Cookie", "session=" + kClientKey},
      {"Proxy-Authorization", "Basic " + kClientKey},
      {"Host", kClientKey + ".test"},
      {"Connection", "x-canary"},
      {"x-canary", kClientKey},
      {"Forwarded", "for=" + kClientKey},
      {"User-Agent", kClientKey},
      {"Transfer-Encoding", "chunked"},
  };
  Config config = test_config();
  config.server.client_keys = {Secret(kClientKey)};
  for (const char* model : {"gpt", "claude"}) {
    for (const bool as_openai : {true, false}) {
      for (const bool stream : {true, false}) {
        GatewayFixture fixture(config);
        // An upstream that repeats what it was sent, as some do.
        fixture.upstream->play(
            Script()
                .head(400, {{"content-type", "application/json"},
                            {"set-cookie", "upstream-cookie=1"},
                            {"server", "secretserver"}})
                .body(
                    R"({"error":{"message":"bad","type":"invalid_request_error"}})"));
        HttpRequest request = as_openai ? openai_request(model, stream)
                                        : claude_request(model, stream);
        request.headers = sent_by_client;
        fixture.handle(std::move(request));
        REQUIRE(fixture.upstream->requests().size() == 1);
        const UpstreamRequest sent = fixture.upstream->requests()[0];
        std::string all = sent.url + "\n" + sent.body + "\n";
        for (const Header& h : sent.headers) all += h.name + h.value + "\n";
        CHECK_FALSE(contains(all, kClientKey));
        const bool to_openai = model == std::string("gpt");
        CHECK(contains(all, to_openai ? kOpenAiKey : kClaudeKey));
        CHECK_FALSE(contains(all, to_openai ? kClaudeKey : kOpenAiKey));
        CHECK_FALSE(contains(sent.url + sent.body, "canary"));

        std::string back = fixture.sink->body();
        for (const Header& h : fixture.sink->headers()) {
          back += h.name + h.value + "\n";
        }
        const RequestRecord record = fixture.record();
        back += record.error + record.outcome + record.model + record.path;
        CHECK_FALSE(contains(back, "canary"));
        CHECK_FALSE(contains(back, "upstream-cookie"));
        CHECK_FALSE(contains(back, "secretserver"));
      }
    }
  }
}

TEST_CASE("an upstream that repeats its key does not tell the client") {
  for (const bool as_openai : {true, false}) {
    for (const bool stream : {true, false}) {
      for (const int status : {401, 200}) {
        GatewayFixture fixture;
        std::string error = R"({"error":{"message":"wrong key )";
        error.append(kOpenAiKey).append(" or ").append(kOpenAiKey);
        error += R"(","type":"invalid_request_error"}})";
        // As an answer, as the first event, and behind the first.
        Script script;
        script.head(status, status == 401 ? json_head() : sse_head());
        if (status == 200 && as_openai) script.body(kOpenAiBegin);
        script.body(status == 401 ? error : "data: " + error + "\n\n");
        fixture.upstream->play(script);
        fixture.handle(as_openai ? openai_request("gpt", stream)
                                 : claude_request("gpt", stream));
        CHECK(contains(fixture.sink->body(), "error"));
        CHECK_FALSE(contains(fixture.sink->body(), kOpenAiKey));
        if (stream || status == 401) {
          CHECK(contains(fixture.sink->body(), "wrong key [key] or [key]"));
        }
      }
    }
  }
}

TEST_CASE("headers of the API go to backends of the same dialect only") {
  const Headers headers = {{"anthropic-version", "2026-10-21"},
                           {"Anthropic-Beta", "one"},
                           {"anthropic-beta", "two,three"},
                           {"OpenAI-Organization", "org-1"},
                           {"openai-project", "b\xc3\xa4"}};
  const auto sent = [&](HttpRequest request, const std::string& answer) {
    GatewayFixture fixture;
    fixture.upstream->play(whole(answer));
    request.headers = headers;
    fixture.handle(std::move(request));
    return fixture.upstream->requests().at(0);
  };
  const auto same = sent(claude_request("claude"), kClaudeAnswer);
  CHECK(header(same, "anthropic-version") == "2026-10-21");
  CHECK(header(same, "anthropic-beta") == "one,two,three");
  CHECK(header(same, "openai-organization").empty());
  const auto versions = std::count_if(
      same.headers.begin(), same.headers.end(),
      [](const Header& h) { return h.name == "anthropic-version"; });
  CHECK(versions == 1);

  const auto openai = sent(openai_request("gpt"), kOpenAiAnswer);
  CHECK(header(openai, "openai-organization") == "org-1");
  CHECK(header(openai, "openai-project").empty());
  CHECK(header(openai, "anthropic-beta").empty());

  const auto crossed = sent(claude_request("gpt"), kOpenAiAnswer);
  CHECK(header(crossed, "anthropic-version").empty());
  CHECK(header(crossed, "anthropic-beta").empty());
  CHECK(header(crossed, "openai-organization").empty());
}

TEST_CASE("an upstream's error reaches the client with its retry hints") {
  const Headers upstream_headers = {
      {"content-type", "application/json"},
      {"Retry-After", "7"},
      {"retry-after-ms", "7000"},
      {"x-should-retry", "true"},
      {"x-request-id", "up-1"},
      {"x-ratelimit-remaining-requests", "0"},
      {"anthropic-ratelimit-requests-remaining", "0"}};
  const std::string openai_error =
      R"({"error": {"message":"slow down","type":"requests","param":null,)"
      R"("code":"rate_limit_exceeded"}})";
  const std::string claude_error =
      R"({"type":"error","error": {"type":"rate_limit_error",)"
      R"("message":"slow down"},"request_id":"up-1"})";
  for (const bool stream : {true, false}) {
    for (const char* model : {"gpt", "claude"}) {
      const bool to_openai = model == std::string("gpt");
      const std::string& error = to_openai ? openai_error : claude_error;
      for (const bool as_openai : {true, false}) {
        GatewayFixture fixture;
        fixture.upstream->play(
            Script().head(429, upstream_headers).body(error));
        fixture.handle(as_openai ? openai_request(model, stream)
                                 : claude_request(model, stream));
        const auto& sink = *fixture.sink;
        CHECK(sink.status() == 429);
        CHECK(sink.header("retry-after") == "7");
        CHECK(sink.header("retry-after-ms") == "7000");
        CHECK(sink.header("x-should-retry") == "true");
        CHECK(sink.header(as_openai ? "x-request-id" : "request-id") == "up-1");
        CHECK(sink.header("content-type") == "application/json");
        CHECK(at(sink.body(), "error", "message") == "slow down");
        if (!as_openai) {
          CHECK(at(sink.body(), "error", "type") == "rate_limit_error");
        }
        if (as_openai == to_openai) CHECK(sink.body() == error);
        // Limits are counted in units of their own API.
        CHECK(sink.header("x-ratelimit-remaining-requests") ==
              (as_openai && to_openai ? "0" : ""));
        CHECK(sink.header("anthropic-ratelimit-requests-remaining") ==
              (!as_openai && !to_openai ? "0" : ""));
        CHECK(fixture.record().outcome == "rate_limited");
        CHECK(fixture.record().status == 429);
        CHECK_FALSE(contains(fixture.record().error, "slow down"));
        CHECK(sink.finished());
        CHECK(sink.faults().empty());
      }
    }
  }
}

TEST_CASE("an error page becomes JSON of the client's dialect") {
  for (const bool stream : {true, false}) {
    for (const bool as_openai : {true, false}) {
      GatewayFixture fixture;
      fixture.upstream->play(
          Script()
              .head(502, {{"content-type", "text/html"}})
              .body("<html><h1>502 Bad Gateway</h1></html>"));
      fixture.handle(as_openai ? openai_request("gpt", stream)
                               : claude_request("gpt", stream));
      CHECK(fixture.sink->status() == 502);
      CHECK(fixture.sink->header("content-type") == "application/json");
      CHECK_FALSE(at(fixture.sink->body(), "error", "message").empty());
    }
  }
}

TEST_CASE("an empty error body still says something") {
  GatewayFixture fixture;
  fixture.upstream->play(Script().head(503, {}));
  fixture.handle(openai_request("gpt"));
  CHECK(fixture.sink->status() == 503);
  CHECK_FALSE(at(fixture.sink->body(), "error", "message").empty());
}

TEST_CASE("a redirect is no answer and is not followed") {
  for (const bool stream : {true, false}) {
    GatewayFixture fixture;
    fixture.upstream->play(
        Script().head(302, {{"location", "http://evil.test/"}}));
    fixture.handle(openai_request("gpt", stream));
    CHECK(fixture.sink->status() == 502);
    CHECK(fixture.sink->header("location").empty());
    CHECK(fixture.record().outcome == "upstream_malformed");
    CHECK(fixture.upstream->requests().size() == 1);
  }
}

TEST_CASE("a transfer that fails is a proper HTTP error") {
  struct Row {
    ErrorKind kind;
    int status;
  };
  for (const Row row :
       {Row{ErrorKind::upstream_unreachable, 502}, Row{ErrorKind::timeout, 504},
        Row{ErrorKind::upstream_truncated, 502}}) {
    for (const bool stream : {true, false}) {
      for (const bool as_openai : {true, false}) {
        GatewayFixture fixture;
        fixture.upstream->play(Script().fail(row.kind, "it failed"));
        fixture.handle(as_openai ? openai_request("gpt", stream)
                                 : claude_request("gpt", stream));
        CHECK(fixture.sink->status() == row.status);
        CHECK(contains(at(fixture.sink->body(), "error", "message"),
                       "it failed"));
        CHECK(fixture.record().outcome == to_string(row.kind));
        // Who cannot be reached is named: the next steps are the operator's.
        const bool named = row.kind != ErrorKind::upstream_truncated;
        CHECK(fixture.record().error ==
              (named ? "it failed (backend 'openai-side')" : "it failed"));
      }
    }
  }
}

TEST_CASE("a body that breaks off is not passed on as an answer") {
  GatewayFixture fixture;
  fixture.upstream->play(Script()
                             .head(200, json_head())
                             .body(kOpenAiAnswer.substr(0, 40))
                             .fail(ErrorKind::upstream_truncated, "cut"));
  fixture.handle(openai_request("gpt"));
  CHECK(fixture.sink->status() == 502);
  CHECK_FALSE(contains(fixture.sink->body(), "chatcmpl-1"));
}

TEST_CASE("a 200 that makes no sense is the upstream's fault") {
  for (const char* body : {"", "<html>hello</html>", "{\"id\":", "[1]"}) {
    for (const bool as_openai : {true, false}) {
      GatewayFixture fixture;
      fixture.upstream->play(whole(body));
      fixture.handle(as_openai ? openai_request("gpt") : claude_request("gpt"));
      CHECK(fixture.sink->status() == 502);
      CHECK(fixture.record().outcome == "upstream_malformed");
      CHECK_FALSE(at(fixture.sink->body(), "error", "message").empty());
    }
  }
}

TEST_CASE("the same dialect relays JSON it does not know") {
  GatewayFixture fixture;
  const std::string body = R"({ "something":"new" })";
  fixture.upstream->play(whole(body));
  fixture.handle(openai_request("gpt"));
  CHECK(fixture.sink->status() == 200);
  CHECK(fixture.sink->body() == body);
}

TEST_CASE("a client that leaves ends a silent call") {
  GatewayFixture fixture;
  fixture.upstream->play(Script().silence());
  fixture.start(openai_request("gpt"));
  REQUIRE(eventually([&] { return fixture.sink->looks() > 0; }));
  fixture.sink->leave();
  fixture.join();
  CHECK(fixture.sink->status() == 0);
  CHECK(fixture.record().status == 499);
  CHECK(fixture.record().outcome == "cancelled");
}

TEST_CASE("what is lost is told in a header") {
  GatewayFixture fixture;
  fixture.upstream->play(whole(kOpenAiAnswer));
  fixture.handle(post(kClaudePath,
                      R"({"model":"gpt","max_tokens":9,"top_k":3,"messages":)"
                      R"([{"role":"user","content":"hi"}]})"));
  CHECK(fixture.sink->status() == 200);
  const std::string losses = fixture.sink->header("x-llmproxy-loss");
  CHECK(contains(losses, "/top_k: "));
  CHECK(fixture.record().losses >= 1);

  // Nothing lost, no header.
  fixture.fresh_sink();
  fixture.upstream->play(whole(kOpenAiAnswer));
  fixture.handle(openai_request("gpt"));
  CHECK(fixture.sink->header("x-llmproxy-loss").empty());
}

TEST_CASE("the header of losses stays small and printable") {
  GatewayFixture fixture;
  fixture.upstream->play(whole(kOpenAiAnswer));
  std::string body = R"({"model":"gpt","max_tokens":9,)";
  for (int i = 0; i < 500; ++i) {
    body += "\"unknown_\\u00e9\\r\\n" + std::to_string(i) + "\":1,";
  }
  fixture.handle(post(
      kClaudePath, body + R"("messages":[{"role":"user","content":"hi"}]})"));
  CHECK(fixture.sink->status() == 200);
  const std::string losses = fixture.sink->header("x-llmproxy-loss");
  CHECK(contains(losses, "unknown_"));
  CHECK(losses.size() < 2100);
  CHECK(std::all_of(losses.begin(), losses.end(),
                    [](char c) { return c >= ' ' && c < 127; }));
  CHECK(losses.ends_with(" more"));
  CHECK(fixture.record().losses >= 200);
}

TEST_CASE("strict mode refuses what would be lost, and sends nothing") {
  Config config = test_config();
  config.translate.strict = true;
  const std::string body =
      R"("max_tokens":9,"top_k":3,"messages":[{"role":"user",)"
      R"("content":"hi"}]})";
  GatewayFixture fixture(config);
  fixture.handle(post(kClaudePath, R"({"model":"gpt",)" + body));
  CHECK(fixture.sink->status() == 400);
  CHECK(contains(at(fixture.sink->body(), "error", "message"), "top_k"));
  CHECK(fixture.record().outcome == "unsupported");
  CHECK(fixture.upstream->requests().empty());

  // Within one dialect nothing is lost.
  fixture.fresh_sink();
  fixture.upstream->play(whole(kClaudeAnswer));
  fixture.handle(post(kClaudePath, R"({"model":"claude",)" + body));
  CHECK(fixture.sink->status() == 200);
}
