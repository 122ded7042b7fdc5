// The JSON index: exact source text, bad input, limits, repairs.
#include "json/json.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <limits>

#include "json/text.h"
#include "json/value_count.h"
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
  for (const ParseLimits limits : {ParseLimits(), kPieceLimits}) {
    CHECK(document.parse(nested(limits.max_depth - 1), limits));
    for (const std::size_t depth : {limits.max_depth, std::size_t{100000}}) {
      const auto root = document.parse(nested(depth), limits);
      REQUIRE_FALSE(root);
      CHECK_THAT(
          root.error().message,
          Catch::Contains(fmt::format("nested {} levels", limits.max_depth)));
    }
  }
}

TEST_CASE("values are bounded, whatever the text looks like") {
  struct Row {
    std::string_view text;
    std::size_t values;
  };
  constexpr Row kRows[] = {
      {"1", 1},
      {"[]", 1},
      {"[ \n]", 1},
      {"[1]", 2},
      {"[1,2,3]", 4},
      {"[[],[],[]]", 4},
      {"[[[[]]]]", 4},
      {"{}", 1},
      {R"({"a":1})", 2},
      {R"({"a":{},"b":[],"c":[1]})", 5},
      {R"({"a,b[{":"]},,,[[[{{\"","c":"\\"})", 3},
      {R"(["\\\"",",[",","])", 4},
      {R"( [ { "a" : [ 1 , 2 ] } , null ] )", 6},
  };
  for (const Row& row : kRows) {
    INFO(row.text);
    Document document;
    CHECK(document.parse(row.text, {row.values}));
    CHECK_FALSE(has_more_values(row.text, row.values));
    if (row.values == 1) continue;
    // The text alone is too short for more; blanks make it long enough.
    const std::string padded = std::string(row.text) + std::string(99, ' ');
    CHECK(document.parse(padded, {row.values}));
    const auto root = document.parse(padded, {row.values - 1});
    REQUIRE_FALSE(root);
    CHECK(root.error().kind == ErrorKind::request_too_large);
    CHECK(root.error().message == "the JSON has more than " +
                                      std::to_string(row.values - 1) +
                                      " values");
  }
}

TEST_CASE("as many values as are allowed by default, and one more") {
  std::string text = "[1";
  for (std::size_t i = 2; i < kDefaultMaxValues; ++i) text += ",1";
  Document document;
  const auto most = document.parse(text + "]");
  REQUIRE(most);
  CHECK(most->size() == kDefaultMaxValues - 1);
  const auto more = document.parse(text + ",1]");
  REQUIRE_FALSE(more);
  CHECK(more.error().kind == ErrorKind::request_too_large);
  CHECK_FALSE(is_json(text + ",1]"));
}

TEST_CASE("a document can be given its text and give it back") {
  Document document;
  const std::string text = R"({"a":"b\n","c":[1]})";
  const auto viewed = document.parse_view(text);
  REQUIRE(viewed);
  CHECK(viewed->raw().data() == text.data());
  CHECK((*viewed)["a"].string() == "b\n");
  CHECK(document.take_text() == text);
  const auto owned = document.parse_owned(text);
  REQUIRE(owned);
  CHECK(document.text() == text);
  CHECK(document.take_text() == text);
  // It is ready for the next.
  CHECK(document.parse("[]"));
}

TEST_CASE("a node is small: a request may have as many as its bytes allow") {
  CHECK(sizeof(Node) == 32);
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
  w.member("raw", *RawJson::parse("{ \"n\": 1.0 }"));
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

TEST_CASE("the writer has a line for what is common") {
  std::string out;
  Writer w(out);
  w.begin_object();
  w.begin_object("object");
  w.begin_array("list");
  w.object("n", std::int64_t{1});
  w.end_array();
  w.object("inner", "text", "a");
  w.end_object();
  const std::vector<std::string> texts = {"a", "b"};
  w.member("texts", texts);
  w.member_if("texts", texts);
  w.member_if("no texts", std::vector<std::string>());
  w.member_if("values", std::vector<RawJson>{*RawJson::parse("[1]")});
  w.member_if("no values", std::vector<RawJson>());
  w.member_or_null("said", "a");
  w.member_or_null("unsaid", "");
  w.end_object();
  CHECK(out == R"({"object":{"list":[{"n":1}],"inner":{"text":"a"}},)"
               R"("texts":["a","b"],"texts":["a","b"],"values":[[1]],)"
               R"("said":"a","unsaid":null})");
}

TEST_CASE("pointers escape their tokens") {
  CHECK(pointer("/a", "b/c~d") == "/a/b~1c~0d");
  CHECK(pointer("", std::size_t{3}) == "/3");
}

TEST_CASE("nothing that is no JSON can be written") {
  std::string out;
  Writer w(out);
  w.begin_object();
  w.member("inf", std::numeric_limits<double>::infinity());
  w.member("nan", std::numeric_limits<double>::quiet_NaN());
  w.member("cut \xC3", "a\xFFz");
  w.member("surrogate", "\xED\xA0\x80");
  w.member("good", "\xC3\xA9\x01");
  w.end_object();
  CHECK(out ==
        "{\"inf\":null,\"nan\":null,\"cut \xEF\xBF\xBD\":\"a\xEF\xBF\xBDz\","
        "\"surrogate\":\"\xEF\xBF\xBD\",\"good\":\"\xC3\xA9\\u0001\"}");
  CHECK(is_json(out));
}

}  // namespace
}  // namespace llmproxy::json
