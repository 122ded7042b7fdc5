// Bodies that are made to hurt: names that look like paths, names of any
// length, models named twice, reasoning that nobody sealed.
#include <catch2/catch.hpp>

#include "base/bounded.h"
#include "base/text.h"
#include "chat/sealed_reasoning.h"
#include "json/json.h"
#include "llmproxy/translate.h"
#include "translate/field_names.h"

using namespace llmproxy;

namespace {

const Dialect& dialect(std::string_view name) { return *find_dialect(name); }

std::string chat_with(const std::string& member) {
  return R"({"model":"m","messages":[{"role":"user","content":"hi"}],)" +
         member + "}";
}

std::string quoted(const std::string& name) { return "\"" + name + "\":1"; }

/// Bodies with that member in different places, and their dialects.
struct Place {
  const char* from;
  std::string before, after;
  std::string path;  ///< of the object the member stands in
};
const Place kPlaces[] = {
    {"openai-chat",
     R"({"model":"m","messages":[{"role":"user","content":"hi"}],)", "}", ""},
    {"openai-chat",
     R"({"model":"m","messages":[{"role":"user","content":"hi",)", "}]}",
     "/messages/0"},
    {"openai-chat",
     R"({"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"hi",)",
     "}]}]}", "/messages/0/content/0"},
    {"claude",
     R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi",)",
     "}]}", "/messages/0"},
    {"claude",
     R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}],"tools":[{"name":"t","input_schema":{"type":"object"},)",
     "}]}", "/tools/0"},
    {"openai-responses",
     R"({"model":"m","input":[{"role":"user","content":[{"type":"input_text","text":"hi",)",
     "}]}]}", "/input/0/content/0"},
    {"openai-responses",
     R"({"model":"m","input":[{"role":"user","content":"hi",)", "}]}",
     "/input/0"},
    {"gemini",
     R"({"contents":[{"parts":[{"text":"hi"}]}],"generationConfig":{)", "}}",
     "/generationConfig"},
    {"gemini", R"({"contents":[{"parts":[{"text":"hi",)", "}]}]}",
     "/contents/0/parts/0"},
    {"bedrock-converse",
     R"({"messages":[{"role":"user","content":[{"text":"hi"}],)", "}]}",
     "/messages/0"},
};

RequestHead head_of(const Dialect& from) {
  RequestHead head;
  if (from.model_in_path()) head.model = "m";
  return head;
}

}  // namespace

TEST_CASE("names of members are escaped in paths, and bounded", "[hostile]") {
  struct Name {
    std::string name, escaped;
  };
  std::string items = "x";
  for (int i = 0; i < 8000; ++i) items += "/item";
  const Name names[] = {
      {"a/b", "a~1b"},
      {"a/item/b", "a~1item~1b"},
      {"~/", "~0~1"},
      {"\xC3\xA9", "\xC3\xA9"},
      {items + "/y", ""},
      {std::string(100'000, 'n'), ""},
      {std::string(1000, '/'), ""},
  };
  for (const Place& place : kPlaces) {
    for (const Name& name : names) {
      for (const char* to : {"claude", "gemini", "openai-chat",
                             "openai-responses", "bedrock-converse"}) {
        if (std::string_view(to) == place.from) continue;
        INFO(place.from << " -> " << to << place.path << " "
                        << name.name.substr(0, 20));
        const Dialect& from = dialect(place.from);
        const auto out = translate_request(
            from, dialect(to), place.before + quoted(name.name) + place.after,
            {}, head_of(from));
        REQUIRE(out);
        bool found = false;
        for (const Loss& loss : out->losses) {
          CHECK(loss.path.size() <= kMaxPointer);
          CHECK(loss.what.size() <= kMaxSentence);
          found = found || loss.path == place.path + "/" + name.escaped ||
                  (name.escaped.empty() && loss.path.ends_with("..."));
        }
        CHECK(found);
      }
    }
  }
}

TEST_CASE("paths are read once, not for ever", "[hostile]") {
  const FieldNames names(dialect("openai-responses"), ChatRequest());
  CHECK(names.own("/messages/3/content/1/item/status") == "/input/3/status");
  CHECK(names.own("/messages/3/item/status") == "/input/3/status");
  CHECK(names.own("/messages/3/content/1/item/item/x") == "/input/3/item/x");
  CHECK(names.own("/item/x") == "/item/x");
  CHECK(names.own("/a/item/b") == "/a/item/b");
  std::string deep = "/messages/0";
  for (int i = 0; i < 100'000; ++i) deep += "/item/citations";
  CHECK(names.own(deep).size() > deep.size() / 2);
}

TEST_CASE("losses are listed up to a bound", "[hostile]") {
  std::string members;
  for (int i = 0; i < 1000; ++i) members += "\"m" + std::to_string(i) + "\":1,";
  members += "\"last\":1";
  const auto out = translate_request(dialect("openai-chat"), dialect("claude"),
                                     chat_with(members));
  REQUIRE(out);
  REQUIRE(out->losses.size() == kMaxLosses);
  CHECK(out->losses.back().what == "more was lost than is listed here");
}

TEST_CASE("errors do not repeat what is too long to read", "[hostile]") {
  const std::string role(1'000'000, 'r');
  const auto out = translate_request(dialect("openai-chat"), dialect("claude"),
                                     R"({"model":"m","messages":[{"role":")" +
                                         role + R"(","content":"hi"}]})");
  REQUIRE_FALSE(out);
  CHECK(out.error().message.size() <= kMaxSentence);
  CHECK(out.error().path == "/messages/0/role");
}

TEST_CASE("what we route by is given once, whatever the case", "[hostile]") {
  const char* twice[] = {
      R"("model":"cheap")",
      R"("Model":"gpt-5-pro")",
      R"("MODEL":"gpt-5-pro")",
      R"("mod\u0065l":"gpt-5-pro")",
      R"("\u004dodel":"gpt-5-pro")",
      R"("Stream":true)",
      R"("\u017ftream":true)",
      R"("STREAM":true)",
      R"("max_to\u212aens":9)",
      R"("Max_Tokens":9)",
      R"("User":"x")",
  };
  for (const char* member : twice) {
    for (const char* to : {"openai-chat", "claude"}) {
      INFO(member << " -> " << to);
      const auto out = translate_request(dialect("openai-chat"), dialect(to),
                                         chat_with(member));
      REQUIRE_FALSE(out);
      CHECK(out.error().kind == ErrorKind::invalid_request);
      CHECK_FALSE(out.error().path.empty());
    }
  }
  for (const char* to : {"gemini", "claude"}) {
    const auto out = translate_request(
        dialect("gemini"), dialect(to),
        R"({"contents":"hi","generationConfig":{},"GenerationConfig":{}})", {},
        head_of(dialect("gemini")));
    REQUIRE_FALSE(out);
    CHECK(out.error().path == "/GenerationConfig");
  }
  CHECK(translate_request(dialect("openai-chat"), dialect("openai-chat"),
                          chat_with(R"("models":1,"mode":2,"streams":3)")));
}

TEST_CASE("a model's name in a path is text", "[hostile]") {
  struct Row {
    const char* path;
    bool good;
  };
  const Row rows[] = {
      {"/v1beta/models/gem:generateContent", true},
      {"/v1beta/models/g%C3%A9m:generateContent", true},
      {"/v1beta/models/g%FFm:generateContent", false},
      {"/v1beta/models/g%C3:generateContent", false},
      {"/v1beta/models/g%ED%A0%80:generateContent", false},
      {"/v1beta/models/g%00m:generateContent", false},
      {"/v1beta/models/g%0D%0Am:generateContent", false},
      {"/v1beta/models/g%7Fm:generateContent", false},
  };
  for (const Row& row : rows) {
    INFO(row.path);
    RequestHead head;
    head.path = row.path;
    const auto out = translate_request(dialect("gemini"), dialect("claude"),
                                       R"({"contents":"hi"})", {}, head);
    CHECK(out.has_value() == row.good);
    if (out) CHECK(json::is_json(out->body));
    if (!out) CHECK(out.error().kind == ErrorKind::invalid_request);
  }
  const auto body = ParsedRequest::parse(
      dialect("openai-chat"), R"({"model":"a\u0000b","messages":[]})");
  REQUIRE_FALSE(body);
  CHECK(body.error().path == "/model");
}

TEST_CASE("sealed reasoning is a client's word like any other", "[hostile]") {
  const std::string forged[] = {
      "llmproxy:v1:anthropic:s::\xff\xfe",
      "llmproxy:v1:anthropic:r::\xc3",
      "llmproxy:v1:openai:s:\xff:abc",
      "llmproxy:v1:openai:s:a\r\nx-key: b:abc",
      "llmproxy:v1:google:s::\x01",
      std::string("llmproxy:v1:google:s::a\0b", 25),
      "llmproxy:v1:nobody:s::abc",
      "llmproxy:v1:anthropic:x::abc",
      "llmproxy:v1:anthropic:s",
      "llmproxy:v1:",
  };
  for (const std::string& text : forged) {
    INFO(text);
    const std::string signature = encode_base64(text);
    CHECK_FALSE(unseal(signature));
    const std::string body =
        R"({"contents":[{"role":"user","parts":[{"text":"hi"}]},)"
        R"({"role":"model","parts":[{"text":"hm","thought":true,)"
        R"("thoughtSignature":")" +
        signature + R"("},{"text":"x"}]},{"parts":[{"text":"y"}]}]})";
    for (const char* to : {"claude", "openai-chat", "openai-responses",
                           "bedrock", "bedrock-converse"}) {
      const auto out = translate_request(dialect("gemini"), dialect(to), body,
                                         {}, head_of(dialect("gemini")));
      REQUIRE(out);
      CHECK(json::is_json(out->body));
      CHECK(out->body.find("\xEF\xBF\xBD") == std::string::npos);
      CHECK_FALSE(out->losses.empty());
    }
  }
  const auto real =
      unseal(seal(ReasoningIssuer::openai, "rs_1", "c2ln", false));
  REQUIRE(real);
  CHECK(real->signature == "c2ln");
  CHECK(real->id == "rs_1");
}

TEST_CASE("text that was decoded is checked before it is written",
          "[hostile]") {
  const std::string bodies[] = {
      R"({"model":"m","messages":[{"role":"user","content":[{"type":"file","file":{"filename":"a.txt","file_data":"data:text/plain,%FF%FE"}}]}]})",
      R"({"model":"m","messages":[{"role":"user","content":[{"type":"file","file":{"filename":"a.txt","file_data":"data:text/plain;base64,//4="}}]}]})",
  };
  for (const std::string& body : bodies) {
    for (const char* to : {"claude", "gemini", "openai-responses", "bedrock",
                           "bedrock-converse"}) {
      INFO(to << " " << body);
      const auto out =
          translate_request(dialect("openai-chat"), dialect(to), body);
      if (out) {
        CHECK(json::is_json(out->body));
        CHECK(out->body.find("\xEF\xBF\xBD") == std::string::npos);
      } else {
        CHECK(
            out.error().path ==
            "/messages/0/content/0" +
                std::string(out.error().path.ends_with("file") ? "/file" : ""));
      }
    }
  }
}

TEST_CASE("texts of a client's are never JSON by themselves", "[hostile]") {
  const std::string injected = R"(1,\"store\":true)";
  const auto schema = translate_request(
      dialect("gemini"), dialect("openai-chat"),
      R"({"contents":"hi","tools":[{"functionDeclarations":[{"name":"f",)"
      R"("parameters":{"type":"ARRAY","minItems":")" +
          injected + R"("}}]}]})",
      {}, head_of(dialect("gemini")));
  REQUIRE(schema);
  CHECK(json::is_json(schema->body));
  CHECK(schema->body.find(R"("store":true)") == std::string::npos);

  const auto tool = ParsedRequest::parse(
      dialect("gemini"), R"({"contents":"hi","tools":[{"a\":1,\"b":{}}]})",
      head_of(dialect("gemini")));
  REQUIRE(tool);
  const auto request = tool->decode();
  REQUIRE(request);
  REQUIRE(request->tools.size() == 1);
  json::Document document;
  const auto root = document.parse(request->tools[0].schema.text());
  REQUIRE(root);
  CHECK(root->size() == 1);
}
