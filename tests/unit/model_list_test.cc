// What an upstream's lists of models say, when they are asked for, and by which
// names clients get to see them.
#include "gateway/model_list.h"

#include <catch2/catch.hpp>

#include "gateway/listed_models.h"
#include "gateway/model_page.h"
#include "gateway/query.h"
#include "support/gateway_fixture.h"

using namespace llmproxy;
using namespace llmproxy::testing;
using namespace llmproxy::gateway;
using namespace std::chrono_literals;

namespace {

const ModelList::Time kStart{};

ModelPage page_of(std::vector<std::string> names, std::string next = "") {
  return {std::move(names), std::move(next)};
}

}  // namespace

TEST_CASE("a page of any dialect is read", "[models]") {
  struct Row {
    const char* body;
    ModelPage page;
  };
  const Row rows[] = {
      {R"({"object":"list","data":[{"id":"a"},{"id":"b/c:d"}]})",
       page_of({"a", "b/c:d"})},
      {R"({"data":[]})", page_of({})},
      {R"({"data":[{"type":"model","id":"a"}],"has_more":true,)"
       R"("first_id":"a","last_id":"a"})",
       page_of({"a"}, "a")},
      {R"({"data":[{"id":"a"}],"has_more":false,"last_id":"a"})",
       page_of({"a"})},
      {R"({"data":[{"id":"a"}],"has_more":true})", page_of({"a"})},
      {R"({"models":[{"name":"models/g-1"},{"name":"models/g-2"}],)"
       R"("nextPageToken":"t/1"})",
       page_of({"g-1", "g-2"}, "t/1")},
      // What cannot answer is not for clients.
      {R"({"models":[{"name":"models/a","supportedGenerationMethods":)"
       R"(["countTokens"]},{"name":"models/b","supportedGenerationMethods":)"
       R"(["countTokens","generateContent"]},{"name":"models/c",)"
       R"("supportedGenerationMethods":["embedContent"]}]})",
       page_of({"b", "c"})},
      {R"([{"id":"a"},{"id":"b"}])", page_of({"a", "b"})},
      // What is no name is left out.
      {R"({"data":[{"id":""},{"id":7},{},null,[],"x",{"id":"a\nb"},)"
       R"({"id":"a\u0000"},{"id":"\u007f"},{"id":"ok"}]})",
       page_of({"ok"})},
  };
  for (const Row& row : rows) {
    CAPTURE(row.body);
    const auto page = read_model_page(row.body);
    REQUIRE(page);
    CHECK(page->names == row.page.names);
    CHECK(page->next == row.page.next);
  }
  const std::string longest(kMaxModelName, 'x');
  const auto page = read_model_page(R"({"data":[{"id":")" + longest +
                                    R"("},{"id":"y)" + longest + "\"}]}");
  REQUIRE(page);
  CHECK(page->names == std::vector<std::string>{longest});
}

TEST_CASE("what is no list of models is an error", "[models]") {
  for (const char* body :
       {"", "{}", "null", "[", "<html>", "\"x\"", "7", R"({"data":{}})",
        R"({"error":{"message":"no"}})", R"({"models":"x"})"}) {
    CAPTURE(body);
    CHECK_FALSE(read_model_page(body));
  }
}

TEST_CASE("a list is asked for where a vendor has it", "[models]") {
  struct Row {
    const char* provider;
    const char* base;
    const char* next;
    const char* url;
  };
  const Row rows[] = {
      {"openai", "http://up.test/v1", "", "http://up.test/v1/models"},
      {"openai-responses", "http://up.test/v1", "", "http://up.test/v1/models"},
      {"openai-compatible", "http://up.test/api/", "",
       "http://up.test/api/models"},
      {"anthropic", "http://up.test", "",
       "http://up.test/v1/models?limit=1000"},
      {"anthropic", "http://up.test/v1", "claude-1",
       "http://up.test/v1/models?limit=1000&after_id=claude-1"},
      {"gemini", "http://up.test", "a/b=&c",
       "http://up.test/v1beta/models?pageSize=1000&pageToken=a%2Fb%3D%26c"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.provider);
    const Backend backend =
        test_backend("b", row.provider, row.base, kOpenAiKey);
    REQUIRE(can_list_models(backend));
    const UpstreamRequest request = model_page_request(backend, row.next);
    CHECK(request.url == row.url);
    CHECK(request.method == "GET");
    CHECK(request.body.empty());
    CHECK(find_header(request.headers, "content-type").empty());
    CHECK(request.deadlines.total == 10s);
    std::size_t keys = 0;
    for (const Header& header : request.headers) {
      keys += contains(header.value, kOpenAiKey) ? 1 : 0;
    }
    CHECK(keys == 1);
  }
}

TEST_CASE("a host's signature is of the question as it goes out", "[models]") {
  Backend backend = test_backend("b", "openai", "http://up.test/v1", "");
  int signed_times = 0;
  backend.sign = [&](UpstreamRequest& request) {
    ++signed_times;
    request.headers.push_back({"x-sign", request.method + " " + request.url});
  };
  const UpstreamRequest request = model_page_request(backend, "");
  CHECK(find_header(request.headers, "x-sign") ==
        "GET http://up.test/v1/models");
  CHECK(signed_times == 1);
}

TEST_CASE("who has no list, or wants the client's key, is not asked",
          "[models]") {
  CHECK_FALSE(can_list_models(test_backend("b", "demo", "demo:", "")));
  CHECK_FALSE(
      can_list_models(test_backend("b", "bedrock", "http://up.test", "k")));
  CHECK_FALSE(can_list_models(
      test_backend("b", "bedrock-claude", "http://up.test", "k")));
  Backend lends = test_backend("b", "openai", "http://up.test/v1", "");
  CHECK(can_list_models(lends));
  lends.pass_credentials = true;
  CHECK_FALSE(can_list_models(lends));
  lends.api_key = Secret("k");
  CHECK(can_list_models(lends));
  // A server that needs no key is asked without.
  Backend local = test_backend("b", "ollama", "http://up.test/v1", "");
  local.pass_credentials = true;
  CHECK(can_list_models(local));
  CHECK(find_header(model_page_request(local, "").headers, "authorization")
            .empty());
}

TEST_CASE("a list is asked for once, and again when it is old", "[models]") {
  ModelList list(5min);
  CHECK(list.names() == nullptr);
  CHECK(list.ask(kStart) == "");
  CHECK(list.is_first());
  CHECK_FALSE(list.ask(kStart));  // one at a time
  list.take(page_of({"a"}), kStart + 1s);
  REQUIRE(list.names());
  CHECK(*list.names() == ModelNames{"a"});
  CHECK_FALSE(list.is_first());
  CHECK_FALSE(list.ask(kStart + 5min));
  CHECK(list.ask(kStart + 5min + 1s) == "");
  // What was known stays until the next is there.
  CHECK_FALSE(list.is_first());
  CHECK(*list.names() == ModelNames{"a"});
  list.take(page_of({"b"}), kStart + 6min);
  CHECK(*list.names() == ModelNames{"b"});
}

TEST_CASE("a failure hides nothing and is tried again soon", "[models]") {
  ModelList list(5min);
  REQUIRE(list.ask(kStart));
  list.take(page_of({"a"}), kStart);
  REQUIRE(list.ask(kStart + 5min));
  list.fail(kStart + 5min);
  CHECK(*list.names() == ModelNames{"a"});
  CHECK_FALSE(list.ask(kStart + 5min + 29s));
  CHECK(list.ask(kStart + 5min + 30s) == "");

  ModelList never(5min);
  REQUIRE(never.ask(kStart));
  never.fail(kStart);
  CHECK(never.names() == nullptr);
  REQUIRE(never.ask(kStart + 30s));
  // Nobody waits for it a second time.
  CHECK_FALSE(never.is_first());

  ModelList brief(2s);
  REQUIRE(brief.ask(kStart));
  brief.fail(kStart);
  CHECK_FALSE(brief.ask(kStart + 1s));
  CHECK(brief.ask(kStart + 2s));
}

TEST_CASE("pages are put together, and have an end", "[models]") {
  ModelList list(5min);
  CHECK(list.ask(kStart) == "");
  list.take(page_of({"a"}, "p2"), kStart);
  CHECK(list.names() == nullptr);
  CHECK(list.ask(kStart) == "p2");
  CHECK(list.is_first());
  list.take(page_of({"b"}, "p3"), kStart);
  CHECK(list.ask(kStart) == "p3");
  list.take(page_of({"c"}), kStart);
  CHECK(*list.names() == ModelNames{"a", "b", "c"});

  // A page that leads to itself is the last.
  ModelList circle(5min);
  REQUIRE(circle.ask(kStart));
  circle.take(page_of({"a"}, "x"), kStart);
  REQUIRE(circle.ask(kStart) == "x");
  circle.take(page_of({"b"}, "x"), kStart);
  CHECK(circle.names()->size() == 2);

  // Pages without end have one.
  ModelList endless(5min);
  std::size_t pages = 0;
  while (endless.ask(kStart)) {
    REQUIRE(++pages <= kMaxModelPages);
    endless.take(page_of({"m"}, "p" + std::to_string(pages)), kStart);
  }
  CHECK(pages == kMaxModelPages);
  CHECK(endless.names()->size() == kMaxModelPages);

  ModelList large(5min);
  REQUIRE(large.ask(kStart));
  large.take(page_of(ModelNames(kMaxModels + 5, "m"), "next"), kStart);
  REQUIRE(large.names());
  CHECK(large.names()->size() == kMaxModels);
}

TEST_CASE("a list that was begun long ago is begun again", "[models]") {
  ModelList list(5min);
  REQUIRE(list.ask(kStart));
  list.take(page_of({"a"}, "p2"), kStart);
  CHECK(list.ask(kStart + 60s) == "");
  list.take(page_of({"b"}), kStart + 60s);
  CHECK(*list.names() == ModelNames{"b"});
}

TEST_CASE("a pattern says what a client calls a model", "[models]") {
  struct Row {
    const char* pattern;
    const char* leads_to;
    const char* model;
    const char* name;  ///< "" = it does not lead there
  };
  const Row rows[] = {
      {"gpt-*", "", "gpt-5", "gpt-5"},
      {"gpt-*", "", "whisper-1", ""},
      {"o1*", "", "o1", "o1"},
      {"*", "", "anything/at:all", "anything/at:all"},
      {"local/*", "*", "llama3:8b", "local/llama3:8b"},
      {"local/*", "", "llama3", ""},
      {"local/*", "", "local/x", "local/x"},
      {"anthropic-*", "*", "claude-1", "anthropic-claude-1"},
      {"fast-*", "vendor/*-turbo", "vendor/x-turbo", "fast-x"},
      {"fast-*", "vendor/*-turbo", "vendor/x", ""},
      {"*-latest", "*", "m", "m-latest"},
      // Whatever is asked for, it is the same model.
      {"gpt-*", "gpt-5", "gpt-5", ""},
      {"exact", "", "exact", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.pattern, row.leads_to, row.model);
    CHECK(client_name(Route{row.pattern, "b", row.leads_to}, row.model)
              .value_or("") == row.name);
  }
}

TEST_CASE("a value of a query is found and decoded", "[models]") {
  struct Row {
    const char* query;
    const char* value;
  };
  const Row rows[] = {{"limit=5", "5"},
                      {"a=1&limit=5&limit=6", "5"},
                      {"", ""},
                      {"limit", ""},
                      {"limit=", ""},
                      {"xlimit=5", ""},
                      {"limit=a%2Fb", "a/b"},
                      {"&&limit=x&", "x"}};
  for (const Row& row : rows) {
    CAPTURE(row.query);
    CHECK(query_value(row.query, "limit") == row.value);
  }
}
