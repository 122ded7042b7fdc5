// Streams that are one JSON array: cut into elements, and written as one.
#include "wire/json_array.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "json/json.h"
#include "llmproxy/translate.h"
#include "wire/sse.h"

namespace llmproxy {
namespace {

using wire::Frame;
using wire::JsonArrayFramer;
using Elements = std::vector<std::string>;

Elements elements(const std::vector<std::string>& pieces,
                  std::string* fault = nullptr) {
  JsonArrayFramer framer;
  Elements out;
  for (const std::string& piece : pieces) {
    framer.feed(piece);
    Frame frame;
    while (framer.next(frame)) out.emplace_back(frame.data);
  }
  if (fault != nullptr) *fault = framer.fault();
  return out;
}

std::string chunk(const std::string& text, const std::string& rest = "") {
  return R"({"candidates":[{"content":{"role":"model","parts":[{"text":")" +
         text + R"("}]},"index":0)" + rest +
         R"(}],"modelVersion":"m","responseId":"r"})";
}

const std::string kArray = "[" + chunk("Hel") + "\r\n,\r\n" +
                           chunk(R"(lo \"]}[{\" \\)") + ",\n" +
                           chunk("", R"(,"finishReason":"STOP")") + "\n]\n";

}  // namespace

TEST_CASE("every split of an array gives the same elements") {
  const Elements whole = elements({kArray});
  REQUIRE(whole.size() == 3);
  CHECK(whole[0] == chunk("Hel"));
  for (std::size_t cut = 0; cut <= kArray.size(); ++cut) {
    CHECK(elements({kArray.substr(0, cut), kArray.substr(cut)}) == whole);
  }
}

TEST_CASE("an array that is cut gives what was whole of it") {
  for (std::size_t cut = 0; cut < kArray.size(); ++cut) {
    for (const std::string& element : elements({kArray.substr(0, cut)})) {
      CHECK(json::is_json_object(element));
    }
  }
}

TEST_CASE("what is no object in an array is a fault") {
  for (const std::string text : {"[1]", "[\"a\"]", "[nothing]", "[{},true]"}) {
    CAPTURE(text);
    std::string fault;
    elements({text}, &fault);
    CHECK(fault == "the upstream's array holds something that is no object");
  }
}

TEST_CASE("an element without end is given up, not collected") {
  JsonArrayFramer framer;
  framer.feed("[{\"a\":\"");
  const std::string piece(std::size_t{1} << 20, 'x');
  Frame frame;
  std::size_t fed = 0;
  while (framer.fault().empty() && fed < std::size_t{1} << 30) {
    framer.feed(piece);
    fed += piece.size();
    CHECK_FALSE(framer.next(frame));
  }
  CHECK(framer.fault() == "an element of the upstream's array is too large");
  CHECK(fed <= JsonArrayFramer::kMaxEvent + piece.size());
}

TEST_CASE("an array of an upstream reaches clients of other dialects") {
  for (std::size_t cut = 0; cut <= kArray.size(); ++cut) {
    StreamTranslator stream(*find_dialect("gemini"),
                            *find_dialect("openai-chat"), {});
    std::string out;
    stream.feed(kArray.substr(0, cut), out);
    stream.feed(kArray.substr(cut), out);
    stream.finish(out);
    CHECK(stream.error() == nullptr);
    CHECK(out.find(R"("content":"Hel")") != std::string::npos);
    CHECK(out.ends_with("data: [DONE]\n\n"));
  }
}

TEST_CASE("clients that want an array get one, whole or broken off") {
  const std::string text =
      "data: {\"id\":\"c\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":"
      "{\"content\":\"Hi\"},\"finish_reason\":null}]}\n\n";
  const std::string end =
      "data: {\"id\":\"c\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":"
      "{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
  for (const bool whole : {true, false}) {
    RequestContext context;
    context.json_array = true;
    StreamTranslator stream(*find_dialect("openai-chat"),
                            *find_dialect("gemini"), context);
    std::string out;
    stream.feed(whole ? text + end : text, out);
    stream.finish(out);
    json::Document document;
    const auto root = document.parse(out);
    REQUIRE(root);
    REQUIRE(root->is_array());
    bool failed = false;
    for (const json::Value element : root->children()) {
      failed = failed || element["error"].is_object();
    }
    CHECK(failed == !whole);
  }
}

TEST_CASE("a passed on array that breaks off is still one array") {
  const std::string_view element =
      R"({"candidates":[{"content":{"role":"model","parts":[{"text":"Hi"}]},)"
      R"("index":0}]})";
  RequestContext context;
  context.json_array = true;
  for (const std::string_view behind :
       {"", ",", ",\n", "\n, ", ",{\"candidates\":[{", ", 5"}) {
    for (const bool told : {true, false}) {
      CAPTURE(behind, told);
      StreamTranslator stream(*find_dialect("gemini"), *find_dialect("gemini"),
                              context);
      std::string out;
      stream.feed(fmt::format("[{}{}", element, behind), out);
      if (told) stream.fail(invalid_request("it broke off"), out);
      stream.finish(out);
      json::Document document;
      const auto root = document.parse(out);
      CAPTURE(out);
      REQUIRE(root);
      REQUIRE(root->size() == 2);
      std::string keys;
      for (const json::Value each : root->children()) {
        for (const json::Value member : each.children()) keys += member.key();
      }
      CHECK(keys == "candidateserror");
    }
  }
}

}  // namespace llmproxy
