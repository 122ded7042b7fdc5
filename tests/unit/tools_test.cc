// run_tools: which functions run, what the model is told, when it ends.
#include "llmproxy/tools.h"

#include <catch2/catch.hpp>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "json/json.h"
#include "support/client_calls.h"
#include "support/scripted_transport.h"

namespace llmproxy::testing {
namespace {

Client demo() {
  return Client(make_backend(*find_provider("demo"), Secret()),
                make_demo_transport());
}

ChatRequest ask(std::string text) {
  ChatRequest request;
  request.model = "demo";
  request.messages.push_back(user_message(std::move(text)));
  return request;
}

/// A tool that says what it was given.
Tool echo(std::vector<std::string>& seen) {
  return {"echo", "Says the same",
          R"({"type":"object","properties":{"text":{"type":"string"}},)"
          R"("required":["text"]})",
          [&seen](const std::string& arguments) -> Result<std::string> {
            seen.push_back(arguments);
            return "echo " + std::to_string(seen.size());
          }};
}

const ToolResultPart* result_in(const Message& message, std::size_t part) {
  return message.content.at(part).as<ToolResultPart>();
}

/// An answer of openai-chat with these calls, "name" and arguments each.
std::string answer_with(
    const std::vector<std::pair<std::string, std::string>>& calls,
    const std::string& reason) {
  std::string list;
  for (const auto& [name, arguments] : calls) {
    if (!list.empty()) list += ',';
    list.append(R"({"id":"call_)").append(std::to_string(list.size()));
    list.append(R"(","type":"function","function":{"name":")").append(name);
    list.append(R"(","arguments":")").append(arguments).append(R"("}})");
  }
  return R"({"id":"c1","object":"chat.completion","created":1,"model":"m-1",)"
         R"("choices":[{"index":0,"message":{"role":"assistant","content":)"
         R"(null,"tool_calls":[)" +
         list + R"(]},"finish_reason":")" + reason + R"("}]})";
}

/// An upstream that gives these answers, and then the one of wires().
std::shared_ptr<ScriptedTransport> upstream(
    const std::vector<std::string>& answers) {
  auto transport = std::make_shared<ScriptedTransport>();
  for (const std::string& answer : answers) {
    transport->play(Script().head(200, json_head()).body(answer));
  }
  transport->play(
      Script().head(200, json_head()).body(std::string(wires()[0].whole)));
  return transport;
}

TEST_CASE("the model calls a function and uses what it says") {
  std::vector<std::string> seen;
  const bool streams = GENERATE(false, true);
  int started = 0;
  ToolOptions options;
  if (streams) {
    options.on_event = [&](const StreamEvent& event) {
      started += event.kind == EventKind::started ? 1 : 0;
      return true;
    };
  }
  const ToolRun run =
      run_tools(demo(), ask("say hello"), {echo(seen)}, options);
  REQUIRE(run.answer);
  CHECK(answer_text(*run.answer) == "echo said: echo 1");
  CHECK(seen == std::vector<std::string>{R"({"text":"hello"})"});
  CHECK(run.finished);
  CHECK(run.rounds == 2);
  CHECK(started == (streams ? 2 : 0));
  REQUIRE(run.messages.size() == 4);
  CHECK(run.messages[1].role == Role::assistant);
  CHECK(run.messages[2].role == Role::user);
  CHECK(run.messages[3].role == Role::assistant);
}

TEST_CASE("calls run in their order, each with its own result") {
  std::vector<std::string> seen;
  const ToolRun run = run_tools(demo(), ask("parallel please"), {echo(seen)});
  REQUIRE(run.answer);
  CHECK(seen.size() == 2);
  const Message& results = run.messages.at(2);
  REQUIRE(results.content.size() == 2);
  CHECK(result_in(results, 0)->content.at(0).as<TextPart>()->text == "echo 1");
  CHECK(result_in(results, 1)->content.at(0).as<TextPart>()->text == "echo 2");
  CHECK(result_in(results, 0)->call_id != result_in(results, 1)->call_id);
}

TEST_CASE("unknown and failing functions are errors that the model reads") {
  const auto transport = upstream(
      {answer_with({{"nobody", "{}"}, {"broken", "{}"}}, "tool_calls")});
  const Tool broken{"broken", "", "", [](const std::string&) {
                      return Result<std::string>(invalid_request("no luck"));
                    }};
  const ToolRun run =
      run_tools(client_of(wires()[0], transport), question(), {broken});
  REQUIRE(run.answer);
  CHECK(run.finished);
  const Message& results = run.messages.at(2);
  REQUIRE(results.content.size() == 2);
  CHECK(result_in(results, 0)->is_error);
  CHECK(result_in(results, 1)->is_error);
  CHECK(result_in(results, 1)->content.at(0).as<TextPart>()->text == "no luck");
  // The second request says it all.
  const std::string body = transport->requests().at(1).body;
  CHECK(body.find("there is no tool 'nobody'") != std::string::npos);
  CHECK(body.find("no luck") != std::string::npos);
}

TEST_CASE("a cut or refused answer runs nothing") {
  const std::string reason = GENERATE("length", "content_filter");
  const auto transport = upstream({answer_with({{"echo", "{"}}, reason)});
  std::vector<std::string> seen;
  const ToolRun run =
      run_tools(client_of(wires()[0], transport), question(), {echo(seen)});
  REQUIRE(run.answer);
  CHECK(seen.empty());
  CHECK(run.finished);
  CHECK(run.rounds == 1);
}

TEST_CASE("max_rounds ends a model that calls for ever") {
  const std::string call = answer_with({{"echo", "{}"}}, "tool_calls");
  const auto transport = upstream({call, call, call, call});
  std::vector<std::string> seen;
  ToolOptions options;
  options.max_rounds = 3;
  const ToolRun run = run_tools(client_of(wires()[0], transport), question(),
                                {echo(seen)}, options);
  REQUIRE(run.answer);
  CHECK_FALSE(run.finished);
  CHECK(run.rounds == 3);
  CHECK(seen.size() == 3);
  CHECK(run.messages.back().role == Role::user);
}

TEST_CASE("a demanded call is demanded once") {
  const auto transport =
      upstream({answer_with({{"echo", "{}"}}, "tool_calls")});
  std::vector<std::string> seen;
  ChatRequest request = question();
  request.tool_choice = ToolChoice{ToolChoiceMode::named, "echo", {}};
  const ToolRun run =
      run_tools(client_of(wires()[0], transport), request, {echo(seen)});
  CHECK(run.finished);
  json::Document document;
  const auto first = document.parse(transport->requests().at(0).body);
  CHECK((*first)["tool_choice"]["function"]["name"].string() == "echo");
  const std::string second = transport->requests().at(1).body;
  CHECK(second.find("\"function\":{\"name\":\"echo\"}") == std::string::npos);
}

TEST_CASE("an error or a stop keeps what was said so far") {
  const bool stop = GENERATE(true, false);
  auto transport = std::make_shared<ScriptedTransport>();
  transport->play(
      Script()
          .head(200, json_head())
          .body(answer_with({{"halt", "{}"}, {"halt", "{}"}}, "tool_calls")));
  transport->play(Script().fail(ErrorKind::upstream_unreachable, "gone"));
  std::stop_source source;
  int runs = 0;
  const Tool halt{"halt", "", "", [&](const std::string&) {
                    ++runs;
                    if (stop) source.request_stop();
                    return Result<std::string>("halted");
                  }};
  ToolOptions options;
  options.call.stop = source.get_token();
  const ToolRun run =
      run_tools(client_of(wires()[0], transport), question(), {halt}, options);
  REQUIRE_FALSE(run.answer);
  CHECK_FALSE(run.finished);
  CHECK(run.answer.error().kind ==
        (stop ? ErrorKind::cancelled : ErrorKind::upstream_unreachable));
  CHECK(runs == (stop ? 1 : 2));
  // Every call has its result: what ran keeps its own.
  REQUIRE(run.messages.size() == 3);
  REQUIRE(run.messages[2].content.size() == 2);
  CHECK_FALSE(result_in(run.messages[2], 0)->is_error);
  CHECK(result_in(run.messages[2], 1)->is_error == stop);
}

TEST_CASE("a stop within the last round's tool is told, too") {
  std::stop_source source;
  const Tool halt{"halt", "", "", [&](const std::string&) {
                    source.request_stop();
                    return Result<std::string>("halted");
                  }};
  ToolOptions options;
  options.call.stop = source.get_token();
  options.max_rounds = 1;
  const auto transport =
      upstream({answer_with({{"halt", "{}"}}, "tool_calls")});
  const ToolRun run =
      run_tools(client_of(wires()[0], transport), question(), {halt}, options);
  REQUIRE_FALSE(run.answer);
  CHECK(run.answer.error().kind == ErrorKind::cancelled);
  CHECK(run.messages.size() == 3);
  CHECK(transport->requests().size() == 1);
}

}  // namespace
}  // namespace llmproxy::testing
