// Schemas of tools, in the shapes that targets take (chat/schema.h).
#include "chat/schema.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <optional>
#include <string>

#include "json/text.h"

namespace llmproxy {
namespace {

std::string united(const std::string& schema) {
  const auto out = united_schema(RawJson::parse(schema).value());
  return out ? json::without_whitespace(*out) : "nothing to unite";
}

TEST_CASE("branches of a schema stand side by side") {
  struct Row {
    const char* schema;
    const char* united;
  };
  const Row rows[] = {
      {R"({})", "nothing to unite"},
      {R"([])", "nothing to unite"},
      {R"({"type":"object","properties":{"a":{"anyOf":[]}}})",
       "nothing to unite"},
      {R"({"anyOf":[]})", R"({"type":"object","properties":{}})"},
      {R"({"anyOf":null})", R"({"type":"object","properties":{}})"},
      {R"({"oneOf":[{"properties":{"a":{"type":"string"}},"required":["a"]},
          {"type":"object","properties":{"b":true},"required":["a","b"]}]})",
       R"({"type":"object","properties":{"a":{"type":"string"},"b":true},)"
       R"("required":["a"]})"},
      {R"({"allOf":[{"properties":{"a":1},"required":["a"]},
          {"properties":{"a":2},"required":["b"]}],"title":"t"})",
       R"({"type":"object","title":"t","properties":{"a":{"anyOf":[1,2]}},)"
       R"("required":["a","b"]})"},
      {R"({"anyOf":[{"type":"null"},{"type":"string"},5,null,"x",
          {"properties":{"a":{}},"required":"a"}]})",
       R"({"type":"object","properties":{"a":{}}})"},
      {R"({"anyOf":[{"$ref":"#/$defs/n"}],
          "$defs":{"n":{"properties":{"v":{}},"anyOf":[{"$ref":"#/$defs/n"}]}}})",
       R"({"type":"object","$defs":{"n":{"properties":{"v":{}},)"
       R"("anyOf":[{"$ref":"#/$defs/n"}]}},"properties":{"v":{}}})"},
      {R"({"anyOf":[{"$ref":"#/$defs/missing"},{"$ref":"http://x"}]})",
       R"({"type":"object","properties":{}})"},
  };
  for (const Row& row : rows) {
    INFO(row.schema);
    CHECK(united(row.schema) == row.united);
  }
}

// Each definition behind another one: no deeper than JSON may be.
TEST_CASE("a long row of definitions does not fill the stack") {
  std::string schema = R"({"anyOf":[{"$ref":"#/$defs/d0"}],"$defs":{)";
  constexpr int kDefinitions = 30'000;
  for (int i = 0; i < kDefinitions; ++i) {
    schema += fmt::format(
        R"("d{}":{{"properties":{{"p{}":{{}}}},"anyOf":[{{"$ref":"#/$defs/d{}"}}]}},)",
        i, i, i + 1);
  }
  schema += R"("last":{}}})";
  const std::string out = united(schema);
  CHECK(out.find(R"("p5":{})") != std::string::npos);
  CHECK(out.size() < schema.size() + 4096);
}

}  // namespace
}  // namespace llmproxy
