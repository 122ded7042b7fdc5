// What answers of which nothing else is read say that they counted.
#include <catch2/catch.hpp>

#include <string>

#include "gateway/usage_members.h"

using llmproxy::Usage;
using llmproxy::gateway::UsageMembers;

namespace {

Usage read(const std::string& text, std::size_t piece) {
  UsageMembers members;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    members.feed(std::string_view(text).substr(at, piece));
  }
  return members.usage();
}

struct Row {
  std::string text;
  std::int64_t input = -1;  ///< -1 = not told
  std::int64_t output = -1;
  std::int64_t cached = -1;
};

}  // namespace

TEST_CASE("usage is found wherever it stands in an answer") {
  const Row rows[] = {
      {R"({"object":"list","data":[{"embedding":[0.1,-2e-3]}],)"
       R"("usage":{"prompt_tokens":8,"total_tokens":8}})",
       8},
      {R"({"usage" : { "total_tokens" : 7 },"results":[{"index":0}]})", 7},
      {R"({"usage":{"input_tokens":5,"output_tokens":3,"total_tokens":8,)"
       R"("prompt_tokens_details":{"cached_tokens":2}},"data":[]})",
       5, 3, 2},
      {R"({"meta":{"billed_units":{"input_tokens":4},"x":[]},"id":"a"})", 4},
      {R"({"meta":{"billed_units":{"search_units":1}}})"},
      {R"({"embedding":{"values":[1]},"usageMetadata":{"promptTokenCount":6}})",
       6},
      {R"({"text":"\"usage\":{\"prompt_tokens\":1}","a":{"usage":)"
       R"({"prompt_tokens":2}},"b":["usage",{"prompt_tokens":3}]})"},
      {R"({"usage":null})"},
      {R"({"usage":"many"})"},
      {R"({"usage":{"prompt_tokens":"1"}})"},
      {R"({"us\u0061ge":{"prompt_tokens":1}})"},
      // Nobody gives tokens back, and nobody has so many.
      {R"({"usage":{"prompt_tokens":-5,"completion_tokens":2}})", -1, 2},
      {R"({"usage":{"total_tokens":-9223372036854775808}})"},
      {R"({"usage":{"prompt_tokens":9223372036854775807}})"},
      // Of a stream the last that was told counts.
      {"event: x\ndata: {\"choices\":[],\"usage\":null}\n\n"
       ": a \"comment\"\n\n"
       "data: {\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}\n\n"
       "data: {\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":4}}\n\n"
       "data: [DONE]\n\n",
       1, 4},
      {""},
      {"}}]]{\"usage\""},
      {"plain text"},
      {R"([{"usage":{"prompt_tokens":1}}])"},
  };
  for (const Row& row : rows) {
    for (const std::size_t piece : {1U, 3U, 1000U}) {
      CAPTURE(row.text, piece);
      const Usage usage = read(row.text, piece);
      CHECK(usage.input_tokens.value_or(-1) == row.input);
      CHECK(usage.output_tokens.value_or(-1) == row.output);
      CHECK(usage.cached_input_tokens.value_or(-1) == row.cached);
    }
  }
}

TEST_CASE("a usage that is no usage is not held") {
  const std::string large(1 << 20, '1');
  CHECK(read("{\"usage\":[" + large + "]}", 4096) == Usage{});
  CHECK(read("{\"" + large + "\":1,\"usage\":{\"prompt_tokens\":3}}", 4096)
            .input_tokens == 3);
}
