#include "chat/tool_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "json/json.h"

namespace llmproxy {
namespace {

bool is_allowed(const ChatRequest& request, const ToolDefinition& tool) {
  if (!request.tool_choice || request.tool_choice->allowed.empty()) return true;
  const auto& allowed = request.tool_choice->allowed;
  return std::find(allowed.begin(), allowed.end(), tool.name) != allowed.end();
}

bool is_taken(const ToolDefinition& tool, const ToolRules& rules) {
  if (tool.kind != ToolKind::hosted || rules.own) return true;
  return rules.takes_hosted && rules.takes_hosted(tool);
}

}  // namespace

Result<std::vector<std::size_t>> plan_tools(const ChatRequest& request,
                                            const EncodeOptions& options,
                                            const ToolRules& rules,
                                            Losses& losses) {
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < request.tools.size(); ++i) {
    const ToolDefinition& tool = request.tools[i];
    if (is_taken(tool, rules)) {
      const bool offered =
          !rules.offers_allowed_only || is_allowed(request, tool);
      if (offered) kept.push_back(i);
      continue;
    }
    const std::string path = json::pointer("/tools", i);
    if (!options.drop_hosted_tools) {
      return unsupported(
          fmt::format("the tool {} runs at its own provider and is not "
                      "available on this one",
                      tool.hosted_type),
          tool.hosted_type == "web_search_options" ? "/web_search_options"
                                                   : path + "/type");
    }
    losses.push_back({path,
                      fmt::format("the hosted tool {} is not available on "
                                  "this provider",
                                  tool.hosted_type),
                      LossKind::dropped});
  }
  return kept;
}

Result<void> check_named_choice(const ChatRequest& request,
                                const std::vector<std::size_t>& kept) {
  if (!request.tool_choice ||
      request.tool_choice->mode != ToolChoiceMode::named) {
    return {};
  }
  const auto named = [&](const ToolDefinition& tool) {
    return tool.name == request.tool_choice->name;
  };
  const auto is_kept = [&](std::size_t i) { return named(request.tools[i]); };
  if (std::any_of(kept.begin(), kept.end(), is_kept)) return {};
  if (std::any_of(request.tools.begin(), request.tools.end(), named)) {
    return unsupported("the tool that must be called is not available",
                       "/tool_choice");
  }
  return invalid_request("tool_choice names a tool that is not in tools",
                         "/tool_choice");
}

}  // namespace llmproxy
