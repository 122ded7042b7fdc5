// The JSON index: exact source text, bad input, limits, repairs.
#include "json/json.h"

#include <catch2/catch.hpp>

#include "json/text.h"
#include "json/writer.h"

namespace llmproxy::json {
namespace {

TEST_CASE("values keep their exact source text") {
  Document document;
  const std::string text =
      R"({"a":1.0, "b":[ 12345678901234567890123 ,1e3,"x"],"c":{ } })";
  const auto root = document.parse(text);
  REQUIRE(root);
  CHECK(root->raw() == text);
  CHECK((*root)["a"].raw() == "1.0");
  CHECK((*root)["b"].raw() == R"([ 12345678901234567890123 ,1e3,"x"])");
  CHECK((*root)["c"].raw() == "{ }");
  CHECK((*root)["b"].size() == 3);
  std::vector<std::string> elements;
  for (const Value value : (*root)["b"].children()) {
    elements.emplace_back(value.raw());
  }
  CHECK(elements ==
        std::vector<std::string>{"12345678901234567890123", "1e3", R"("x")"});
}

TEST_CASE("typed look-ups say no instead of guessing") {
  Document document;
  const auto root = document.parse(
      R"({"i":7,"r":3.0,"h":3.5,"big":9007199254740993,"huge":99999999999999999999,"s":"7","t":true,"n":null})");
  REQUIRE(root);
  CHECK((*root)["i"].integer() == 7);
  CHECK((*root)["r"].integer() == 3);
  CHECK_FALSE((*root)["h"].integer());
  CHECK((*root)["h"].number() == 3.5);
  CHECK((*root)["big"].integer() == 9007199254740993);
  CHECK_FALSE((*root)["huge"].integer());
  CHECK_FALSE((*root)["s"].integer());
  CHECK((*root)["s"].string() == "7");
  CHECK((*root)["t"].boolean() == true);
  CHECK((*root)["n"].absent());
  CHECK_FALSE((*root)["nothing"]);
  CHECK((*root)["nothing"]["deeper"].string().empty());
}

TEST_CASE("members may be asked for in any order, and views survive") {
  Document document;
  const auto root = document.parse("{\"z\":\"last \xc3\xa9\",\"a\":\"first\"}");
  REQUIRE(root);
  const std::string_view first = (*root)["a"].string();
  const std::string_view last = (*root)["z"].string();
  CHECK(first == "first");
  CHECK(last == "last \xC3\xA9");
}

TEST_CASE("mistakes are named with their place") {
  struct Row {
    std::string text;
    std::string expected;
  };
  const std::vector<Row> rows = {
      {"", "empty"},
      {" \n ", "empty"},
      {R"({"a":1)", "byte 6"},
      {R"({"a":tru})", "byte 5"},
      {R"({"a":01})", "byte 5"},
      {R"({"a":1}x)", "byte 7"},
      {R"({"a":"b)", "inside a string"},
      {"{\n\"a\" 1}", "line 2"},
      {R"({"a":1,})", "not valid JSON"},
      {R"(["a" "b"])", "not valid JSON"},
      {"nul", "not valid JSON"},
      {"{\"a\":\"\xFF\"}", "invalid UTF-8 at byte 6"},
      {"{\"a\":\"\xC0\xAF\"}", "invalid UTF-8"},
      {"{\"a\":\"\xED\xA0\x80\"}", "invalid UTF-8"},
  };
  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.text) {
      Document document;
      const auto root = document.parse(row.text);
      REQUIRE_FALSE(root);
      CHECK(root.error().kind == ErrorKind::invalid_request);
      CHECK_THAT(root.error().message, Catch::Contains(row.expected));
    }
  }
}

TEST_CASE("nesting is bounded, however deep the text") {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  Document document;
  CHECK(document.parse(nested(kMaxDepth - 1)));
  for (const std::size_t depth :
       {std::size_t{kMaxDepth}, std::size_t{100000}}) {
    const auto root = document.parse(nested(depth));
    REQUIRE_FALSE(root);
    CHECK_THAT(root.error().message, Catch::Contains("nested"));
  }
}

TEST_CASE("every prefix of a document is refused") {
  const std::string text = "{\"a\":[1,{\"b\":\"c\xc3\xa9\\n\"}],\"d\":null}";
  Document document;
  for (std::size_t length = 0; length < text.size(); ++length) {
    CHECK_FALSE(document.parse(text.substr(0, length)));
  }
  CHECK(document.parse(text));
}

TEST_CASE("lone surrogates become replacement characters") {
  Document document;
  const auto root = document.parse(R"(["a\ud83d b","\ud83d\ude00","\udc00"])");
  REQUIRE(root);
  std::vector<std::string> texts;
  for (const Value value : root->children()) texts.emplace_back(value.string());
  CHECK(texts == std::vector<std::string>{"a\xEF\xBF\xBD b", "\xF0\x9F\x98\x80",
                                          "\xEF\xBF\xBD"});
}

TEST_CASE("invalid UTF-8 is replaced sequence by sequence") {
  CHECK(replace_invalid_utf8("ok") == "ok");
  CHECK(replace_invalid_utf8("a\xFF"
                             "b") ==
        "a\xEF\xBF\xBD"
        "b");
  CHECK(replace_invalid_utf8("\xE5\x8C") == "\xEF\xBF\xBD");
  CHECK(replace_invalid_utf8("\xE5\x8C\x97!") == "\xE5\x8C\x97!");
}

TEST_CASE("escaped text reads back as it was") {
  std::string all;
  for (int c = 1; c < 128; ++c) all += static_cast<char>(c);
  std::string escaped = "\"";
  append_escaped(escaped, all);
  escaped += '"';
  Document document;
  const auto root = document.parse(escaped);
  REQUIRE(root);
  CHECK(root->string() == all);
}

TEST_CASE("the writer nests, escapes and passes raw text on") {
  std::string out;
  Writer w(out);
  w.begin_object();
  w.member("text", "a\"b\n\xC3\xA9");
  w.member("raw", RawJson{"{ \"n\": 1.0 }"});
  w.key("list");
  w.begin_array();
  w.number(std::int64_t{-3});
  w.number(0.5);
  w.boolean(true);
  w.null();
  w.string({});
  w.end_array();
  w.end_object();
  CHECK(out ==
        "{\"text\":\"a\\\"b\\n\xC3\xA9\",\"raw\":{ \"n\": 1.0 },"
        "\"list\":[-3,0.5,true,null,\"\"]}");
}

TEST_CASE("pointers escape their tokens") {
  CHECK(pointer("/a", "b/c~d") == "/a/b~1c~0d");
  CHECK(pointer("", std::size_t{3}) == "/3");
}

}  // namespace
}  // namespace llmproxy::json
