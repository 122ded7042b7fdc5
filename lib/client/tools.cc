#include "llmproxy/tools.h"

#include <algorithm>
#include <utility>

#include "client/transfer_error.h"

namespace llmproxy {
namespace {

constexpr std::string_view kNoArguments = R"({"type":"object"})";

void declare(const std::vector<Tool>& tools, ChatRequest& request) {
  for (const Tool& tool : tools) {
    std::erase_if(request.tools, [&](const ToolDefinition& definition) {
      return definition.name == tool.name;
    });
    ToolDefinition definition;
    definition.name = tool.name;
    definition.description = tool.description;
    definition.schema.text = tool.schema.empty() ? kNoArguments : tool.schema;
    request.tools.push_back(std::move(definition));
  }
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
  std::vector<ToolCallPart> calls;
  if (!may_run(answer.stop_reason)) return calls;
  for (const ContentPart& part : answer.content) {
    if (const auto* call = part.as<ToolCallPart>()) calls.push_back(*call);
  }
  return calls;
}

ContentPart run(const ToolCallPart& call, const std::vector<Tool>& tools) {
  ToolResultPart result;
  result.call_id = call.id;
  std::string text;
  const auto tool =
      std::find_if(tools.begin(), tools.end(),
                   [&](const Tool& each) { return each.name == call.name; });
  if (tool == tools.end() || !tool->run) {
    text = "there is no tool '" + call.name + "'";
    result.is_error = true;
  } else if (Result<std::string> said = tool->run(call.arguments)) {
    text = *std::move(said);
  } else {
    text = said.error().message;
    result.is_error = true;
  }
  result.content.push_back({TextPart{std::move(text), {}}, {}, {}});
  return {std::move(result), {}, {}};
}

/// All results stand in one message, in the order of the calls.
Result<Message> run_all(const std::vector<ToolCallPart>& calls,
                        const std::vector<Tool>& tools,
                        const std::stop_token& stop) {
  Message results;
  results.role = Role::user;
  for (const ToolCallPart& call : calls) {
    if (stop.stop_requested()) return cancelled_error();
    results.content.push_back(run(call, tools));
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
  declare(tools, request);
  ToolRun out{cancelled_error(), {}, 0, false};
  while (out.rounds < std::max(options.max_rounds, 1)) {
    ++out.rounds;
    out.answer = ask(client, request, options);
    if (!out.answer) break;
    Message said;
    said.role = Role::assistant;
    said.content = out.answer->content;
    request.messages.push_back(std::move(said));
    // A long turn at the provider wants to be sent back as it is.
    if (out.answer->stop_reason == StopReason::pause) continue;
    const std::vector<ToolCallPart> calls = calls_of(*out.answer);
    out.finished = calls.empty();
    if (out.finished) break;
    Result<Message> results = run_all(calls, tools, options.call.stop);
    if (!results) {
      out.answer = std::move(results).error();
      break;
    }
    request.messages.push_back(*std::move(results));
    demand_no_call(request);
  }
  out.messages = std::move(request.messages);
  return out;
}

}  // namespace llmproxy
