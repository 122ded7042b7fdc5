// Providers, backends and keys: what goes to whom, and that it goes nowhere
// else.
#include "llmproxy/provider.h"
#include "llmproxy/translate.h"

#include <catch2/catch.hpp>
#include <set>
#include <sstream>
#include <string>
#include <type_traits>

namespace llmproxy {
namespace {

std::string url_of(std::string_view provider, const std::string& base_url) {
  const Backend backend =
      make_backend(*find_provider(provider), Secret(), base_url);
  const std::string_view path =
      backend.dialect ? backend.dialect->upstream_path : std::string_view("/x");
  return upstream_request(backend, path, "{}", false).url;
}

TEST_CASE("every provider row can be used") {
  std::set<std::string_view> names;
  for (const Provider& provider : providers()) {
    CAPTURE(provider.name);
    CHECK(names.insert(provider.name).second);
    CHECK(find_provider(provider.name) == &provider);
    const bool speaks = find_dialect(provider.dialect) != nullptr;
    CHECK(speaks == !provider.dialect.empty());
    CHECK((provider.key_variable.empty() || provider.auth != AuthScheme::none));
    CHECK((provider.path_prefix.empty() || provider.path_prefix[0] == '/'));
  }
  CHECK(find_provider("nobody") == nullptr);
  CHECK(find_provider("") == nullptr);
}

TEST_CASE("the URL is joined as the vendors mean it") {
  CHECK(url_of("openai", "") == "https://api.openai.com/v1/chat/completions");
  CHECK(url_of("anthropic", "") == "https://api.anthropic.com/v1/messages");
  CHECK(url_of("openai-compatible", "http://127.0.0.1:11434/v1") ==
        "http://127.0.0.1:11434/v1/chat/completions");
  CHECK(url_of("openai-compatible", "http://h/v1/") ==
        "http://h/v1/chat/completions");
  for (const std::string base :
       {"http://h", "http://h/", "http://h/v1", "http://h/v1/"}) {
    CAPTURE(base);
    CHECK(url_of("anthropic", base) == "http://h/v1/messages");
  }
  // Only a whole segment counts as there already.
  CHECK(url_of("anthropic", "http://h/xv1") == "http://h/xv1/v1/messages");
  CHECK(url_of("anthropic", "http://h/proxy/v1") ==
        "http://h/proxy/v1/messages");
  CHECK(url_of("demo", "") == "demo:/x");
  // The endpoint itself, and a version that the requests are not of.
  CHECK(url_of("anthropic", "http://h/v1/messages") == "http://h/v1/messages");
  CHECK(url_of("openai", "http://h/v1/chat/completions/") ==
        "http://h/v1/chat/completions");
  for (const std::string base :
       {"http://h/v1", "http://h/v1beta/models", "http://h/v1beta/"}) {
    CAPTURE(base);
    CHECK(url_of("gemini", base) ==
          "http://h/v1beta/models/{model}:generateContent");
  }
}

TEST_CASE("the key stands in the provider's header and nowhere else") {
  struct Row {
    std::string_view provider;
    std::string_view header;
    std::string_view value;
  };
  for (const Row& row : {
           Row{"openai", "authorization", "Bearer sk-canary"},
           Row{"anthropic", "x-api-key", "sk-canary"},
           Row{"openai-compatible", "authorization", "Bearer sk-canary"},
           Row{"demo", "", ""},
       }) {
    CAPTURE(row.provider);
    const Backend backend = make_backend(*find_provider(row.provider),
                                         Secret("sk-canary"), "http://h");
    const UpstreamRequest request =
        upstream_request(backend, "/x", "{\"a\":1}", false);
    int found = 0;
    for (const Header& header : request.headers) {
      if (header.value.find("canary") == std::string::npos) continue;
      ++found;
      CHECK(header.name == row.header);
      CHECK(header.value == row.value);
    }
    CHECK(found == (row.header.empty() ? 0 : 1));
    CHECK(request.url.find("canary") == std::string::npos);
    CHECK(request.body == "{\"a\":1}");
    CHECK(request.method == "POST");
  }
}

TEST_CASE("without a key there is no header for it") {
  for (const Provider& provider : providers()) {
    const Backend backend = make_backend(provider, Secret(), "http://h");
    const UpstreamRequest request = upstream_request(backend, "/x", "", true);
    CHECK(find_header(request.headers, "authorization").empty());
    CHECK(find_header(request.headers, "x-api-key").empty());
  }
}

TEST_CASE("headers say what goes out and what may come back") {
  const Backend backend = make_backend(*find_provider("anthropic"), Secret());
  const Headers whole = upstream_request(backend, "/x", "", false).headers;
  CHECK(find_header(whole, "content-type") == "application/json");
  CHECK(find_header(whole, "accept") == "application/json");
  CHECK(find_header(whole, "accept-encoding") == "identity");
  CHECK(find_header(whole, "anthropic-version") == "2023-06-01");
  const Headers stream = upstream_request(backend, "/x", "", true).headers;
  CHECK(find_header(stream, "accept") == "text/event-stream");
  const Backend other = make_backend(*find_provider("openai"), Secret());
  CHECK(find_header(upstream_request(other, "/x", "", true).headers,
                    "anthropic-version")
            .empty());
}

TEST_CASE("quirks leave a request alone that comes in the own dialect") {
  static const Provider row{.name = "quirky",
                            .dialect = "openai-chat",
                            .base_url = "http://h",
                            .quirks = kNoSeed | kOldMaxTokens | kNoUserField};
  const Backend backend = make_backend(row, Secret());
  const std::string body =
      R"({"model":"m","seed":7,"max_completion_tokens":9,"user":"u",)"
      R"("messages":[{"role":"user","content":"x"}]})";
  TranslateOptions options;
  options.traits = traits_for(backend, *backend.dialect, "m");
  const auto own =
      translate_request(*backend.dialect, *backend.dialect, body, options);
  REQUIRE(own);
  CHECK(own->body == body);
  CHECK(own->losses.empty());
  // One of another dialect's is written as the row says.
  const auto other = translate_request(
      *find_dialect("claude"), *backend.dialect,
      R"({"model":"m","max_tokens":9,"metadata":{"user_id":"u"},)"
      R"("messages":[{"role":"user","content":"x"}]})",
      options);
  REQUIRE(other);
  CHECK(other->body.find("\"max_tokens\":9") != std::string::npos);
  CHECK(other->body.find("\"user\":") == std::string::npos);
  CHECK(other->losses.size() == 1);
}

TEST_CASE("a backend carries its deadlines into the request") {
  Backend backend = make_backend(*find_provider("openai"), Secret());
  CHECK(backend.name == "openai");
  backend.deadlines.idle = std::chrono::milliseconds(77);
  CHECK(upstream_request(backend, "/x", "", false).deadlines ==
        backend.deadlines);
}

TEST_CASE("quirks change the traits of the dialect") {
  const Dialect& dialect = *find_dialect("openai-chat");
  Provider provider = *find_provider("openai");
  const Backend plain = make_backend(provider, Secret());
  const TargetTraits before = traits_for(plain, dialect, "some-model");
  CHECK(before == traits_for(dialect, "some-model"));

  provider.quirks = kOldMaxTokens | kNoStreamUsage | kReasoningContent |
                    kCacheMarkers | kToolResultImages;
  const Backend odd = make_backend(provider, Secret());
  TargetTraits expected = before;
  expected.max_completion_tokens = false;
  expected.stream_usage = false;
  expected.reasoning_content = true;
  expected.cache_markers = true;
  expected.tool_result_images = true;
  CHECK(traits_for(odd, dialect, "some-model") == expected);
}

// --- Secret ----------------------------------------------------------------

template <class T>
concept Printable = requires(std::ostream& out, const T& value) {
  out << value;
};
static_assert(!Printable<Secret>);
static_assert(!std::is_convertible_v<Secret, std::string>);
static_assert(!std::is_convertible_v<std::string, Secret>);
static_assert(!std::equality_comparable<Secret>);

TEST_CASE("a secret equals its own text only") {
  const Secret secret("sk-123");
  CHECK(secret.equals("sk-123"));
  CHECK_FALSE(secret.equals("sk-124"));
  CHECK_FALSE(secret.equals("tk-123"));
  CHECK_FALSE(secret.equals("sk-12"));
  CHECK_FALSE(secret.equals("sk-123sk-123"));
  CHECK_FALSE(secret.equals("sk-1234"));
  CHECK_FALSE(secret.equals(""));
  CHECK(Secret("").equals(""));
  CHECK_FALSE(Secret("").equals("x"));
  CHECK_FALSE(Secret("").equals(std::string_view("\0", 1)));
}

}  // namespace

TEST_CASE("tools with free text are for OpenAI's own servers") {
  const Dialect& chat = *find_dialect("openai-chat");
  for (const Provider& row : providers()) {
    if (row.dialect != chat.name) continue;
    CAPTURE(row.name);
    const Backend backend = make_backend(row, Secret(""), "http://h/v1");
    const bool theirs = row.name == "openai" || row.name == "azure";
    CHECK(traits_for(backend, chat, "m").custom_tools == theirs);
  }
  TranslateOptions options;
  options.traits.emplace().custom_tools = false;
  const auto sent = translate_request(
      *find_dialect("openai-responses"), chat,
      R"({"model":"m","input":"hi","tools":[{"type":"custom","name":"patch"}]})",
      options);
  REQUIRE(sent);
  CHECK(sent->body.find(R"("type":"function")") != std::string::npos);
  CHECK(sent->context.custom_tools == std::vector<std::string>{"patch"});
}

}  // namespace llmproxy
