// The demo model: what it answers, and that it answers the same every time.
#include <catch2/catch.hpp>

#include "client/demo/asking.h"
#include "client/demo/example_json.h"
#include "client/demo/faults.h"
#include "client/demo/model.h"
#include "client/demo/words.h"
#include "json/json.h"

using namespace llmproxy;
using demo::answer;
using demo::example_json;

namespace {

ChatRequest ask(std::string text) {
  ChatRequest request;
  request.model = "demo";
  request.messages.push_back(user_message(std::move(text)));
  return request;
}

ToolDefinition tool(std::string name, std::string schema) {
  ToolDefinition definition;
  definition.name = std::move(name);
  if (!schema.empty()) {
    definition.schema = RawJson::parse(std::move(schema)).value();
  }
  return definition;
}

const std::string kCitySchema =
    R"({"type":"object","properties":{"city":{"type":"string"},)"
    R"("days":{"type":"integer","minimum":3}},"required":["city","days"]})";

ChatRequest ask_with_tools(std::string text) {
  ChatRequest request = ask(std::move(text));
  request.tools = {tool("get_weather", kCitySchema),
                   tool("get_time", R"({"type":"object"})")};
  return request;
}

// "text: ...", "thinking: ...", "call: name arguments", in order.
std::vector<std::string> lines(const ChatResponse& response) {
  std::vector<std::string> out;
  for (const ContentPart& part : response.content) {
    if (const auto* text = part.as<TextPart>()) {
      out.push_back("text: " + text->text);
    } else if (const auto* thinking = part.as<ThinkingPart>()) {
      out.push_back("thinking: " + thinking->text);
    } else if (const auto* call = part.as<ToolCallPart>()) {
      out.push_back("call: " + call->name + " " + call->arguments);
    } else {
      out.push_back("other");
    }
  }
  return out;
}
using Lines = std::vector<std::string>;

// The conversation after `response` called tools and they answered.
ChatRequest with_results(ChatRequest request, const ChatResponse& response,
                         const std::string& result, bool is_error = false) {
  Message called;
  called.role = Role::assistant;
  called.content = response.content;
  request.messages.push_back(called);
  Message results;
  for (const ContentPart& part : response.content) {
    const auto* call = part.as<ToolCallPart>();
    if (call == nullptr) continue;
    ToolResultPart answered;
    answered.call_id = call->id;
    answered.is_error = is_error;
    answered.content.push_back(ContentPart{TextPart{result, {}}, {}, {}});
    results.content.push_back(ContentPart{answered, {}, {}});
  }
  request.messages.push_back(results);
  return request;
}

}  // namespace

TEST_CASE("the demo repeats what it was told") {
  const ChatResponse response = answer(ask("hello world"));
  CHECK(lines(response) == Lines{"text: You said: hello world"});
  CHECK(response.stop_reason == StopReason::end_turn);
  CHECK(response.model == "demo");
  CHECK(response.usage.input_tokens == 2);
  CHECK(response.usage.output_tokens == 4);
  CHECK(response.usage.cached_input_tokens == 0);
  CHECK(response.usage.reasoning_tokens == 0);
}

TEST_CASE("the demo is deterministic, and its ids depend on the talk") {
  const ChatResponse first = answer(ask_with_tools("a b"));
  CHECK(first == answer(ask_with_tools("a b")));
  const ChatResponse other = answer(ask_with_tools("a c"));
  CHECK(first.id != other.id);
  CHECK(first.content.back().as<ToolCallPart>()->id !=
        other.content.back().as<ToolCallPart>()->id);
}

TEST_CASE("the last user message is answered") {
  ChatRequest request = ask("first");
  request.messages.insert(request.messages.begin(), system_message("Be brief"));
  request.messages.push_back(assistant_message("You said: first"));
  request.messages.push_back(user_message("second"));
  CHECK(lines(answer(request)) == Lines{"text: You said: second"});
  // A prefill is no turn of its own.
  request.messages.push_back(assistant_message("You"));
  CHECK(lines(answer(request)) == Lines{"text: You said: second"});
  ChatRequest nothing;
  CHECK(lines(answer(nothing)) == Lines{"text: You said nothing."});
}

TEST_CASE("images, documents and clips are counted") {
  ChatRequest request = ask("look");
  auto& content = request.messages[0].content;
  content.push_back(ContentPart{ImagePart{}, {}, {}});
  content.push_back(ContentPart{ImagePart{}, {}, {}});
  content.push_back(ContentPart{DocumentPart{}, {}, {}});
  content.push_back(ContentPart{AudioPart{}, {}, {}});
  CHECK(lines(answer(request)) ==
        Lines{"text: You said: look I got 2 images. I got 1 document. I got 1 "
              "audio clip."});
  CHECK(answer(request).usage.input_tokens > 4);
}

TEST_CASE("a tool that is offered is called, with arguments that fit") {
  const ChatResponse response =
      answer(ask_with_tools("What is the weather in Oslo?"));
  CHECK(lines(response) ==
        Lines{"text: I will call get_weather.",
              R"(call: get_weather {"city":"Oslo","days":3})"});
  CHECK(response.stop_reason == StopReason::tool_use);
  CHECK_FALSE(response.content[1].as<ToolCallPart>()->id.empty());
}

TEST_CASE("the choice of tools is respected") {
  ChatRequest request = ask_with_tools("Oslo");
  SECTION("none") {
    request.tool_choice = ToolChoice{ToolChoiceMode::none, "", {}};
    CHECK(lines(answer(request)) == Lines{"text: You said: Oslo"});
  }
  SECTION("required: nothing is said before the call") {
    request.tool_choice = ToolChoice{ToolChoiceMode::required, "", {}};
    CHECK(lines(answer(request)) ==
          Lines{R"(call: get_weather {"city":"Oslo","days":3})"});
  }
  SECTION("named") {
    request.tool_choice = ToolChoice{ToolChoiceMode::named, "get_time", {}};
    CHECK(lines(answer(request)) == Lines{"call: get_time {}"});
  }
  SECTION("allowed") {
    request.tool_choice =
        ToolChoice{ToolChoiceMode::required, "", {"get_time"}};
    CHECK(lines(answer(request)) == Lines{"call: get_time {}"});
  }
  SECTION("hosted tools are not ours to call") {
    for (ToolDefinition& definition : request.tools) {
      definition.kind = ToolKind::hosted;
    }
    CHECK(lines(answer(request)) == Lines{"text: You said: Oslo"});
  }
  SECTION("custom tools get free text") {
    request.tools = {tool("patch", "")};
    request.tools[0].kind = ToolKind::custom;
    request.messages[0] = user_message("*** Begin");
    const ChatResponse response = answer(request);
    CHECK(lines(response)[1] == "call: patch *** Begin");
    CHECK(response.content[1].as<ToolCallPart>()->custom);
  }
}

TEST_CASE("tools are called in parallel on request") {
  ChatRequest request = ask_with_tools("in parallel please");
  const ChatResponse response = answer(request);
  REQUIRE(response.content.size() == 3);
  const auto* first = response.content[1].as<ToolCallPart>();
  const auto* second = response.content[2].as<ToolCallPart>();
  CHECK(first->name == "get_weather");
  CHECK(second->name == "get_time");
  CHECK(first->id != second->id);

  request.tools.pop_back();
  CHECK(answer(request).content.size() == 3);
  request.parallel_tool_calls = false;
  CHECK(answer(request).content.size() == 2);
}

TEST_CASE("several tools are called where words ask for several",
          "[demo_asking]") {
  ChatRequest request = ask("");
  const std::string schema =
      R"({"type":"object","properties":{"a":{"type":"string"}},)"
      R"("required":["a"]})";
  for (const char* name :
       {"get_weather", "getTime", "read_file", "write_file", "add"}) {
    request.tools.push_back(tool(name, schema));
  }
  struct Row {
    const char* text;
    Lines calls;  ///< tool and its argument
  };
  const Row rows[] = {
      // Named, in the order in which they are offered.
      {"call getTime and get_weather", {"get_weather w", "getTime w"}},
      {"GET the WEATHER and the time", {"get_weather w", "getTime w"}},
      {"read the file x", {"read_file w"}},
      {"add one", {"add w"}},
      // What they are about.
      {"Which weather, at what times?", {"get_weather w", "getTime w"}},
      {"a file", {"read_file w", "write_file w"}},
      // Neither: the first.
      {"hello", {"get_weather w"}},
      {"", {"get_weather w"}},
      // By number.
      {"go on, in parallel", {"get_weather w", "getTime w"}},
      {"both times", {"getTime w", "getTime w"}},
      {"use all tools",
       {"get_weather w", "getTime w", "read_file w", "write_file w", "add w"}},
      // About several things.
      {"What's the weather in San Francisco, Tokyo, and Paris?",
       {"get_weather San Francisco", "get_weather Tokyo", "get_weather Paris"}},
      {"weather and time for Oslo and Z\xc3\xbcrich, please",
       {"get_weather Oslo", "get_weather Z\xc3\xbcrich", "getTime Oslo",
        "getTime Z\xc3\xbcrich"}},
      {"time: salt and pepper", {"getTime w"}},
      {"Hello, World: the time", {"getTime w"}},
  };
  for (const Row& row : rows) {
    INFO(row.text);
    request.messages[0] = user_message(row.text);
    const std::string last(demo::last_word(row.text));
    Lines expected;
    for (const std::string& call : row.calls) {
      const std::size_t space = call.find(' ');
      const std::string about = call.substr(space + 1);
      expected.push_back(
          "call: " + call.substr(0, space) + R"( {"a":")" +
          (about != "w" ? about : (last.empty() ? "demo" : last)) + R"("})");
    }
    Lines made = lines(answer(request));
    made.erase(made.begin());
    CHECK(made == expected);
    request.parallel_tool_calls = false;
    CHECK(lines(answer(request)).size() == 2);
    request.parallel_tool_calls.reset();
  }
}

TEST_CASE("a text asks for a bounded number of calls", "[demo_asking]") {
  ChatRequest request = ask("use all tools");
  for (int i = 0; i < 100; ++i) {
    request.tools.push_back(tool("tool_" + std::to_string(i), ""));
  }
  CHECK(lines(answer(request)).size() == 1 + demo::kMostCalls);
  std::string many = "A0 and A1";
  for (int i = 2; i < 100; ++i) many += ", A" + std::to_string(i);
  request.messages[0] = user_message(many);
  CHECK(lines(answer(request)).size() == 1 + demo::kMostCalls);
  CHECK(demo::listed_names(many).size() == demo::kMostCalls);
}

TEST_CASE("lists of names", "[demo_asking]") {
  CHECK(demo::listed_names("").empty());
  CHECK(demo::listed_names("Oslo").empty());
  CHECK(demo::listed_names("Oslo, Rome").empty());
  CHECK(demo::listed_names("and Rome and").empty());
  CHECK(demo::listed_names("Oslo and the rest").empty());
  CHECK(demo::listed_names("Oslo & Rome") == Lines{"Oslo", "Rome"});
  CHECK(demo::listed_names("A and B. Now: C and D!") == Lines{"C", "D"});
  CHECK(demo::listed_names("Oslo,and,\n Rome's") == Lines{"Oslo", "Rome's"});
  CHECK(demo::listed_names(std::string(1 << 20, ',') + "A and B").empty());
}

TEST_CASE("results of tools are used") {
  const ChatRequest request = ask_with_tools("weather in Oslo");
  const ChatResponse call = answer(request);
  const ChatRequest next = with_results(request, call, "7 degrees");
  const ChatResponse response = answer(next);
  CHECK(lines(response) == Lines{"text: get_weather said: 7 degrees"});
  CHECK(response.stop_reason == StopReason::end_turn);

  CHECK(lines(answer(with_results(request, call, "no net", true))) ==
        Lines{"text: get_weather failed: no net"});

  // After that, the next question may call a tool again.
  ChatRequest again = next;
  again.messages.push_back(assistant_message("7 degrees"));
  again.messages.push_back(user_message("and Bergen"));
  CHECK(answer(again).stop_reason == StopReason::tool_use);
}

TEST_CASE("thinking comes first when it is asked for") {
  ChatRequest request = ask("hi there");
  SECTION("effort") { request.reasoning.effort = Effort::low; }
  SECTION("budget") {
    request.reasoning.mode = ReasoningMode::budget;
    request.reasoning.budget_tokens = 2000;
  }
  SECTION("adaptive") { request.reasoning.mode = ReasoningMode::adaptive; }
  const ChatResponse response = answer(request);
  CHECK(lines(response) ==
        Lines{"thinking: The user wrote 2 words. I will answer them.",
              "text: You said: hi there"});
  const auto* thinking = response.content[0].as<ThinkingPart>();
  CHECK(thinking->signature.starts_with("demo-signature-"));
  CHECK(response.usage.reasoning_tokens == 9);
  CHECK(response.usage.output_tokens == 13);
}

TEST_CASE("thinking that is not asked for, or not to be shown") {
  ChatRequest request = ask("hi");
  request.reasoning.effort = Effort::none;
  CHECK(answer(request).content.size() == 1);
  request.reasoning.effort = Effort::high;
  request.reasoning.mode = ReasoningMode::off;
  CHECK(answer(request).content.size() == 1);
  request.reasoning.mode = ReasoningMode::adaptive;
  request.reasoning.display = "omitted";
  const ChatResponse response = answer(request);
  const auto* thinking = response.content.at(0).as<ThinkingPart>();
  REQUIRE(thinking);
  CHECK(thinking->text.empty());
  CHECK_FALSE(thinking->signature.empty());
}

TEST_CASE("the output limit is counted in words") {
  ChatRequest request = ask("one two three");
  request.max_output_tokens = 3;
  ChatResponse response = answer(request);
  CHECK(lines(response) == Lines{"text: You said: one"});
  CHECK(response.stop_reason == StopReason::max_tokens);
  CHECK(response.usage.output_tokens == 3);

  request.max_output_tokens = 5;
  CHECK(answer(request).stop_reason == StopReason::end_turn);

  request.max_output_tokens = 0;
  response = answer(request);
  CHECK(response.content.empty());
  CHECK(response.stop_reason == StopReason::max_tokens);

  // Thinking is paid for out of the same limit.
  request.reasoning.effort = Effort::low;
  request.max_output_tokens = 4;
  response = answer(request);
  CHECK(lines(response) == Lines{"thinking: The user wrote 3"});
  CHECK(response.stop_reason == StopReason::max_tokens);

  // No call without the words before it.
  request = ask_with_tools("Oslo");
  request.max_output_tokens = 2;
  response = answer(request);
  CHECK(lines(response) == Lines{"text: I will"});
  CHECK(response.stop_reason == StopReason::max_tokens);
}

TEST_CASE("the earliest stop sequence ends the answer") {
  ChatRequest request = ask("alpha beta gamma");
  request.stop_sequences = {"gamma", "beta", ""};
  const ChatResponse response = answer(request);
  CHECK(lines(response) == Lines{"text: You said: alpha "});
  CHECK(response.stop_reason == StopReason::stop_sequence);
  CHECK(response.stop_sequence == "beta");

  request.max_output_tokens = 2;
  CHECK(answer(request).stop_reason == StopReason::max_tokens);
  CHECK(answer(request).stop_sequence.empty());
}

TEST_CASE("structured output fits its schema") {
  ChatRequest request = ask("the user's words");
  request.response_format = ResponseFormat{};
  request.response_format->kind = FormatKind::json_schema;
  request.response_format->schema = RawJson::parse(kCitySchema).value();
  CHECK(lines(answer(request)) ==
        Lines{R"(text: {"city":"the user's words","days":3})"});
  request.response_format->kind = FormatKind::json_object;
  request.response_format->schema = {};
  CHECK(lines(answer(request)) ==
        Lines{R"(text: {"you_said":"the user's words"})"});
}

TEST_CASE("examples follow their schema") {
  struct Row {
    const char* schema;
    const char* example;
  };
  const Row rows[] = {
      {R"({"type":"string"})", R"("w")"},
      {R"({"type":["null","integer"]})", "1"},
      {R"({"type":["null"]})", "null"},
      {R"({"type":"number","minimum":2.5})", "2.5"},
      {R"({"type":"integer","maximum":-4})", "-4"},
      {R"({"type":"integer","exclusiveMinimum":6})", "7"},
      {R"({"type":"boolean"})", "true"},
      {R"({"enum":["red","blue"],"type":"string"})", R"("red")"},
      {R"({"const":{"b":1.50}})", R"({"b":1.50})"},
      {R"({"type":"array","items":{"type":"integer"},"minItems":2})", "[1,1]"},
      {R"({"type":"array","maxItems":0})", "[]"},
      {R"({"type":"string","format":"date"})", R"("2026-01-31")"},
      {R"({"type":"string","minLength":3})", R"("w..")"},
      {R"({"type":"string","maxLength":0})", R"("")"},
      {R"({"anyOf":[{"type":"integer"},{"type":"null"}]})", "1"},
      {R"({"properties":{"a":{"type":"null"}},"required":["a"]})",
       R"({"a":null})"},
      {R"({"type":"object","required":["x"]})", R"({"x":"w"})"},
      {R"({"type":"object","properties":{"optional":{"type":"string"}}})",
       "{}"},
      {R"({"$ref":"#/$defs/n","$defs":{"n":{"type":"integer"}}})", "1"},
      {R"({"$ref":"#/nowhere","x":1})", R"("w")"},
      {R"({"type":"unheard"})", "null"},
      {"{}", "{}"},
      {"not json", "{}"},
      {"", "{}"},
  };
  for (const Row& row : rows) {
    INFO(row.schema);
    CHECK(example_json(row.schema, "w") == row.example);
  }
}

TEST_CASE("a schema that holds itself ends somewhere") {
  const std::string example =
      example_json(R"({"type":"object","properties":{"next":{"$ref":"#"}},)"
                   R"("required":["next"]})",
                   "w");
  CHECK(json::is_json_object(example));
  // Eight times itself, at every level.
  const std::string wide = example_json(
      R"({"type":"array","minItems":8,"items":{"$ref":"#"}})", "w");
  CHECK(json::is_json(wide));
  CHECK(wide.size() < 1'000'000);
}

TEST_CASE("every fault of the demo is a model of it", "[demo_faults]") {
  CHECK(demo::check_model("demo"));
  // Routes may give it any name.
  CHECK(demo::check_model("gpt-5"));
  CHECK(demo::check_model(""));
  for (const demo::DemoFault& fault : demo::faults()) {
    INFO(fault.model);
    CHECK(demo::check_model(fault.model));
    CHECK(demo::find_fault(fault.model) == &fault);
  }
  for (const char* unknown : {"demo-", "demo-x", "demo-error-418", "demo-CUT",
                              "demo-cut ", "demo-error-429x"}) {
    INFO(unknown);
    const Result<void> checked = demo::check_model(unknown);
    REQUIRE_FALSE(checked);
    CHECK(checked.error().kind == ErrorKind::not_found);
    CHECK(checked.error().message.find("demo-slow") != std::string::npos);
    CHECK(checked.error().message.find(unknown) != std::string::npos);
  }
  const Result<void> huge =
      demo::check_model("demo-" + std::string(1 << 20, 'x'));
  REQUIRE_FALSE(huge);
  CHECK(huge.error().message.size() < 1000);
}

TEST_CASE("words") {
  CHECK(demo::count_words("") == 0);
  CHECK(demo::count_words("  a\tb\nc  ") == 3);
  CHECK(demo::first_words("a b c", 2) == "a b");
  CHECK(demo::first_words("a b ", 2) == "a b ");
  CHECK(demo::first_words("a b", 0).empty());
  CHECK(demo::first_words("", 0).empty());
  CHECK(demo::last_word("in \"Oslo\"?! ") == "Oslo");
  CHECK(demo::last_word("?!").empty());
  CHECK(demo::last_word("one") == "one");
  CHECK(demo::cut_utf8("a\xc3\xa9", 2) == "a");
  CHECK(demo::cut_utf8("a\xc3\xa9", 3) == "a\xc3\xa9");
}
