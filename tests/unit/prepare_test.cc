// prepare: a Client and a translation send the same body for the same request,
// and know the same of it when the answer comes.
#include "chat/prepare.h"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "client/outgoing_call.h"
#include "llmproxy/translate.h"

namespace llmproxy {
namespace {

constexpr std::string_view kChat = R"({"model":"m","max_completion_tokens":64,
 "messages":[{"role":"system","content":"Be brief."},
  {"role":"user","content":"Hi"},
  {"role":"assistant","content":null,"tool_calls":[{"id":"call.1",
   "type":"function","function":{"name":"desk search","arguments":"{}"}}]},
  {"role":"tool","tool_call_id":"call.1","content":"done"},
  {"role":"user","content":""},{"role":"user","content":"And?"}],
 "tools":[{"type":"function","function":{"name":"desk search"}},
  {"type":"custom","custom":{"name":"note"}}],"tool_choice":"auto","n":1,
 "stop":["END"],"seed":7,"prompt_cache_key":"k","temperature":0.5})";
constexpr std::string_view kClaude = R"({"model":"m","max_tokens":64,
 "messages":[{"role":"user","content":[{"type":"text","text":"Hi",
  "cache_control":{"type":"ephemeral"}}]}],
 "tools":[{"name":"search","input_schema":{"type":"object"},"strict":true}],
 "stop_sequences":["END"],"top_k":3,"unknown":{"a":1}})";

Backend backend_for(const Dialect& dialect) {
  static Provider row;
  row = Provider{.name = "test",
                 .dialect = dialect.name,
                 .base_url = "http://h",
                 .auth = AuthScheme::none};
  return make_backend(row, Secret(""));
}

/// A request of another dialect than `to`.
ParsedRequest foreign_to(const Dialect& to) {
  const bool chat = to.name != "openai-chat";
  const Dialect& from = *find_dialect(chat ? "openai-chat" : "claude");
  auto parsed = ParsedRequest::parse(from, std::string(chat ? kChat : kClaude));
  REQUIRE(parsed);
  return *std::move(parsed);
}

}  // namespace

TEST_CASE("a Client asks as a translation does") {
  for (const Dialect* to : dialects()) {
    CAPTURE(to->name);
    const ParsedRequest parsed = foreign_to(*to);
    const Result<ChatRequest> request = parsed.decode();
    REQUIRE(request);
    const Backend backend = backend_for(*to);
    TranslateOptions options;
    options.traits = traits_for(backend, *to, request->model);
    const auto sent = translate_request(parsed, *to, options);
    const auto call = prepare_call(backend, *request, false, {});
    REQUIRE(sent);
    REQUIRE(call);
    CHECK(call->request.body == sent->body);
    CHECK(call->context == sent->context);
    CHECK(call->losses.size() == sent->losses.size());
  }
}

TEST_CASE("a request made by hand is prepared alike, whoever sends it") {
  for (const Dialect* to : dialects()) {
    CAPTURE(to->name);
    Result<ChatRequest> request = foreign_to(*to).decode();
    REQUIRE(request);
    request->dialect.clear();
    const Backend backend = backend_for(*to);
    const auto call = prepare_call(backend, *request, false, {});
    REQUIRE(call);
    EncodeOptions options;
    options.traits = traits_for(backend, *to, request->model);
    RequestContext context = context_of(*request);
    Losses losses;
    std::string body;
    REQUIRE(prepare(*request, *to, options, context, losses));
    REQUIRE(to->encode_request(*request, options, context, body, losses));
    CHECK(call->request.body == body);
    CHECK(call->context == context);
    CHECK(call->losses.size() == losses.size());
  }
}

}  // namespace llmproxy
