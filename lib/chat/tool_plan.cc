#include "chat/tool_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "base/bounded.h"
#include "json/json.h"

namespace llmproxy {
namespace {

/// Names of the tools that may be called; empty = all.
using Allowed = std::set<std::string_view>;

Allowed allowed_names(const ChatRequest& request) {
  if (!request.tool_choice) return {};
  return {request.tool_choice->allowed.begin(),
          request.tool_choice->allowed.end()};
}

bool is_allowed(const Allowed& allowed, const ToolDefinition& tool) {
  return allowed.empty() || allowed.contains(tool.name);
}

bool is_taken(const ToolDefinition& tool, const ToolRules& rules) {
  if (tool.kind != ToolKind::hosted || rules.own) return true;
  return rules.takes_hosted && rules.takes_hosted(tool);
}

/// Asked for nothing but tools that the target lacks: a model without them
/// would make up what they give.
bool asks_for_missing_only(const ChatRequest& request, const ToolRules& rules,
                           const Allowed& allowed) {
  if (request.tool_choice &&
      request.tool_choice->mode == ToolChoiceMode::none) {
    return false;
  }
  return std::none_of(request.tools.begin(), request.tools.end(),
                      [&](const ToolDefinition& tool) {
                        return is_taken(tool, rules) &&
                               is_allowed(allowed, tool);
                      });
}

std::string missing_tool(const ToolDefinition& tool,
                         std::string_view provider) {
  const bool named = !tool.name.empty() &&
                     tool.hosted_type.find(tool.name) == std::string::npos;
  const std::string called =
      named ? fmt::format("{} ({})", tool.hosted_type, tool.name)
            : tool.hosted_type;
  return fmt::format(
      "the tool {} runs at its own provider; {} has no such tool", called,
      provider);
}

}  // namespace

Result<std::vector<std::size_t>> plan_tools(const ChatRequest& request,
                                            const EncodeOptions& options,
                                            const ToolRules& rules,
                                            Losses& losses) {
  const Allowed allowed = allowed_names(request);
  const bool refuses = !options.drop_hosted_tools ||
                       asks_for_missing_only(request, rules, allowed);
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < request.tools.size(); ++i) {
    const ToolDefinition& tool = request.tools[i];
    if (is_taken(tool, rules)) {
      const bool offered =
          !rules.offers_allowed_only || is_allowed(allowed, tool);
      if (offered) kept.push_back(i);
      continue;
    }
    const std::string path = json::pointer("/tools", i);
    if (refuses) {
      return unsupported(missing_tool(tool, rules.provider),
                         tool.hosted_type == "web_search_options"
                             ? "/web_search_options"
                             : path + "/type");
    }
    add_loss(losses, {path,
                      fmt::format("the hosted tool {} is not available on "
                                  "this provider",
                                  tool.hosted_type),
                      LossKind::dropped});
  }
  return kept;
}

Result<void> check_named_choice(const ChatRequest& request,
                                const std::vector<std::size_t>& kept,
                                std::string_view provider) {
  if (!request.tool_choice ||
      request.tool_choice->mode != ToolChoiceMode::named) {
    return {};
  }
  const auto named = [&](const ToolDefinition& tool) {
    return tool.name == request.tool_choice->name;
  };
  const auto is_kept = [&](std::size_t i) { return named(request.tools[i]); };
  if (std::any_of(kept.begin(), kept.end(), is_kept)) return {};
  const auto tool =
      std::find_if(request.tools.begin(), request.tools.end(), named);
  if (tool == request.tools.end()) {
    return invalid_request("tool_choice names a tool that is not in tools",
                           "/tool_choice");
  }
  return unsupported(tool->kind == ToolKind::hosted
                         ? missing_tool(*tool, provider)
                         : "the tool that must be called is not among those "
                           "that may be called",
                     "/tool_choice");
}

}  // namespace llmproxy
