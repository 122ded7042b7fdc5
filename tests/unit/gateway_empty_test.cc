// Gateway: turns without content, from each dialect to a backend of another.
// One of them ended the whole process once.
#include <catch2/catch.hpp>

#include "support/gateway_fixture.h"

using namespace llmproxy;
using namespace llmproxy::testing;

namespace {

/// A body in which nothing is said, and where its client sends it.
struct Empty {
  const char* path;
  const char* body;
};
// Models: "claude" and "gpt" of test_config().
const Empty kToOpenAi[] = {
    {"/v1/messages",
     R"({"model":"gpt","max_tokens":5,"messages":[{"role":"user","content":[]}]})"},
    {"/v1/messages",
     R"({"model":"gpt","max_tokens":5,"messages":[{"role":"assistant","content":[]}]})"},
    {"/v1/messages",
     R"({"model":"gpt","max_tokens":5,"messages":[{"role":"user","content":[]},{"role":"assistant","content":[]}]})"},
    {"/v1/messages", R"({"model":"gpt","max_tokens":5,"messages":[]})"},
    {"/v1/responses",
     R"({"model":"gpt","input":[{"role":"user","content":[]}]})"},
    {"/v1/responses",
     R"({"model":"gpt","input":[{"role":"assistant","content":[]}]})"},
    {"/v1/responses", R"({"model":"gpt","input":[]})"},
    {"/v1beta/models/gpt:generateContent",
     R"({"contents":[{"role":"user","parts":[]}]})"},
    {"/v1beta/models/gpt:generateContent",
     R"({"contents":[{"role":"model","parts":[]}]})"},
    {"/v1beta/models/gpt:generateContent", R"({"contents":[]})"},
    {"/v1beta/models/gpt:streamGenerateContent",
     R"({"contents":[{"role":"user","parts":[]}]})"},
    {"/model/gpt/converse", R"({"messages":[{"role":"user","content":[]}]})"},
    {"/model/gpt/converse", R"({"messages":[]})"},
    {"/model/gpt/converse-stream",
     R"({"messages":[{"role":"user","content":[]}]})"},
    {"/model/gpt/invoke",
     R"({"anthropic_version":"bedrock-2023-05-31","max_tokens":5,"messages":[{"role":"user","content":[]}]})"},
    {"/model/gpt/invoke-with-response-stream",
     R"({"anthropic_version":"bedrock-2023-05-31","max_tokens":5,"messages":[{"role":"user","content":[]}]})"},
};
const Empty kToClaude[] = {
    {"/v1/chat/completions",
     R"({"model":"claude","messages":[{"role":"user","content":[]}]})"},
    {"/v1/chat/completions",
     R"({"model":"claude","stream":true,"messages":[{"role":"user","content":[]}]})"},
    {"/v1/chat/completions",
     R"({"model":"claude","messages":[{"role":"assistant","content":null}]})"},
    {"/v1/chat/completions", R"({"model":"claude","messages":[]})"},
    {"/v1/responses",
     R"({"model":"claude","input":[{"role":"user","content":[]}]})"},
    {"/v1beta/models/claude:generateContent",
     R"({"contents":[{"role":"user","parts":[]}]})"},
    {"/model/claude/converse",
     R"({"messages":[{"role":"user","content":[]}]})"},
};

void check_refused(const Empty& empty) {
  CAPTURE(empty.path, empty.body);
  GatewayFixture fixture;
  fixture.handle(post(empty.path, empty.body));
  CHECK(fixture.sink->status() == 400);
  CHECK_FALSE(fixture.sink->body().empty());
  CHECK(fixture.upstream->requests().empty());
  CHECK(fixture.sink->faults().empty());
}

}  // namespace

TEST_CASE("a request that says nothing is refused by its dialect's words") {
  for (const Empty& empty : kToOpenAi) check_refused(empty);
  for (const Empty& empty : kToClaude) check_refused(empty);
}
