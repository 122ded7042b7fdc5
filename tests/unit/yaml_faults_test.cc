// Why a text is no YAML, as its author sees it. What the whole program says of
// such files is in tests/cli/mistakes.py.
#include "gateway/yaml_faults.h"

#include <catch2/catch.hpp>
#include <string>

using namespace llmproxy::gateway;

TEST_CASE("an unclosed quote is found where it is opened") {
  CHECK(unclosed_quote("a: b\nc: \"d\ne: f\n").line == 2);
  CHECK(unclosed_quote("a: 'it''s\nb: c\n").line == 1);
  CHECK(unclosed_quote("a: \"x\\\"\nb: c\n").line == 1);
  // Neither comments nor the middle of a text open one.
  CHECK(unclosed_quote("# don't\na: don't\nb: 'c\n").line == 3);
  CHECK(unclosed_quote("a: \"b\" # it's\nc: [d, 'e\n").line == 2);
}

TEST_CASE("a bracket is found where it is opened") {
  const YamlStop map{3, 1, "end of map flow not found"};
  CHECK(explain_stop("a: b\nc: {d: e\nf: g\n", map).line == 2);
  CHECK(explain_stop("a: {b: [c, d}\ne: {f: g\nh: i\n", map).line == 2);
  CHECK(explain_stop("a: {b: \"}\"\nc: d\n", map).line == 1);
  const YamlFault fault = explain_stop("a: {b: c\n# }\n", map);
  CHECK(fault.line == 1);
  CHECK(fault.what.find("never closed by }") != std::string::npos);
}

TEST_CASE("no value of the file is repeated") {
  constexpr std::string_view kSecret = "sk-secret";
  for (const std::string_view said :
       {"end of map flow not found", "illegal map value", "unknown token",
        "end of map not found", "illegal flow end", "something new"}) {
    for (int line = 1; line <= 4; ++line) {
      for (int column = 1; column < 24; ++column) {
        const std::string text =
            "backends:\n  a: {api_key: sk-secret, x: ${B}\n\t  b: 'sk-secret\n";
        const YamlFault fault = explain_stop(text, {line, column, said});
        CHECK(fault.what.find(kSecret) == std::string::npos);
        CHECK(fault.line >= 1);
      }
    }
  }
}

TEST_CASE("what is unknown is said as the parser says it") {
  const YamlFault fault = explain_stop("a: b\n", {7, 3, "something new"});
  CHECK(fault.line == 7);
  CHECK(fault.what == "something new");
}

TEST_CASE("a file of variables is told from one without sense") {
  CHECK_FALSE(no_keys_hint("OPENAI_API_KEY=x\n").empty());
  CHECK(no_keys_hint("hello\n").empty());
  CHECK(no_keys_hint("").empty());
}
