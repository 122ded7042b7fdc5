#include "llmproxy/tools.h"

#include <algorithm>
#include <utility>

#include "client/caught.h"
#include "client/transfer_error.h"
#include "llmproxy/conversation.h"

namespace llmproxy {
namespace {

constexpr std::string_view kNoArguments = R"({"type":"object"})";

Result<RawJson> schema_of(const Tool& tool, std::size_t index) {
  Result<RawJson> schema = RawJson::parse(
      tool.schema.empty() ? std::string(kNoArguments) : tool.schema);
  if (!schema) {
    schema.error().path = "/tools/" + std::to_string(index) + "/schema";
  }
  return schema;
}

Result<void> declare(const std::vector<Tool>& tools, ChatRequest& request) {
  for (const Tool& tool : tools) {
    std::erase_if(request.tools, [&](const ToolDefinition& definition) {
      return definition.name == tool.name;
    });
    ToolDefinition definition;
    definition.name = tool.name;
    definition.description = tool.description;
    LLMPROXY_ASSIGN(definition.schema, schema_of(tool, request.tools.size()));
    request.tools.push_back(std::move(definition));
  }
  return {};
}

Result<ChatResponse> ask(const Client& client, const ChatRequest& request,
                         const ToolOptions& options) {
  if (!options.on_event) return client.send(request, options.call);
  Accumulator sum;
  LLMPROXY_TRY(client.stream(
      request,
      [&](const StreamEvent& event) {
        sum.on_event(event);
        return options.on_event(event);
      },
      options.call));
  return sum.response();
}

/// Half a call that is run as if it were whole does damage.
bool may_run(StopReason reason) {
  // Some servers say that the turn ended though it calls a tool.
  return reason == StopReason::tool_use || reason == StopReason::end_turn;
}

std::vector<ToolCallPart> calls_of(const ChatResponse& answer) {
  if (!may_run(answer.stop_reason)) return {};
  return answer.tool_calls();
}

Result<std::string> run(const ToolCallPart& call,
                        const std::vector<Tool>& tools) {
  const auto tool =
      std::find_if(tools.begin(), tools.end(),
                   [&](const Tool& each) { return each.name == call.name; });
  if (tool == tools.end() || !tool->run) {
    return invalid_request("there is no tool '" + call.name + "'");
  }
  Result<std::string> said = std::string();
  auto thrown = caught("the tool", [&] { said = tool->run(call.arguments); });
  if (thrown) return *std::move(thrown);
  return said;
}

/// All results stand in one message, in the order of the calls. After a stop
/// no further one runs, and its result says so: every call has one.
Message run_all(const std::vector<ToolCallPart>& calls,
                const std::vector<Tool>& tools, const std::stop_token& stop) {
  Message results;
  for (const ToolCallPart& call : calls) {
    Result<std::string> said =
        stop.stop_requested() ? cancelled_error() : run(call, tools);
    const bool failed = !said;
    std::string text =
        failed ? std::move(said).error().message : *std::move(said);
    results.content.push_back(ToolResultPart{
        call.id, {TextPart{std::move(text)}}, /*is_error=*/failed});
  }
  return results;
}

void demand_no_call(ChatRequest& request) {
  if (!request.tool_choice) return;
  ToolChoiceMode& mode = request.tool_choice->mode;
  if (mode == ToolChoiceMode::required || mode == ToolChoiceMode::named) {
    mode = ToolChoiceMode::automatic;
    request.tool_choice->name.clear();
  }
}

}  // namespace

ToolRun run_tools(const Client& client, ChatRequest request,
                  const std::vector<Tool>& tools, const ToolOptions& options) {
  ToolRun out{cancelled_error(), {}, 0, false};
  const Result<void> declared = declare(tools, request);
  if (!declared) out.answer = declared.error();
  while (declared && out.rounds < std::max(options.max_rounds, 1)) {
    ++out.rounds;
    out.answer = ask(client, request, options);
    if (!out.answer) break;
    request.messages.push_back(to_message(*out.answer));
    // A long turn at the provider wants to be sent back as it is.
    if (out.answer->stop_reason == StopReason::pause) continue;
    const std::vector<ToolCallPart> calls = calls_of(*out.answer);
    out.finished = calls.empty();
    if (out.finished) break;
    request.messages.push_back(run_all(calls, tools, options.call.stop));
    if (options.call.stop.stop_requested()) {
      out.answer = cancelled_error();
      break;
    }
    demand_no_call(request);
  }
  out.messages = std::move(request.messages);
  return out;
}

}  // namespace llmproxy
