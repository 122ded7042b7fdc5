// Keys in what an upstream says, however it writes them.
#include "gateway/redact.h"

#include <catch2/catch.hpp>

#include "support/gateway_fixture.h"
#include "support/upstream_texts.h"

using namespace llmproxy;
using namespace llmproxy::gateway;
using namespace llmproxy::testing;

namespace {

const std::string kKey = "sk-UP/SECRET+12345678";
const std::string kToken = "client-token-987654321";

Backend backend() {
  Backend out = test_backend("b", "openai", "http://up.test/v1", kKey);
  out.aws.secret_access_key = Secret("aws/secret/access+key/0123456789");
  out.aws.session_token = Secret("session-token-0123456789");
  out.headers = {{"x-internal", "internal-value-1"},
                 {"authorization", "Basic abcdefghijklmnop"}};
  out.query = "code=query-value-1&v=1";
  return out;
}

HttpRequest client() {
  HttpRequest out = get("/x", {{"authorization", "Bearer " + kToken}});
  out.query = "key=query%2Dkey%2D12345";
  return out;
}

std::string redacted(std::string text) {
  redact(backend(), client(), text);
  return text;
}

/// The same fed in pieces of `size`; its length must stay.
std::string redacted_in_pieces(std::string_view text, std::size_t size) {
  Redactor redactor(backend(), client());
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += size) {
    redactor.feed(text.substr(at, size), out);
  }
  redactor.finish(out);
  CHECK(out.size() == text.size());
  return out;
}

}  // namespace

TEST_CASE("a key is found however it is written") {
  for (const std::string text : {
           R"(sk-UP/SECRET+12345678)",
           R"(sk-UP\/SECRET+12345678)",
           R"(sk-UP\u002FSECRET\u002b12345678)",
           R"(\u0073\u006b-UP\/SECRET+12345678)",
           R"(sk-UP\\/SECRET\\u002b12345678)",
           R"(sk-UP%2FSECRET%2b12345678)",
           R"(%73%6B%2DUP%2FSECRET%2B12345678)",
           R"(sk-UP%252FSECRET%252B12345678)",
           R"(client-token-987654321)",
           R"(query%2Dkey%2D12345)",
           R"(query-key-12345)",
           R"(aws/secret/access+key/0123456789)",
           R"(aws\/secret\/access\u002bkey\/0123456789)",
           R"(session-token-0123456789)",
           R"(internal-value-1)",
           R"(abcdefghijklmnop)",
           R"(query-value-1)",
       }) {
    CAPTURE(text);
    CHECK(redacted("a \"" + text + "\" b") == "a \"[key]\" b");
    CHECK(redacted(text) == "[key]");
    CHECK(redacted(text + text) == "[key][key]");
    for (const std::size_t size : {1u, 2u, 3u, 7u, 1000u}) {
      const std::string shown = redacted_in_pieces("<" + text + ">", size);
      CHECK(shown.starts_with("<[key]*"));
      CHECK(shown.ends_with(">"));
      CHECK(shown.find_first_not_of("<[key]*>") == std::string::npos);
    }
  }
}

TEST_CASE("base64 of a key is the key") {
  // "user:", "x", "" and "ab" before it.
  for (const std::string text :
       {"dXNlcjpzay1VUC9TRUNSRVQrMTIzNDU2Nzg=",
        "eHNrLVVQL1NFQ1JFVCsxMjM0NTY3OA==", "c2stVVAvU0VDUkVUKzEyMzQ1Njc4",
        "YWJzay1VUC9TRUNSRVQrMTIzNDU2Nzg="}) {
    CAPTURE(text);
    const std::string shown = redacted("Basic " + text);
    CHECK(contains(shown, "[key]"));
    // Not more than the ends, which tell nothing of the key alone.
    CHECK(shown.size() < std::string("Basic [key]").size() + 12);
  }
}

TEST_CASE("large parts of a key are not shown, small ones are") {
  CHECK(redacted("key sk-UP/SECRET+1...") == "key [key]...");
  CHECK(redacted("key ...RET+12345678!") == "key ...RE[key]!");
  CHECK(redacted("key sk-UP***5678") == "key sk-UP***5678");
  CHECK(redacted("a signature: Signature=" + std::string(64, 'a') + ", x") ==
        "a signature: Signature=[key], x");
}

TEST_CASE("what is no key stays as it is") {
  for (const std::string text :
       {"", "sk-", R"({"error":{"message":"no","code":null}})", "\\", "%", "%7",
        "\\u00", "100% \\n\\\\", "sk-UP\\"}) {
    CAPTURE(text);
    CHECK(redacted(text) == text);
    for (const std::size_t size : {1u, 2u, 5u}) {
      CHECK(redacted_in_pieces(text, size) == text);
    }
  }
  Backend local = test_backend("b", "openai", "http://up.test/v1", "none");
  std::string text = "none of this is a key";
  redact(local, get("/x"), text);
  CHECK(text == "none of this is a key");
}

TEST_CASE("no text takes long to look at") {
  Backend slow = test_backend("b", "openai", "http://up.test/v1",
                              std::string(4000, 'a') + "b");
  HttpRequest request =
      get("/x", {{"x-api-key", std::string(4000, 'a') + std::string(1, 'c')}});
  for (const char c : {'a', '\\', '%', 'Y'}) {
    std::string text(std::size_t{1} << 20, c);
    redact(slow, request, text);
    CHECK(text.size() <= std::size_t{1} << 20);
  }
}

TEST_CASE("no answer shows a key that was sent for it") {
  const std::string escaped = R"(canary\u002dopenai%2Dkey)";
  const std::string body =
      R"({"error":{"message":"bad key )" + escaped + R"(","type":"x"}})";
  struct Row {
    HttpRequest request;
    Script script;
  };
  HttpRequest passed = get("/openai-side/v1/models");
  HttpRequest simple =
      post("/v1/chat/openai-side",
           R"({"model":"gpt","messages":[{"role":"user","content":"hi"}]})");
  HttpRequest simple_stream = simple;
  simple_stream.body.insert(1, R"("stream":true,)");
  const Script refused = Script().head(401, json_head()).body(body);
  const Script pretended = Script().head(200, json_head()).body(body);
  const std::string event = "data: " + body + "\n\n";
  const Script streamed = Script()
                              .head(200, sse_head())
                              .body(event.substr(0, 40))
                              .body(event.substr(40, 7))
                              .body(event.substr(47));
  const Script echoed = Script()
                            .head(401, {{"content-type", "application/json"},
                                        {"x-request-id", kOpenAiKey}})
                            .body(body);
  const std::vector<Row> rows = {{openai_request("gpt"), refused},
                                 {openai_request("gpt"), pretended},
                                 {openai_request("gpt"), echoed},
                                 {openai_request("gpt", true), refused},
                                 {openai_request("gpt", true), streamed},
                                 {openai_request("gpt", true), pretended},
                                 {claude_request("gpt"), refused},
                                 {claude_request("gpt"), pretended},
                                 {claude_request("gpt", true), streamed},
                                 {claude_request("gpt", true), refused},
                                 {passed, refused},
                                 {passed, pretended},
                                 {passed, streamed},
                                 {passed, echoed},
                                 {simple, refused},
                                 {simple, pretended},
                                 {simple_stream, streamed},
                                 {simple_stream, refused}};
  std::size_t number = 0;
  for (const Row& row : rows) {
    CAPTURE(number++, row.request.path, row.request.body);
    GatewayFixture fixture;
    fixture.upstream->play(row.script);
    fixture.handle(row.request);
    std::string shown = fixture.sink->body();
    for (const Header& header : fixture.sink->headers()) shown += header.value;
    CHECK_FALSE(contains(shown, "openai%2Dkey"));
    CHECK_FALSE(contains(shown, kOpenAiKey));
    CHECK_FALSE(contains(shown, "u002dopenai"));
  }
}
