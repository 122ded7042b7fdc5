// Gateway: upstreams that answer a request for a stream in one piece. The
// client gets its stream, made as it is taken.
#include <catch2/catch.hpp>

#include "support/stream_sides.h"

using namespace llmproxy;
using namespace llmproxy::testing;

namespace {

struct ClientRow {
  const char* dialect;
  const char* target;
  const char* body;
};
constexpr ClientRow kClients[] = {
    {"openai-chat", "/v1/chat/completions",
     R"({"model":"gpt","stream":true,)"
     R"("messages":[{"role":"user","content":"hi"}]})"},
    {"openai-responses", "/v1/responses",
     R"({"model":"gpt","stream":true,"store":false,"input":"hi"})"},
    {"claude", "/v1/messages",
     R"({"model":"gpt","stream":true,"max_tokens":64,)"
     R"("messages":[{"role":"user","content":"hi"}]})"},
    {"gemini", "/v1beta/models/gpt:streamGenerateContent?alt=sse",
     R"({"contents":[{"role":"user","parts":[{"text":"hi"}]}]})"},
    {"bedrock", "/model/gpt/invoke-with-response-stream",
     R"({"anthropic_version":"bedrock-2023-05-31","max_tokens":64,)"
     R"("messages":[{"role":"user","content":"hi"}]})"},
    {"bedrock-converse", "/model/gpt/converse-stream",
     R"({"messages":[{"role":"user","content":[{"text":"hi"}]}]})"},
};

HttpRequest request_of(const ClientRow& client) {
  HttpRequest request = post("", client.body);
  request.set_target(client.target);
  return request;
}

/// Characters of one byte to four, so that every cut meets one.
std::string long_text(std::size_t bytes) {
  std::string text;
  while (text.size() < bytes)
    text += "word \xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80";
  return text;
}

std::string openai_answer(const std::string& text) {
  return R"({"id":"chatcmpl-1","object":"chat.completion","created":1,)"
         R"("model":"gpt-up","choices":[{"index":0,"message":{"role":)"
         R"("assistant","content":")" +
         text +
         R"("},"finish_reason":"stop"}],"usage":{"prompt_tokens":11,)"
         R"("completion_tokens":2,"total_tokens":13}})";
}

Script answers_whole(const std::string& text) {
  return Script().head(200, json_head()).body(openai_answer(text));
}

/// What `dialect`'s clients make of a stream.
struct Sum {
  Sum(const char* dialect, const std::string& bytes) {
    RequestContext context;
    context.stream = true;
    const auto decoder = find_dialect(dialect)->new_stream_decoder(context);
    decoder->feed(bytes, accumulator);
    decoder->finish(accumulator);
  }
  std::string text() const {
    std::string all;
    for (const ContentPart& part : accumulator.response().content) {
      if (const auto* words = part.as<TextPart>()) all += words->text;
    }
    return all;
  }
  bool good() const { return accumulator.done() && !accumulator.error(); }

  Accumulator accumulator;
};

template <class Check>
void for_all_clients(Check check) {
  for (const ClientRow& client : kClients) {
    INFO(client.dialect);
    check(client);
  }
}

/// What was written when the client's buffer is full. The sink notes as a
/// fault what is written behind that.
std::size_t size_when_full(const GatewayFixture& fixture) {
  REQUIRE(eventually([&] { return fixture.sink->full(); }));
  return fixture.sink->body().size();
}

// Of a client that does not read, whatever the length of the answer. Bytes.
constexpr std::size_t kMostWritten = std::size_t{130} << 10;

}  // namespace

TEST_CASE("an answer in one piece is streamed as the client takes it") {
  for_all_clients([](const ClientRow& client) {
    const std::string text = long_text(std::size_t{1} << 20);
    GatewayFixture fixture;
    fixture.sink->set_capacity(1000);
    fixture.upstream->play(answers_whole(text));
    fixture.start(request_of(client));
    CHECK(size_when_full(fixture) <= kMostWritten);
    REQUIRE(reads_to_the_end(fixture));
    CHECK(fixture.sink->finished());
    CHECK(fixture.sink->faults().empty());
    CHECK(fixture.record().outcome == "ok");
    CHECK(fixture.record().output_tokens == 2);
    const Sum sum(client.dialect, fixture.sink->body());
    CHECK(sum.good());
    CHECK(sum.text() == text);
    CHECK(fixture.gateway.budget().held() == 0);
  });
}

TEST_CASE("its client may leave in the middle") {
  for_all_clients([](const ClientRow& client) {
    GatewayFixture fixture;
    fixture.sink->set_capacity(1000);
    fixture.upstream->play(answers_whole(long_text(std::size_t{1} << 20)));
    fixture.start(request_of(client));
    size_when_full(fixture);
    fixture.sink->leave();
    fixture.join();
    CHECK(fixture.record().status == 499);
    CHECK_FALSE(fixture.sink->finished());
    CHECK(fixture.gateway.budget().held() == 0);
  });
}

TEST_CASE("it ends in an error when the process does") {
  for_all_clients([](const ClientRow& client) {
    GatewayFixture fixture;
    fixture.sink->set_capacity(1000);
    fixture.upstream->play(answers_whole(long_text(std::size_t{1} << 20)));
    fixture.start(request_of(client));
    size_when_full(fixture);
    fixture.gateway.shut_down();
    REQUIRE(reads_to_the_end(fixture));
    CHECK_FALSE(Sum(client.dialect, fixture.sink->body()).good());
    CHECK(fixture.sink->faults().empty());
    CHECK(fixture.record().outcome == "shutdown");
    // Its clients take an orderly end for that of the answer.
    const bool breaks = std::string_view(client.dialect) == "gemini";
    CHECK(fixture.sink->finished() == !breaks);
    CHECK(fixture.sink->abandoned() == breaks);
  });
}

TEST_CASE("it ends in an error when there is no room for it to wait") {
  for_all_clients([](const ClientRow& client) {
    Config config = test_config();
    config.server.max_bytes_in_flight = std::size_t{4} << 20;
    GatewayFixture fixture(std::move(config));
    const std::string text = long_text(std::size_t{1} << 20);
    ByteBudget& budget = fixture.gateway.budget();
    ByteLease others(&budget);
    // What the answer itself needs is left.
    REQUIRE(others.grow(budget.limit() - openai_answer(text).size()));
    fixture.sink->set_capacity(1000);
    fixture.upstream->play(answers_whole(text));
    fixture.start(request_of(client));
    REQUIRE(reads_to_the_end(fixture));
    CHECK(fixture.sink->status() == 200);
    CHECK_FALSE(Sum(client.dialect, fixture.sink->body()).good());
    CHECK(fixture.sink->faults().empty());
    CHECK(fixture.record().outcome == "overloaded");
    CHECK(budget.held() == others.bytes());
  });
}
