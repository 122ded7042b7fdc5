// Editing the system prompt: what is edited, and that nothing else is.
#include "llmproxy/system_edits.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <iterator>
#include <string>
#include <string_view>

namespace llmproxy {
namespace {

/// One dialect's request after a call of `look` and its result, with odd
/// white space and escapes. In it "@front@" is where a system prompt is made,
/// "@top@" where the client's stands and "@end@" where the progress goes; in
/// the forms of these "%" is the text.
struct Client {
  const char* dialect;
  const char* body;
  const char* front;
  const char* top;
  const char* end;
};
constexpr Client kClients[] = {
    {"openai-chat",
     R"( { "model" : "m", "messages":[@front@@top@ {"role":"user",
       "content":"caf\u00e9: Be brief."}, {"role":"assistant","content":null,
       "tool_calls":[{"id":"c1","type":"function","function":
       {"name":"look","arguments":"{ \"x\": 1.0 }"}}]} ,
       {"role":"tool","tool_call_id":"c1","content":"Be brief."}@end@ ] ,
       "temperature" : 1.0e0}
 )",
     R"({"role":"system","content":"%"},)",
     R"( {"role":"developer","content":[ {"type":"text" ,"text":"%"}]},)",
     R"(,{"role":"user","content":"%"})"},
    {"claude",
     R"( {@front@ "model" : "m",@top@ "max_tokens":1e2,"messages":[
       {"role":"user","content":"caf\u00e9: Be brief."},
       {"role":"assistant","content":[{"type":"tool_use","id":"c1",
       "name":"look","input":{ "x": 1.0 }}]}, {"role":"user","content":[
       {"type":"tool_result","tool_use_id":"c1","content":"Be brief.",
       "cache_control":{"type":"ephemeral"} }@end@ ]}]})",
     R"("system":"%",)",
     R"( "system":[ {"cache_control":{"type":"ephemeral"},"type":"text",
       "text":"%" } ] ,)",
     R"(,{"type":"text","text":"%"})"},
    {"openai-responses",
     R"({@front@ "model" : "m",@top@ "input":[
       {"role":"user","content":"caf\u00e9: Be brief."},
       {"type":"function_call","call_id":"c1","name":"look",
       "arguments":"{ \"x\": 1.0 }"},
       { "type":"function_call_output","call_id":"c1","output":"Be brief."}@end@
       ],"temperature" : 1.0e0})",
     R"("instructions":"%",)", R"( "instructions" : "%",)",
     R"(,{"role":"user","content":[{"type":"input_text","text":"%"}]})"},
    {"gemini",
     R"({@front@ @top@ "contents":[
       {"parts":[{"text":"caf\u00e9: Be brief."}]},
       {"role":"model","parts":[{"functionCall":{"name":"look",
       "args":{ "x": 1.0 }}}]}, {"role":"user","parts":[{"functionResponse":
       {"name":"look","response":{"output":"Be brief."}} }@end@
       ]}],"generationConfig":{"temperature" : 1.0e0}})",
     R"("systemInstruction":{"parts":[{"text":"%"}]},)",
     R"("system_instruction" : {"role":"user","parts":[{"text" :"%"}] },)",
     R"(,{"text":"%"})"},
    {"bedrock",
     R"({@front@ "anthropic_version":"bedrock-2023-05-31",@top@
       "max_tokens":100,"messages":[
       {"role":"user","content":"caf\u00e9: Be brief."},
       {"role":"assistant","content":[{"type":"tool_use","id":"c1",
       "name":"look","input":{ "x": 1.0 }}]}, {"role":"user","content":[
       {"type":"tool_result","tool_use_id":"c1","content":"Be brief."}@end@
       ]}]})",
     R"("system":"%",)", R"("system" :"%" ,)",
     R"(,{"type":"text","text":"%"})"},
    {"bedrock-converse",
     R"({@front@@top@ "messages":[
       {"role":"user","content":[{"text":"caf\u00e9: Be brief."}]},
       {"role":"assistant","content":[{"toolUse":{"toolUseId":"c1",
       "name":"look","input":{ "x": 1.0 }}}]}, {"role":"user","content":[
       {"toolResult":{"toolUseId":"c1","content":[{"text":"Be brief."}]}},
       {"cachePoint":{"type":"default"}}@end@
       ]}],"inferenceConfig":{ "maxTokens" : 100}})",
     R"("system":[{"text":"%"}],)",
     R"("system":[ { "text":"%"}, {"cachePoint":{"type":"default"}}] ,)",
     R"(,{"text":"%"})"},
};

std::string with(std::string text, std::string_view what, std::string_view by) {
  const std::size_t at = text.find(what);
  if (at != std::string::npos) text.replace(at, what.size(), by);
  return text;
}

/// A client's body; each text is JSON without quotes, nullptr = not there.
struct Written {
  const char* top = nullptr;
  const char* front = nullptr;
  const char* end = nullptr;
};
std::string body_of(const Client& client, const Written& written) {
  const auto form = [](const char* shape, const char* text) {
    return text == nullptr ? std::string() : with(shape, "%", text);
  };
  std::string body = client.body;
  body = with(body, "@front@", form(client.front, written.front));
  body = with(body, "@top@", form(client.top, written.top));
  return with(body, "@end@", form(client.end, written.end));
}

ParsedRequest parsed(std::string_view dialect, std::string body) {
  auto request = ParsedRequest::parse(*find_dialect(dialect), std::move(body),
                                      {.model = "m"});
  REQUIRE(request);
  return *std::move(request);
}

std::string edited(std::string_view dialect, const std::string& body,
                   const SystemEdits& edits) {
  auto out = edit_system(parsed(dialect, body), edits);
  REQUIRE(out);
  return *out;
}

/// What a reader of the body takes for system texts, one per line.
std::string system_of(std::string_view dialect, const std::string& body) {
  const auto chat = parsed(dialect, body).decode();
  REQUIRE(chat);
  std::string out;
  for (const Message& message : chat->messages) {
    if (message.role > Role::developer) continue;
    for (const ContentPart& part : message.content) {
      if (const auto* text = part.as<TextPart>()) out += text->text + "|";
    }
  }
  return out;
}

SystemEdits replacing(std::string from, std::string to) {
  SystemEdits edits;
  edits.replacements.emplace_back(std::move(from), std::move(to));
  return edits;
}
SystemEdits appending(std::string text) {
  SystemEdits edits;
  edits.append = std::move(text);
  return edits;
}
SystemEdits progressing() {
  SystemEdits edits;
  edits.progress = true;
  return edits;
}

constexpr const char* kProgress =
    R"(<session-progress>\nUser turns: 1\nTool calls: 1 (look 1)\n)"
    R"(Failed tool results: 0\nLast tool: look (ok)\n</session-progress>)";

}  // namespace

TEST_CASE("every dialect has a row", "[system edits]") {
  for (const Dialect* dialect : dialects()) {
    CAPTURE(dialect->name);
    CHECK(std::any_of(
        std::begin(kClients), std::end(kClients),
        [&](const Client& c) { return c.dialect == dialect->name; }));
  }
}

TEST_CASE("a system text is replaced, and nothing else", "[system edits]") {
  for (const Client& client : kClients) {
    CAPTURE(client.dialect);
    const std::string before = body_of(client, {.top = R"(Be brief, \u00e9!)"});
    const std::string after = edited(
        client.dialect, before, replacing("brief", "\"qu\xc3\xa9\"\n\\brief"));
    CHECK(after ==
          body_of(client,
                  {.top = "Be \\\"qu\xc3\xa9\\\"\\n\\\\brief, \xc3\xa9!"}));
    CHECK(system_of(client.dialect, after) ==
          "Be \"qu\xc3\xa9\"\n\\brief, \xc3\xa9!|");
  }
}

TEST_CASE("a text is appended to a system prompt", "[system edits]") {
  for (const Client& client : kClients) {
    CAPTURE(client.dialect);
    const std::string before = body_of(client, {.top = R"(Be brief, \u00e9!)"});
    const SystemEdits edits = appending("Say \"hi\".");
    const std::string after = edited(client.dialect, before, edits);
    CHECK(after ==
          body_of(client, {.top = R"(Be brief, \u00e9!\n\nSay \"hi\".)"}));
    CHECK(system_of(client.dialect, after) ==
          "Be brief, \xc3\xa9!\n\nSay \"hi\".|");
    CHECK(edited(client.dialect, body_of(client, {.top = ""}), edits) ==
          body_of(client, {.top = R"(Say \"hi\".)"}));
  }
}

TEST_CASE("a system prompt is made where there is none", "[system edits]") {
  for (const Client& client : kClients) {
    CAPTURE(client.dialect);
    const std::string after =
        edited(client.dialect, body_of(client, {}), appending("Say \"hi\"."));
    CHECK(after == body_of(client, {.front = R"(Say \"hi\".)"}));
    CHECK(system_of(client.dialect, after) == "Say \"hi\".|");
  }
}

TEST_CASE("progress goes behind a tool's result", "[system edits]") {
  for (const Client& client : kClients) {
    CAPTURE(client.dialect);
    const std::string after = edited(
        client.dialect, body_of(client, {.top = "Be brief."}), progressing());
    CHECK(after == body_of(client, {.top = "Be brief.", .end = kProgress}));
    const auto chat = parsed(client.dialect, after).decode();
    REQUIRE(chat);
    CHECK(chat->messages.back().role == Role::user);
    const auto* text = chat->messages.back().content.back().as<TextPart>();
    REQUIRE(text != nullptr);
    CHECK(text->text.starts_with("<session-progress>\nUser turns: 1\n"));
  }
}

TEST_CASE("all edits at once", "[system edits]") {
  for (const Client& client : kClients) {
    CAPTURE(client.dialect);
    SystemEdits edits = replacing("brief", "short");
    edits.replacements.emplace_back("Be short", "Talk little");
    edits.append = "Be brief.";
    edits.progress = true;
    CHECK(
        edited(client.dialect, body_of(client, {.top = "Be brief."}), edits) ==
        body_of(client,
                {.top = R"(Talk little.\n\nBe brief.)", .end = kProgress}));
    CHECK(edited(client.dialect, body_of(client, {}), edits) ==
          body_of(client, {.front = "Be brief.", .end = kProgress}));
  }
}

TEST_CASE("without anything to do every byte stays", "[system edits]") {
  for (const Client& client : kClients) {
    CAPTURE(client.dialect);
    for (const char* top :
         {"Be brief, \\u00e9\\/!", "", static_cast<const char*>(nullptr)}) {
      const std::string body = body_of(client, {.top = top});
      CHECK(edited(client.dialect, body, {}) == body);
      CHECK(edited(client.dialect, body, replacing("caf", "x")) == body);
      CHECK(edited(client.dialect, body, replacing("", "x")) == body);
    }
  }
}

namespace {

struct Special {
  const char* about;
  const char* dialect;
  const char* before;
  const char* after;
};

/// "a" becomes "b", then "Z" is appended.
constexpr Special kSpecials[] = {
    {"system turns between others are not appended to", "claude",
     R"({"model":"m","system":"a","messages":[{"role":"user","content":"a"},{"role":"system","content":"a"}]})",
     R"({"model":"m","system":"b\n\nZ","messages":[{"role":"user","content":"a"},{"role":"system","content":"b"}]})"},
    {"the last text of several", "claude",
     R"({"model":"m","system":[{"type":"text","text":"a"},{"type":"text","text":"c"}],"messages":[]})",
     R"({"model":"m","system":[{"type":"text","text":"b"},{"type":"text","text":"c\n\nZ"}],"messages":[]})"},
    {"no blocks", "claude", R"({"model":"m","system":[ ]})",
     R"({"model":"m","system":[{"type":"text","text":"Z"} ]})"},
    {"null", "claude", R"({"model":"m","system": null})",
     R"({"model":"m","system": "Z"})"},
    {"an odd system", "claude", R"({"model":"m","system":7})",
     R"({"model":"m","system":7})"},
    {"the last of the first messages", "openai-chat",
     R"({"model":"m","messages":[{"role":"system","content":"a"},{"role":"developer","content":"c"},{"role":"user","content":"a"},{"role":"developer","content":"aa"}]})",
     R"({"model":"m","messages":[{"role":"system","content":"b"},{"role":"developer","content":"c\n\nZ"},{"role":"user","content":"a"},{"role":"developer","content":"bb"}]})"},
    {"a system message later is not the prompt", "openai-chat",
     R"({"model":"m","messages":[{"role":"user","content":"a"},{"role":"system","content":"a"}]})",
     R"({"model":"m","messages":[{"role":"system","content":"Z"},{"role":"user","content":"a"},{"role":"system","content":"b"}]})"},
    {"a system message without parts", "openai-chat",
     R"({"model":"m","messages":[{"role":"system","content":[]},{"role":"user","content":"a"}]})",
     R"({"model":"m","messages":[{"role":"system","content":[{"type":"text","text":"Z"}]},{"role":"user","content":"a"}]})"},
    {"no messages", "openai-chat", R"({"model":"m","messages":{}})",
     R"({"model":"m","messages":{}})"},
    {"null", "openai-responses",
     R"({"model":"m","instructions":null,"input":"a"})",
     R"({"model":"m","instructions":"Z","input":"a"})"},
    {"developer items", "openai-responses",
     R"({"model":"m","input":[{"role":"developer","content":[{"type":"input_text","text":"a"}]},{"role":"user","content":"a"}]})",
     R"({"instructions":"Z","model":"m","input":[{"role":"developer","content":[{"type":"input_text","text":"b"}]},{"role":"user","content":"a"}]})"},
    {"a string", "gemini", R"({"systemInstruction":"a","contents":"a"})",
     R"({"systemInstruction":"b\n\nZ","contents":"a"})"},
    {"one part", "gemini", R"({"systemInstruction":{"parts":{"text":"a"}}})",
     R"({"systemInstruction":{"parts":{"text":"b\n\nZ"}}})"},
    {"no parts", "gemini", R"({"system_instruction":{ }})",
     R"({"system_instruction":{"parts":[{"text":"Z"}] }})"},
    {"null, and the other spelling", "gemini",
     R"({"systemInstruction":null,"system_instruction":{"parts":[{"text":"a"}]}})",
     R"({"systemInstruction":null,"system_instruction":{"parts":[{"text":"b\n\nZ"}]}})"},
    {"the provider keeps it", "gemini",
     R"({"cachedContent":"cachedContents/1","contents":"a"})",
     R"({"cachedContent":"cachedContents/1","contents":"a"})"},
    {"nothing at all", "gemini", "{ }",
     R"({"systemInstruction":{"parts":[{"text":"Z"}]} })"},
    {"text for a guardrail", "bedrock-converse",
     R"({"system":[{"guardContent":{"text":{"text":"a"}}}]})",
     R"({"system":[{"guardContent":{"text":{"text":"b"}}},{"text":"Z"}]})"},
};

/// How a conversation ends, and with progress; "$" is its text.
constexpr Special kEnds[] = {
    {"a string becomes longer", "claude",
     R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c\u00e9"}]})",
     R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c\u00e9\n\n$"}]})"},
    {"a marked part stays the last one cached", "claude",
     R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":[{"type":"text","text":"c","cache_control":{"type":"ephemeral"}}]}]})",
     R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":[{"type":"text","text":"c","cache_control":{"type":"ephemeral"}},{"type":"text","text":"$"}]}]})"},
    {"the user's message", "openai-chat",
     R"({"model":"m","messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":[{"type":"text","text":"c"}]}]})",
     R"({"model":"m","messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":[{"type":"text","text":"c"},{"type":"text","text":"$"}]}]})"},
    {"the user's item", "openai-responses",
     R"({"model":"m","input":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c"}]})",
     R"({"model":"m","input":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c"},{"role":"user","content":[{"type":"input_text","text":"$"}]}]})"},
    {"no role", "gemini",
     R"({"contents":[{"parts":[{"text":"a"}]},{"role":"model","parts":[{"text":"b"}]},{"parts":[{"text":"c"}]}]})",
     R"({"contents":[{"parts":[{"text":"a"}]},{"role":"model","parts":[{"text":"b"}]},{"parts":[{"text":"c"},{"text":"$"}]}]})"},
};

/// Bodies that progress is not put into.
constexpr Special kNoEnds[] = {
    {"first turn", "claude",
     R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"a"}]})",
     nullptr},
    {"prefill", "claude",
     R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]})",
     nullptr},
    {"system turn", "claude",
     R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"system","content":"c"}]})",
     nullptr},
    {"first turn", "openai-responses", R"({"model":"m","input":"a"})", nullptr},
    {"first turn", "gemini", R"({"contents":"a"})", nullptr},
    {"prefill", "gemini",
     R"({"contents":[{"parts":[{"text":"a"}]},{"role":"model","parts":[{"text":"b"}]}]})",
     nullptr},
};

}  // namespace

TEST_CASE("system prompts of all shapes", "[system edits]") {
  SystemEdits edits = replacing("a", "b");
  edits.append = "Z";
  for (const Special& row : kSpecials) {
    CAPTURE(row.about, row.dialect);
    CHECK(edited(row.dialect, row.before, edits) == row.after);
  }
  // What is left of a text may be nothing.
  edits.replacements[0].second = "";
  CHECK(edited("claude", R"({"model":"m","system":"a"})", edits) ==
        R"({"model":"m","system":"Z"})");
}

TEST_CASE("where progress goes, and where not", "[system edits]") {
  const std::string text =
      R"(<session-progress>\nUser turns: 2\nTool calls: 0\n</session-progress>)";
  for (const Special& row : kEnds) {
    CAPTURE(row.about, row.dialect);
    CHECK(edited(row.dialect, row.before, progressing()) ==
          with(row.after, "$", text));
  }
  for (const Special& row : kNoEnds) {
    CAPTURE(row.about, row.dialect);
    CHECK(edited(row.dialect, row.before, progressing()) == row.before);
  }
}

TEST_CASE("progress needs a body that can be read", "[system edits]") {
  const ParsedRequest request =
      parsed("claude", R"({"model":"m","messages":[{"role":"x"}]})");
  const auto out = edit_system(request, progressing());
  REQUIRE_FALSE(out);
  CHECK(out.error() == request.decode().error());
  CHECK(edit_system(request, appending("Z")));
}

TEST_CASE("text that is no UTF-8 does not get into a body", "[system edits]") {
  CHECK(edited("claude", R"({"model":"m"})", appending("a\xff")) ==
        "{\"system\":\"a\xef\xbf\xbd\",\"model\":\"m\"}");
}

}  // namespace llmproxy
