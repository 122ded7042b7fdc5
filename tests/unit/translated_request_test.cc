// What a translated request says of itself: with a base URL and a key it is all
// that a host's own HTTP client needs, and it is what ours sends.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <string_view>

#include "llmproxy/provider.h"
#include "llmproxy/translate.h"

using namespace llmproxy;

namespace {

/// A client's request for the model "m".
struct Source {
  std::string_view dialect;
  std::string_view whole;
  std::string_view stream;
  std::string_view whole_path;
  std::string_view stream_path;
  std::string_view stream_query = {};
};

constexpr Source kSources[] = {
    {"openai-chat",
     R"({"model":"m","messages":[{"role":"user","content":"x"}]})",
     R"({"model":"m","stream":true,"messages":[{"role":"user","content":"x"}]})",
     "/v1/chat/completions", "/v1/chat/completions"},
    {"openai-responses", R"({"model":"m","input":"x"})",
     R"({"model":"m","stream":true,"input":"x"})", "/v1/responses",
     "/v1/responses"},
    {"claude",
     R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}]})",
     R"({"model":"m","max_tokens":9,"stream":true,)"
     R"("messages":[{"role":"user","content":"x"}]})",
     "/v1/messages", "/v1/messages"},
    {"gemini", R"({"contents":[{"role":"user","parts":[{"text":"x"}]}]})",
     R"({"contents":[{"role":"user","parts":[{"text":"x"}]}]})",
     "/v1beta/models/m:generateContent",
     "/v1beta/models/m:streamGenerateContent", "alt=sse"},
    {"bedrock",
     R"({"anthropic_version":"bedrock-2023-05-31","max_tokens":9,)"
     R"("messages":[{"role":"user","content":"x"}]})",
     R"({"anthropic_version":"bedrock-2023-05-31","max_tokens":9,)"
     R"("messages":[{"role":"user","content":"x"}]})",
     "/model/m/invoke", "/model/m/invoke-with-response-stream"},
    {"bedrock-converse",
     R"({"messages":[{"role":"user","content":[{"text":"x"}]}]})",
     R"({"messages":[{"role":"user","content":[{"text":"x"}]}]})",
     "/model/m/converse", "/model/m/converse-stream"},
};

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kSse = "text/event-stream";
constexpr std::string_view kAws = "application/vnd.amazon.eventstream";

/// Where a request for "m" goes, and what it carries.
struct Target {
  std::string_view dialect;
  std::string_view provider;
  std::string_view whole;
  std::string_view stream;
  std::string_view stream_query;
  std::string_view accept_stream;
  /// Beside content type and accept.
  std::map<std::string, std::string> demanded = {};
};

const Target kTargets[] = {
    {"openai-chat", "openai", "/chat/completions", "/chat/completions", "",
     kSse},
    {"openai-responses", "openai-responses", "/responses", "/responses", "",
     kSse},
    {"claude",
     "anthropic",
     "/messages",
     "/messages",
     "",
     kSse,
     {{"anthropic-version", "2023-06-01"}}},
    {"gemini", "gemini", "/models/m:generateContent",
     "/models/m:streamGenerateContent", "alt=sse", kSse},
    {"bedrock", "bedrock-claude", "/model/m/invoke",
     "/model/m/invoke-with-response-stream", "", kAws},
    {"bedrock-converse", "bedrock", "/model/m/converse",
     "/model/m/converse-stream", "", kAws},
};

Result<TranslatedRequest> translated(const Source& source, const Dialect& to,
                                     bool stream) {
  RequestHead head;
  head.path = stream ? source.stream_path : source.whole_path;
  if (stream) head.query = source.stream_query;
  return translate_request(*find_dialect(source.dialect), to,
                           stream ? source.stream : source.whole, {}, head);
}

std::map<std::string, std::string> as_map(const Headers& headers) {
  std::map<std::string, std::string> out;
  for (const Header& header : headers) {
    INFO(header.name);
    CHECK(out.emplace(header.name, header.value).second);
  }
  return out;
}

}  // namespace

TEST_CASE("a translated request says where it goes and what it carries") {
  REQUIRE(std::size(kSources) == 6);
  REQUIRE(std::size(kTargets) == 6);
  for (const Source& source : kSources) {
    for (const Target& target : kTargets) {
      for (const bool stream : {false, true}) {
        INFO(source.dialect << " to " << target.dialect
                            << (stream ? ", a stream" : ""));
        const auto sent =
            translated(source, *find_dialect(target.dialect), stream);
        if (!sent) FAIL(sent.error().message);
        CHECK(sent->method == "POST");
        CHECK(sent->path == (stream ? target.stream : target.whole));
        CHECK(sent->query == (stream ? target.stream_query : ""));
        CHECK(sent->target() ==
              sent->path + (sent->query.empty() ? "" : "?" + sent->query));
        auto expected = target.demanded;
        expected["content-type"] = kJson;
        expected["accept"] = stream ? target.accept_stream : kJson;
        CHECK(as_map(sent->headers) == expected);
      }
    }
  }
}

TEST_CASE("the client sends what a translated request says") {
  for (const Target& target : kTargets) {
    for (const bool stream : {false, true}) {
      INFO(target.provider << (stream ? ", a stream" : ""));
      const Backend backend = make_backend(*find_provider(target.provider),
                                           Secret("sk-1"), "http://h");
      const Dialect& dialect = *find_dialect(target.dialect);
      REQUIRE(backend.dialect == &dialect);
      auto sent = translated(kSources[0], dialect, stream);
      REQUIRE(sent);
      const TranslatedRequest said = *sent;
      const UpstreamRequest out = upstream_request(backend, *sent);
      CHECK(out.method == said.method);
      CHECK(out.body == said.body);
      CHECK(out.url.ends_with(said.target()));
      for (const Header& header : said.headers) {
        CHECK(find_header(out.headers, header.name) == header.value);
      }
      // Nothing else but the key and that nobody unpacks.
      CHECK(out.headers.size() == said.headers.size() + 2);
      // A Client, which translates nothing, says the same.
      const UpstreamRequest same =
          upstream_request(backend, said.target(), said.body, stream);
      CHECK(same.url == out.url);
      CHECK(same.headers == out.headers);
    }
  }
}

TEST_CASE("no key is in the headers of a translated request") {
  for (const Target& target : kTargets) {
    const auto sent =
        translated(kSources[0], *find_dialect(target.dialect), false);
    REQUIRE(sent);
    for (const std::string_view name :
         {"authorization", "x-api-key", "x-goog-api-key", "api-key"}) {
      CHECK(find_header(sent->headers, name).empty());
    }
  }
}

TEST_CASE("a stream that is wanted as one JSON array asks for JSON") {
  const Dialect& gemini = *find_dialect("gemini");
  RequestHead head;
  head.path = kSources[3].stream_path;
  const auto sent =
      translate_request(gemini, gemini, kSources[3].stream, {}, head);
  REQUIRE(sent);
  CHECK(sent->target() == "/models/m:streamGenerateContent");
  CHECK(find_header(sent->headers, "accept") == kJson);
  // Of another dialect it comes as events all the same.
  const auto crossed = translate_request(gemini, *find_dialect("claude"),
                                         kSources[3].stream, {}, head);
  REQUIRE(crossed);
  CHECK(find_header(crossed->headers, "accept") == kSse);
}

TEST_CASE("a dialect of the host's own brings its headers") {
  static const FixedHeader rows[] = {{"acme-version", "7"}};
  Dialect acme = *find_dialect("openai-chat");
  acme.name = "acme-headers";
  acme.upstream_path = "/acme";
  acme.upstream_headers = rows;
  const auto sent = translated(kSources[0], acme, false);
  REQUIRE(sent);
  CHECK(sent->target() == "/acme");
  CHECK(find_header(sent->headers, "acme-version") == "7");
  static const Provider row{.name = "acme-headers",
                            .base_url = "http://acme.test"};
  Backend backend = make_backend(row, Secret("sk-1"));
  backend.dialect = &acme;
  CHECK(find_header(upstream_request(backend, "/acme", "{}", false).headers,
                    "acme-version") == "7");
  // What the operator configured goes before it.
  backend.headers = {{"Acme-Version", "8"}};
  CHECK(find_header(upstream_request(backend, "/acme", "{}", false).headers,
                    "acme-version") == "8");
}
