// Bedrock InvokeModel: requests, both ways.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "dialects/bedrock/tables.h"

namespace llmproxy::bedrock {
namespace {

/// Anthropic's tools that run on Anthropic's own servers; Bedrock has none.
constexpr std::array<std::string_view, 4> kServerTools = {
    "web_search", "web_fetch", "code_execution", "mcp_toolset"};

bool is_server_tool(const ToolDefinition& tool) {
  return tool.kind == ToolKind::hosted &&
         std::any_of(kServerTools.begin(), kServerTools.end(),
                     [&](std::string_view name) {
                       return tool.hosted_type.starts_with(name);
                     });
}

}  // namespace

/// What is read is a request of the claude dialect: the body is its own.
Result<ChatRequest> decode_request(const json::Value& body,
                                   const RequestHead& head) {
  const json::Value version = body["anthropic_version"];
  if (!version.absent() && !version.is_string()) {
    return invalid_request(fmt::format("anthropic_version must be a string, "
                                       "not {}",
                                       to_string(version.type())),
                           "/anthropic_version");
  }
  LLMPROXY_ASSIGN(ChatRequest request, claude::decode_request(body, head));
  std::erase_if(request.extensions, [](const Extension& extension) {
    return extension.name == "anthropic_version";
  });
  return request;
}

Result<void> encode_request(const ChatRequest& request,
                            const EncodeOptions& options,
                            RequestContext& context, std::string& out,
                            Losses& losses) {
  ChatRequest sent = request;
  sent.tools.clear();
  for (std::size_t i = 0; i < request.tools.size(); ++i) {
    const ToolDefinition& tool = request.tools[i];
    if (!is_server_tool(tool)) {
      sent.tools.push_back(tool);
      continue;
    }
    const std::string path = json::pointer("/tools", i);
    if (!options.drop_hosted_tools) {
      return unsupported(fmt::format("the tool {} runs at Anthropic and is not "
                                     "available on Bedrock",
                                     tool.hosted_type),
                         path + "/type");
    }
    losses.push_back({path,
                      fmt::format("the hosted tool {} is not available on "
                                  "Bedrock",
                                  tool.hosted_type),
                      LossKind::dropped});
  }
  const auto chosen = [&](const ToolDefinition& tool) {
    return tool.name == request.tool_choice->name;
  };
  const bool named =
      request.tool_choice && request.tool_choice->mode == ToolChoiceMode::named;
  if (named &&
      std::any_of(request.tools.begin(), request.tools.end(), chosen) &&
      std::none_of(sent.tools.begin(), sent.tools.end(), chosen)) {
    return unsupported("the tool that must be called is not available",
                       "/tool_choice");
  }
  if (sent.tools.empty()) sent.tool_choice.reset();
  return claude::encode_body(sent, options, context, claude::Wire::bedrock, out,
                             losses);
}

}  // namespace llmproxy::bedrock
