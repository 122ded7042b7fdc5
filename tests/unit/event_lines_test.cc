// One event, one line: JSON of others is written into server-sent events
// without the line ends it came with. Google's clients read line by line and
// join nothing.
#include <catch2/catch.hpp>

#include "json/json.h"
#include "llmproxy/translate.h"

namespace llmproxy {
namespace {

/// Every kind of space between tokens; texts keep theirs, escaped.
constexpr std::string_view kPretty =
    "{\r\n  \"a b\" : [ 1 ,\t2\n,\r{ } ] ,\n\n  \"text\" : \"x \\\" \\n  y\" }";
constexpr std::string_view kCompact = R"({"a b":[1,2,{}],"text":"x \" \n  y"})";

RawJson raw(const std::string& text) { return *RawJson::parse(text); }

/// Each line of `stream`, as a reader of lines sees it: CR ends one too.
std::vector<std::string> lines_of(std::string_view stream) {
  std::vector<std::string> lines(1);
  for (const char c : stream) {
    if (c == '\n' || c == '\r') {
      lines.emplace_back();
    } else {
      lines.back() += c;
    }
  }
  return lines;
}

void check_lines(std::string_view stream) {
  for (const std::string& line : lines_of(stream)) {
    constexpr std::string_view kData = "data: ";
    if (line.empty() || line.starts_with("event: ") || line == "data: [DONE]") {
      continue;
    }
    INFO(line);
    REQUIRE(line.starts_with(kData));
    CHECK(json::is_json_object(std::string_view(line).substr(kData.size())));
  }
}

/// An answer that holds JSON of others wherever it can.
ChatResponse answer_of(const Dialect& dialect) {
  ChatResponse answer;
  answer.dialect = std::string(dialect.name);
  answer.id = "r1";
  answer.model = "m";
  const std::string citation =
      "{ \"type\" :\n \"char_location\" ,\r\"x\" : 1 }";
  answer.content.push_back({TextPart{"said", {raw(citation)}}, {}, {}, {}});
  answer.content.push_back(
      {OpaquePart{answer.dialect, "toolUse",
                  raw("{ \"toolUse\" : " + std::string(kPretty) + "\n}")},
       {},
       {},
       {}});
  answer.content.push_back(
      {ToolCallPart{"call_1", "f", std::string(kPretty), false}, {}, {}, {}});
  answer.content.push_back(
      {ToolCallPart{"call_2", "g", "\n[ 1,\r 2 ]\n", false}, {}, {}});
  answer.content.push_back(
      {ToolCallPart{"call_3", "h", "no\nJSON\r", false}, {}, {}});
  for (const char* name : {"x_own", "candidates/0/x", "logprobs"}) {
    answer.extensions.push_back({name, raw(std::string(kPretty))});
  }
  return answer;
}

std::string replayed(const ChatResponse& answer, const Dialect& to,
                     const RequestContext& context) {
  struct Sink final : EventSink {
    void on_event(const StreamEvent& event) override {
      encoder->on_event(event, out);
    }
    std::unique_ptr<StreamEncoder> encoder;
    std::string out;
  } sink;
  sink.encoder = to.new_stream_encoder(context);
  replay(answer, sink);
  return std::move(sink.out);
}

TEST_CASE("JSON of others keeps to its line in every dialect's stream",
          "[event_lines]") {
  RequestContext context;
  context.include_usage = true;
  context.echo = raw("{ \"tools\" : [\n" + std::string(kPretty) + "\r\n] }");
  for (const Dialect* from : dialects()) {
    for (const Dialect* to : dialects()) {
      if (to->framing != Framing::sse) continue;
      INFO(from->name << " to " << to->name);
      check_lines(replayed(answer_of(*from), *to, context));
    }
  }
}

TEST_CASE("arguments that a model wrote over several lines reach Gemini",
          "[event_lines]") {
  const std::string chunk =
      R"(data: {"id":"c1","object":"chat.completion.chunk","created":1,)"
      R"("model":"m","choices":[{"index":0,"delta":{"role":"assistant",)"
      R"("tool_calls":[{"index":0,"id":"call_1","type":"function","function":)"
      R"({"name":"f","arguments":"{\n  \"a\": 1\r\n\n}"}}]},)"
      R"("finish_reason":"tool_calls"}]})"
      "\n\ndata: [DONE]\n\n";
  StreamTranslator translator(*find_dialect("openai-chat"),
                              *find_dialect("gemini"), {});
  std::string out;
  translator.feed(chunk, out);
  translator.finish(out);
  check_lines(out);
  CHECK(out.find(R"("args":{"a":1})") != std::string::npos);
}

TEST_CASE("a client's own JSON comes back on one line", "[event_lines]") {
  const std::string body =
      "{\n \"model\" : \"m\",\r\n \"input\" : \"hi\",\n \"stream\" : true,\n"
      " \"tools\" : [ {\n \"type\" : \"function\",\r \"name\" : \"f\",\n"
      " \"parameters\" : {\n \"type\" : \"object\" } } ],\n"
      " \"metadata\" : {\n \"k\" : \"v\" } }";
  const auto request = translate_request(*find_dialect("openai-responses"),
                                         *find_dialect("claude"), body, {});
  REQUIRE(request);
  ChatResponse answer;
  answer.id = "r1";
  answer.content.push_back({TextPart{"hi", {}}, {}, {}});
  const Dialect& to = *find_dialect("openai-responses");
  check_lines(replayed(answer, to, request->context));
}

TEST_CASE("white space goes from between tokens only", "[event_lines]") {
  ChatResponse answer;
  answer.content.push_back(
      {ToolCallPart{"call_1", "f", std::string(kPretty), false}, {}, {}, {}});
  const std::string out = replayed(answer, *find_dialect("gemini"), {});
  CHECK(out.find(kCompact) != std::string::npos);
}

}  // namespace
}  // namespace llmproxy
