// The demo's embeddings, through the Gateway: shapes, formats, nearness.
#include <catch2/catch.hpp>

#include <cmath>
#include <cstring>
#include <numeric>
#include <vector>

#include "base/text.h"
#include "support/gateway_fixture.h"

using namespace llmproxy;
using namespace llmproxy::testing;

namespace {

Config demo_config() {
  Config config;
  config.backends.push_back(test_backend("demo", "demo", "", ""));
  config.routes = {
      {"demo", "demo", ""}, {"demo-*", "demo", ""}, {"alias", "demo", "demo"}};
  return config;
}

constexpr const char* kPath = "/v1/embeddings";

std::string ask(const std::string& path, const std::string& body,
                int status = 200) {
  GatewayFixture fixture(demo_config());
  fixture.handle(post(path, body));
  CAPTURE(path, body, fixture.sink->body());
  CHECK(fixture.sink->status() == status);
  return fixture.sink->body();
}

std::vector<float> numbers(const json::Value& array) {
  std::vector<float> out;
  for (const json::Value x : array.children()) {
    out.push_back(static_cast<float>(x.number().value_or(NAN)));
  }
  return out;
}

std::vector<std::vector<float>> vectors(const std::string& answer) {
  json::Document document;
  const auto root = document.parse(answer);
  REQUIRE(root);
  std::vector<std::vector<float>> out;
  for (const json::Value item : (*root)["data"].children()) {
    out.push_back(numbers(item["embedding"]));
  }
  return out;
}

double product(const std::vector<float>& a, const std::vector<float>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

}  // namespace

TEST_CASE("the demo embeds a text, a list, tokens and lists of those") {
  struct Row {
    std::string input;
    std::size_t count;
    std::string tokens;
  };
  const Row rows[] = {{R"("two words")", 1, "2"},
                      {R"(["one","two words"])", 2, "3"},
                      {"[1,2,3]", 1, "3"},
                      {"[[1,2],[3]]", 2, "3"},
                      {R"(["one",[7,8]])", 2, "3"}};
  for (const Row& row : rows) {
    CAPTURE(row.input);
    const std::string answer =
        ask(kPath, R"({"model":"demo","input":)" + row.input + "}");
    CHECK(at(answer, "object") == "list");
    CHECK(at(answer, "model") == "demo");
    CHECK(at(answer, "usage", "prompt_tokens") == row.tokens);
    CHECK(at(answer, "usage", "total_tokens") == row.tokens);
    const auto found = vectors(answer);
    REQUIRE(found.size() == row.count);
    for (const auto& vector : found) {
      CHECK(vector.size() == 256);
      CHECK(product(vector, vector) == Approx(1).margin(1e-4));
    }
    CHECK(at(answer, "data", 0, "index") == "0");
    CHECK(at(answer, "data", 0, "object") == "embedding");
  }
}

TEST_CASE("the same text is the same vector, like texts are near") {
  const auto found = vectors(ask(
      kPath, R"({"model":"demo","input":["The cat sat on the mat.",)"
             R"("the CAT sat on the mat","stock prices fell in autumn"]})"));
  REQUIRE(found.size() == 3);
  CHECK(found[0] == found[1]);
  CHECK(product(found[0], found[2]) < 0.5);
  const auto near = vectors(
      ask(kPath, R"({"model":"demo","input":["the cat sat on the mat",)"
                 R"("a cat lay on the mat","stock prices fell in autumn"]})"));
  CHECK(product(near[0], near[1]) > product(near[0], near[2]));
}

TEST_CASE("the demo packs floats, and has the dimensions that are asked for") {
  const std::string plain =
      ask(kPath, R"({"model":"demo","input":"hi there","dimensions":12,)"
                 R"("encoding_format":"float"})");
  const std::string packed =
      ask(kPath, R"({"model":"demo","input":"hi there","dimensions":12,)"
                 R"("encoding_format":"base64"})");
  const auto bytes = decode_base64(at(packed, "data", 0, "embedding"));
  REQUIRE(bytes);
  REQUIRE(bytes->size() == 12 * sizeof(float));
  std::vector<float> unpacked(12);
  std::memcpy(unpacked.data(), bytes->data(), bytes->size());
  CHECK(unpacked == vectors(plain).at(0));
}

TEST_CASE("the demo refuses what it cannot embed, in words") {
  const std::string rows[] = {
      R"({"model":"demo"})",
      R"({"model":"demo","input":null})",
      R"({"model":"demo","input":""})",
      R"({"model":"demo","input":[]})",
      R"({"model":"demo","input":[""]})",
      R"({"model":"demo","input":[[]]})",
      R"({"model":"demo","input":5})",
      R"({"model":"demo","input":{"a":1}})",
      R"({"model":"demo","input":[1,"a"]})",
      R"({"model":"demo","input":[-1]})",
      R"({"model":"demo","input":"x","dimensions":0})",
      R"({"model":"demo","input":"x","dimensions":5000})",
      R"({"model":"demo","input":"x","dimensions":"8"})",
      R"({"model":"demo","input":"x","encoding_format":"int8"})",
      R"(["demo"])",
  };
  for (const std::string& row : rows) {
    const std::string answer = ask(kPath, row, 400);
    CAPTURE(row);
    CHECK(at(answer, "error", "message").size() > 10);
    CHECK(at(answer, "error", "type") == "invalid_request_error");
  }
}

TEST_CASE("the demo embeds for Gemini's clients") {
  const std::string one =
      ask("/v1beta/models/demo:embedContent",
          R"({"model":"models/demo","content":{"parts":[{"text":"hi"},)"
          R"({"text":"you"}]},"outputDimensionality":16})");
  json::Document document;
  const auto root = document.parse(one);
  REQUIRE(root);
  CHECK((*root)["embedding"]["values"].size() == 16);

  const std::string snake = ask("/v1beta/models/demo:embedContent",
                                R"({"content":{"parts":[{"text":"hi"}]},)"
                                R"("output_dimensionality":8})");
  CHECK(at(snake, "embedding", "values", 7) != "");
  CHECK(at(snake, "embedding", "values", 8) == "");

  const std::string batch =
      ask("/v1beta/models/alias:batchEmbedContents",
          R"({"requests":[{"model":"models/alias","content":{"parts":)"
          R"([{"text":"a"}]}},{"model":"models/alias","content":{"parts":)"
          R"([{"text":"b"}]},"outputDimensionality":8}]})");
  const auto both = document.parse(batch);
  REQUIRE(both);
  REQUIRE((*both)["embeddings"].size() == 2);
  CHECK(at(batch, "embeddings", 0, "values", 255) != "");
  CHECK(at(batch, "embeddings", 1, "values", 7) != "");
  CHECK(at(batch, "embeddings", 1, "values", 8) == "");

  const std::string refused =
      ask("/v1beta/models/demo:embedContent", R"({"content":{}})", 400);
  CHECK(at(refused, "error", "status") == "INVALID_ARGUMENT");
  ask("/v1beta/models/demo:batchEmbedContents", R"({"requests":[]})", 400);
}

TEST_CASE("the demo's faults hold for embeddings, and nothing else is faked") {
  ask(kPath, R"({"model":"demo-error-429","input":"x"})", 429);
  const std::string no = ask("/v1/images/generations",
                             R"({"model":"demo","prompt":"a cat"})", 400);
  CHECK_THAT(at(no, "error", "message"),
             Catch::Contains("demo") && Catch::Contains("/v1/images"));
}
