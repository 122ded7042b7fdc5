#include "chat/prepare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <vector>

#include "chat/custom_tools.h"
#include "chat/estimate.h"
#include "chat/fit.h"
#include "chat/tool_names.h"
#include "chat/turns.h"
#include "json/json.h"
#include "json/value_count.h"

namespace llmproxy {
namespace {

/// Arguments are JSON within a string: they count as one value of the body,
/// and may hold as many again as it.
Result<void> check_arguments(const std::vector<Message>& messages) {
  for (const Message& message : messages) {
    for (const ContentPart& part : message.content) {
      const auto* call = part.as<ToolCallPart>();
      if (call == nullptr || call->custom ||
          !json::has_more_values(call->arguments, kDefaultMaxValues)) {
        continue;
      }
      Error error = invalid_request(
          fmt::format("the arguments of a tool call have more than {} values",
                      kDefaultMaxValues),
          path_of(message));
      error.kind = ErrorKind::request_too_large;
      return error;
    }
  }
  return {};
}

}  // namespace

RequestContext context_of(const ChatRequest& request) {
  RequestContext context;
  context.stream = request.stream;
  context.include_usage = request.include_usage;
  context.legacy_functions = request.legacy_functions;
  context.model = request.model;
  context.stop_sequences = request.stop_sequences;
  // Only streams tell the input before the upstream has. A glance is enough.
  constexpr std::size_t kGlance = std::size_t{64} << 10;
  if (request.stream) {
    context.estimated_input_tokens = estimate_input_tokens(request, kGlance);
  }
  for (const ToolDefinition& tool : request.tools) {
    if (!tool.name.empty()) context.declared_tools.push_back(tool.name);
    if (tool.name_space.empty()) continue;
    // "<namespace>__<name>"
    context.namespaced_tools.push_back(
        {tool.name, tool.name_space,
         tool.name.substr(
             std::min(tool.name.size(), tool.name_space.size() + 2))});
  }
  return context;
}

Result<void> prepare(ChatRequest& request, const Dialect& to,
                     const EncodeOptions& options, RequestContext& context,
                     Losses& losses, const FetchMedia& fetch) {
  const FitTarget target{to.limits, &options, wording_of(request, to)};
  const bool foreign =
      target.wording == Wording::family || target.wording == Wording::foreign;
  if (foreign) LLMPROXY_TRY(refuse_essential(request.extensions));
  LLMPROXY_TRY(check_tool_names(request.tools));
  LLMPROXY_TRY(check_arguments(request.messages));
  LLMPROXY_TRY(drop_empty_turns(request.messages, losses));
  LLMPROXY_TRY(pair_tool_results(request.messages, losses));
  make_call_ids_safe(request.messages);
  if (target.wording != Wording::own) {
    make_call_ids_unique(request.messages, losses);
  }
  if (!to.custom_tools || !options.traits.custom_tools) {
    wrap_custom_tools(request, context, losses);
  }
  const bool letter_first = to.limits != nullptr && to.limits->letter_first &&
                            target.wording != Wording::own;
  alias_tool_names(request, {to.max_tool_name, letter_first}, context);
  if (fetch) LLMPROXY_TRY(fetch(request));
  return fit(request, target, context, losses);
}

}  // namespace llmproxy
