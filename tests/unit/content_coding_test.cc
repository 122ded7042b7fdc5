// Bodies that come packed, bombs among them, and texts that are not UTF-8.
#include "gateway/content_coding.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "support/gateway_fixture.h"
#include "support/packed.h"

using namespace llmproxy;
using namespace llmproxy::gateway;
using namespace llmproxy::testing;

namespace {

constexpr std::size_t kLimit = 1'000'000;

Result<std::string> read(const std::string& coding, const std::string& body,
                         std::size_t limit = kLimit) {
  ByteLease lease;
  return readable_body({{"Content-Encoding", coding}}, body, limit, lease);
}

}  // namespace

TEST_CASE("packed bodies are unpacked") {
  const std::string text(5000, 'x');
  CHECK(*read("gzip", deflated(text, 31)) == text);
  CHECK(*read("X-GZIP", deflated(text, 31)) == text);
  CHECK(*read("gzip", deflated(text, 31) + deflated("end", 31)) ==
        text + "end");
  CHECK(*read("deflate", deflated(text, 15)) == text);
  CHECK(*read("deflate", deflated(text, -15)) == text);
  CHECK(*read("br", brotli(text)) == text);
  CHECK(*read("zstd", zstd(text)) == text);
  CHECK(*read("zstd", zstd(text) + zstd("end")) == text + "end");
  CHECK(*read("gzip, , zstd", zstd(deflated(text, 31))) == text);
  CHECK(*read("identity", text) == text);
  CHECK(*read("", text) == text);
  CHECK(read("gzip", "")->empty());
}

TEST_CASE("what is cut, mangled or longer than it says is refused") {
  const std::string text = "some text that is packed";
  const std::pair<std::string, std::string> packed[] = {
      {"gzip", deflated(text, 31)},
      {"deflate", deflated(text, 15)},
      {"deflate", deflated(text, -15)},
      {"br", brotli(text)},
      {"zstd", zstd(text)}};
  for (const auto& [coding, bytes] : packed) {
    CAPTURE(coding);
    for (std::size_t size = 1; size < bytes.size(); ++size) {
      CHECK_FALSE(read(coding, bytes.substr(0, size)));
    }
    CHECK_FALSE(read(coding, bytes + "x"));
    CHECK_FALSE(read(coding, text));
    CHECK_FALSE(read(coding, std::string(4, '\0')));
  }
}

TEST_CASE("a bomb is told by its limit, and costs no more than that") {
  // NOLINTNEXTLINE(bugprone-string-constructor): it is to be large.
  const std::string text(50'000'000, 'x');
  const std::pair<std::string, std::string> bombs[] = {
      {"gzip", deflated(text, 31)},
      {"deflate", deflated(text, -15)},
      {"zstd", zstd(text)},
      {"gzip, gzip", deflated(deflated(text, 31), 31)}};
  for (const auto& [coding, bytes] : bombs) {
    CAPTURE(coding);
    ByteBudget budget(0);
    ByteLease lease(&budget);
    const auto read =
        readable_body({{"content-encoding", coding}}, bytes, kLimit, lease);
    REQUIRE_FALSE(read);
    CHECK(read.error().kind == ErrorKind::request_too_large);
    CHECK(budget.held() <= 2 * kLimit);
  }
  CHECK(read("gzip", deflated(text, 31), text.size()));
  // A window of its own choice is memory too.
  // NOLINTNEXTLINE(bugprone-string-constructor): it is to be large.
  const std::string wide(20'000'000, 'x');
  CHECK_FALSE(read("zstd", zstd(wide, 27), 1 << 30));
}

TEST_CASE("unpacking asks the budget") {
  ByteBudget budget(1000);
  ByteLease lease(&budget);
  const auto read =
      readable_body({{"content-encoding", "gzip"}},
                    deflated(std::string(5000, 'x'), 31), kLimit, lease);
  REQUIRE_FALSE(read);
  CHECK(read.error().kind == ErrorKind::overloaded);
  CHECK(read.error().retry_after == "1");
}

TEST_CASE("texts in other forms of Unicode are named") {
  using namespace std::string_literals;
  CHECK(*read("", "\xef\xbb\xbf{}") == "{}");
  CHECK(*read("gzip", deflated("\xef\xbb\xbf{}", 31)) == "{}");
  const std::pair<std::string, const char*> texts[] = {
      {"\xff\xfe{\0}\0"s, "UTF-16"},
      {"\xfe\xff\0{\0}"s, "UTF-16"},
      {"{\0}\0"s, "UTF-16"},
      {"\0{\0}"s, "UTF-16"},
      {"\xff\xfe\0\0{\0\0\0"s, "UTF-32"},
      {"\0\0\xfe\xff\0\0\0{"s, "UTF-32"},
      {"{\0\0\0}\0\0\0"s, "UTF-32"},
      {"\0\0\0{\0\0\0}"s, "UTF-32"}};
  for (const auto& [text, form] : texts) {
    const auto refused = read("", text);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::invalid_request);
    CHECK(contains(refused.error().message, form));
  }
  for (const std::string& text : {""s, "{"s, "\0"s, "{}"s}) {
    CHECK(*read("", text) == text);
  }
}

TEST_CASE("a packed chat is answered, from every dialect") {
  Config config = test_config();
  config.backends.push_back(
      make_backend(*find_provider("demo"), Secret(""), "demo:"));
  config.routes = {{"demo", config.backends.back().name, ""}};
  const std::pair<const char*, const char*> chats[] = {
      {kClaudePath, R"({"model":"demo","max_tokens":9,"messages":[)"
                    R"({"role":"user","content":"hi"}]})"},
      {kOpenAiPath, R"({"model":"demo","messages":[)"
                    R"({"role":"user","content":"hi"}]})"},
      {"/v1/responses", R"({"model":"demo","input":"hi"})"},
      {"/v1beta/models/demo:generateContent",
       R"({"contents":[{"parts":[{"text":"hi"}]}]})"},
      {"/v1/messages/count_tokens",
       R"({"model":"demo","messages":[{"role":"user","content":"hi"}]})"}};
  for (const auto& [path, body] : chats) {
    CAPTURE(path);
    GatewayFixture fixture(config);
    fixture.handle(post(path, zstd("\xef\xbb\xbf" + std::string(body)),
                        {{"content-encoding", "zstd"}}));
    CHECK(fixture.sink->status() == 200);
    fixture.fresh_sink();
    fixture.handle(post(path, body, {{"content-encoding", "lzma"}}));
    CHECK(fixture.sink->status() == 415);
    CHECK(contains(fixture.sink->body(), "lzma"));
    CHECK(fixture.sink->header("accept-encoding") == kTakenCodings);
    fixture.fresh_sink();
    fixture.handle(post(path, "not packed", {{"content-encoding", "gzip"}}));
    CHECK(fixture.sink->status() == 400);
    CHECK(contains(fixture.sink->body(), "gzip"));
  }
}
