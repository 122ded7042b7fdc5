// Which tools of a request a target gets, what of them, and whether it can be
// told which must be called.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chat/fit_steps.h"
#include "chat/schema.h"
#include "chat/turns.h"
#include "json/json.h"
#include "json/text.h"

namespace llmproxy {
namespace {

/// Names of the tools that may be called; empty = all.
using Allowed = std::set<std::string_view>;

/// By places in request.tools.
using Kept = std::vector<bool>;

bool is_asked(const ChatRequest& request, ToolChoiceMode mode) {
  return request.tool_choice && request.tool_choice->mode == mode;
}

Allowed allowed_names(const ChatRequest& request) {
  if (!request.tool_choice) return {};
  return {request.tool_choice->allowed.begin(),
          request.tool_choice->allowed.end()};
}

bool is_allowed(const Allowed& allowed, const ToolDefinition& tool) {
  return allowed.empty() || allowed.contains(tool.name);
}

/// Hosted tools are their own provider's; some run at a client of the family.
bool is_taken(const FitStep& step, const ToolDefinition& tool) {
  if (tool.kind != ToolKind::hosted || step.keeps_extensions()) return true;
  const auto& rows = step.limits().hosted_tools;
  return step.target.wording == Wording::family &&
         std::any_of(rows.begin(), rows.end(), [&](std::string_view beginning) {
           return tool.hosted_type.starts_with(beginning);
         });
}

/// Asked for nothing but tools that the target lacks: a model without them
/// would make up what they give.
bool asks_for_missing_only(const FitStep& step, const Allowed& allowed) {
  const ChatRequest& request = step.request;
  return !is_asked(request, ToolChoiceMode::none) &&
         std::none_of(request.tools.begin(), request.tools.end(),
                      [&](const ToolDefinition& tool) {
                        return is_taken(step, tool) &&
                               is_allowed(allowed, tool);
                      });
}

Error missing_tool(const FitStep& step, const ToolDefinition& tool,
                   std::string path) {
  const bool named = !tool.name.empty() &&
                     tool.hosted_type.find(tool.name) == std::string::npos;
  const std::string called =
      named ? fmt::format("{} ({})", tool.hosted_type, tool.name)
            : tool.hosted_type;
  return unsupported(
      fmt::format("the tool {} runs at its own provider; {} has no such tool",
                  called, step.limits().target),
      std::move(path));
}

/// Error: unsupported for a tool that runs at another provider, unless the
/// options say to drop those; and also then where nothing else may be called.
Result<Kept> kept_tools(FitStep& step) {
  const Allowed allowed = allowed_names(step.request);
  const bool refuses = !step.target.options->drop_hosted_tools ||
                       asks_for_missing_only(step, allowed);
  const std::vector<ToolDefinition>& tools = step.request.tools;
  Kept kept(tools.size(), false);
  for (std::size_t i = 0; i < tools.size(); ++i) {
    const ToolDefinition& tool = tools[i];
    if (is_taken(step, tool)) {
      kept[i] = step.limits().allowed_tools || is_allowed(allowed, tool);
      continue;
    }
    std::string path = tool.source.text;
    if (refuses) {
      // A member of its own in Chat Completions.
      const bool is_member = tool.hosted_type == "web_search_options";
      return missing_tool(step, tool,
                          is_member ? "/web_search_options" : path + "/type");
    }
    step.drop(std::move(path), step.limits().target,
              "the hosted tool " + tool.hosted_type);
  }
  return kept;
}

/// Errors: unsupported for a choice of a tool that is not kept,
/// invalid_request for one that was never declared.
Result<void> check_named_choice(const FitStep& step, const Kept& kept) {
  const ChatRequest& request = step.request;
  if (!is_asked(request, ToolChoiceMode::named)) return {};
  const ToolDefinition* found = nullptr;
  for (std::size_t i = 0; i < request.tools.size(); ++i) {
    if (request.tools[i].name != request.tool_choice->name) continue;
    if (kept[i]) return {};
    if (found == nullptr) found = &request.tools[i];
  }
  if (found == nullptr) {
    return invalid_request("tool_choice names a tool that is not in tools",
                           "/tool_choice");
  }
  if (found->kind == ToolKind::hosted) {
    return missing_tool(step, *found, "/tool_choice");
  }
  return unsupported(
      "the tool that must be called is not among those that may be called",
      "/tool_choice");
}

/// Where only the tools that may be called are sent: some must be left.
Result<void> check_allowed(const FitStep& step, const Kept& kept) {
  const bool any = std::find(kept.begin(), kept.end(), true) != kept.end();
  if (any || kept.empty() || allowed_names(step.request).empty()) return {};
  return invalid_request("tool_choice allows only tools that are not in tools",
                         "/tool_choice");
}

/// Names of the tools that the history calls, in order.
std::vector<std::string_view> called_tools(const ChatRequest& request) {
  std::vector<std::string_view> names;
  std::set<std::string_view> seen;
  for (const Message& message : request.messages) {
    if (message.role != Role::assistant) continue;
    for (const ContentPart& part : message.content) {
      const auto* call = part.as<ToolCallPart>();
      if (call != nullptr && seen.insert(call->name).second) {
        names.push_back(call->name);
      }
    }
  }
  return names;
}

/// Without a word that forbids calls the tools are left out; where a history
/// with calls needs them, they can be called all the same.
void forbid_calls(FitStep& step, Kept& kept) {
  constexpr std::string_view kChoice = "a choice that forbids calls";
  const bool any = std::find(kept.begin(), kept.end(), true) != kept.end();
  if (step.limits().forbids_calls || !any ||
      !is_asked(step.request, ToolChoiceMode::none)) {
    return;
  }
  const std::string_view target = step.limits().target;
  if (step.limits().tools_of_history && !called_tools(step.request).empty()) {
    return step.change("/tool_choice", target, kChoice,
                       "the model may call tools");
  }
  kept.assign(kept.size(), false);
  step.change("/tools", target, kChoice, "the tools are left out");
}

/// Takes out what is not kept, also of the list of those that may be called.
void erase_tools(FitStep& step, const Kept& kept) {
  std::vector<ToolDefinition>& tools = step.request.tools;
  std::set<std::string, std::less<>> gone;
  std::size_t next = 0;
  for (std::size_t i = 0; i < tools.size(); ++i) {
    if (!kept[i]) {
      gone.insert(std::move(tools[i].name));
      continue;
    }
    if (next != i) tools[next] = std::move(tools[i]);
    ++next;
  }
  tools.resize(next);
  // A hosted tool may be called what one of the client's is called.
  for (const ToolDefinition& tool : tools) gone.erase(tool.name);
  if (gone.empty() || !step.request.tool_choice) return;
  std::erase_if(step.request.tool_choice->allowed,
                [&](const std::string& name) { return gone.contains(name); });
}

/// Where a tool is strict, its schema is one for structured output.
void close_schema(FitStep& step, ToolDefinition& tool) {
  const std::string_view target = step.limits().target;
  Losses told_as_one;
  std::string closed = json::without_whitespace(
      closed_schema(tool.schema, "", target, told_as_one));
  if (closed == json::without_whitespace(tool.schema.text())) return;
  step.change(tool.source.text, target,
              "open objects or limits in strict schemas",
              "objects are closed, limits moved into descriptions");
  tool.schema = json::Trusted::json(std::move(closed));
}

void fit_schema(FitStep& step, ToolDefinition& tool) {
  const SchemaShape shape = step.limits().schema;
  if (shape == SchemaShape::any || tool.kind != ToolKind::function) return;
  // The family's own schemas are what the family takes.
  const bool as_it_is =
      shape == SchemaShape::required || step.target.wording == Wording::family;
  if (as_it_is && !tool.schema.empty()) return;
  tool.schema = tool_schema(step, tool.schema, tool.source.text);
  if (step.limits().closed_schemas && tool.strict == true) {
    close_schema(step, tool);
  }
}

void fit_strict(FitStep& step, ToolDefinition& tool) {
  const bool own = step.target.wording == Wording::own;
  const bool by_model = !step.traits().strict_tools;
  if (by_model || (!step.limits().strict_tools && !own)) {
    // Without the word they are not strict anyway.
    const bool asked = tool.strict == true;
    tool.strict.reset();
    if (!asked) return;
    const std::string who =
        by_model ? step.model() : std::string(step.limits().target);
    return step.change(tool.source.text, who, "strict tools",
                       "arguments may deviate from the schema");
  }
  if (step.limits().strict_unless_said && !own &&
      tool.kind == ToolKind::function && !tool.strict) {
    tool.strict = false;
  }
}

void fit_marker(FitStep& step, ToolDefinition& tool) {
  const DialectLimits& limits = step.limits();
  if (!tool.cache || limits.cache_markers ||
      (limits.cache_breakpoints && step.keeps_extensions())) {
    return;
  }
  step.drop(path_of(*tool.cache, tool.source.text), limits.target,
            "cache markers");
  tool.cache.reset();
}

}  // namespace

RawJson tool_schema(FitStep& step, const RawJson& schema, std::string path) {
  if (step.limits().schema == SchemaShape::object) {
    if (auto united = united_schema(schema)) {
      step.change(std::move(path), step.limits().target,
                  "anyOf, oneOf or allOf at the top of a tool's schema",
                  "the properties of all branches are united");
      return json::Trusted::json(*std::move(united));
    }
  }
  return json::Trusted::json(object_schema(schema));
}

Result<void> fit_tools(FitStep& step) {
  place_tools(step.request.tools);
  if (step.target.wording == Wording::own) return {};
  LLMPROXY_ASSIGN(Kept kept, kept_tools(step));
  LLMPROXY_TRY(check_named_choice(step, kept));
  LLMPROXY_TRY(check_allowed(step, kept));
  forbid_calls(step, kept);
  erase_tools(step, kept);
  return {};
}

void fit_tool_fields(FitStep& step) {
  if (!step.takes_traits()) return;
  for (ToolDefinition& tool : step.request.tools) {
    if (tool.kind == ToolKind::hosted) continue;
    fit_strict(step, tool);
    if (step.target.wording == Wording::own) continue;
    fit_schema(step, tool);
    if (!step.limits().name_spaces || !step.keeps_extensions()) {
      tool.name_space.clear();
    }
    fit_marker(step, tool);
    if (!tool.extensions.empty()) {
      fit_fields(step, tool.extensions, tool.source.text);
    }
  }
}

Result<void> fit_tool_choice(FitStep& step) {
  ChatRequest& request = step.request;
  const bool own = step.target.wording == Wording::own;
  // Without tools it says nothing, and is refused by some. A private one may
  // come yet.
  const bool idle = !own && request.tools.empty() && !request.response_format;
  if (!step.limits().parallel_calls || idle) {
    if (request.parallel_tool_calls == false && !request.tools.empty()) {
      step.drop("/parallel_tool_calls", step.limits().target,
                "a limit of one call at a time");
    }
    request.parallel_tool_calls.reset();
  }
  if (!request.tool_choice || own) return {};
  if (!step.limits().allowed_tools) request.tool_choice->allowed.clear();
  // A choice among nothing is refused by most.
  if (request.tools.empty() || (!step.limits().forbids_calls &&
                                is_asked(request, ToolChoiceMode::none))) {
    request.tool_choice.reset();
  }
  return {};
}

void declare_called_tools(FitStep& step) {
  ChatRequest& request = step.request;
  if (!step.limits().tools_of_history || step.target.wording == Wording::own ||
      !request.tools.empty()) {
    return;
  }
  std::vector<ToolDefinition> tools;
  for (const std::string_view name : called_tools(request)) {
    ToolDefinition tool;
    tool.name = std::string(name);
    tool.description = "Not available any more. Do not call it.";
    tool.schema = json::Trusted::json(object_schema({}));
    tools.push_back(std::move(tool));
  }
  if (tools.empty()) return;
  step.change("/messages", step.limits().target,
              "calls in the history without their tools",
              "the tools are declared as not to be called");
  request.tools = std::move(tools);
}

}  // namespace llmproxy
