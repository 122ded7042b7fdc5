#include "golden/fitted.h"

#include <string_view>
#include <utility>

#include "chat/prepare.h"
#include "chat/turns.h"
#include "llmproxy/validate.h"
#include "support/dump.h"
#include "translate/field_names.h"
#include "translate/parsed_root.h"

namespace llmproxy::testing {
namespace {

void forget_place(std::optional<CacheMarker>& cache) {
  if (cache) cache->source = {};
}

void forget_places(std::vector<ContentPart>& content) {
  for (ContentPart& part : content) {
    part.source = {};
    forget_place(part.cache);
    if (auto* result = part.as<ToolResultPart>()) {
      forget_places(result->content);
    }
  }
}

/// As if no body had been read: nobody's words, places by their index.
void make_by_hand(ChatRequest& request) {
  request.dialect.clear();
  if (request.response_format) request.response_format->source = {};
  for (ToolDefinition& tool : request.tools) {
    tool.source = {};
    forget_place(tool.cache);
  }
  for (Message& message : request.messages) {
    message.source = {};
    forget_places(message.content);
  }
  place_by_hand(request);
}

EncodeOptions encode_options(const Scenario& scenario, const Dialect& to,
                             std::string_view model) {
  EncodeOptions options;
  options.traits = traits_for(to, model);
  for (const Scenario::Trait& trait : scenario.traits) {
    options.traits.*trait.member = trait.value;
  }
  options.clamp_sampling = scenario.options.clamp_sampling;
  options.drop_hosted_tools = scenario.options.drop_hosted_tools;
  options.drop_prefill = scenario.options.drop_prefill;
  return options;
}

/// Of the context, what fit and prepare have told it.
std::string told(const RequestContext& context) {
  std::string out;
  if (!context.json_tool.empty()) {
    out += "json_tool " + context.json_tool + "\n";
  }
  for (const std::string& name : context.custom_tools) {
    out += "wrapped " + name + "\n";
  }
  for (const RequestContext::Alias& alias : context.tool_aliases) {
    out += "alias " + alias.sent + " for " + alias.original + "\n";
  }
  return out;
}

}  // namespace

Result<Fitted> fitted(const Scenario& scenario, const Dialect& to) {
  LLMPROXY_ASSIGN(
      const ParsedRequest parsed,
      ParsedRequest::parse(*scenario.from, scenario.input,
                           head_for(*scenario.from, scenario.path)));
  Fitted out;
  LLMPROXY_ASSIGN(out.request, parsed.decode());
  const FieldNames names(parsed.dialect(), out.request, ParsedRoot::of(parsed));
  if (!scenario.options.model.empty()) {
    out.request.model = scenario.options.model;
  }
  if (scenario.by_hand) {
    make_by_hand(out.request);
    LLMPROXY_TRY(validate(out.request));
  }
  out.context = context_of(out.request);
  out.context.created = kNow;
  out.options = encode_options(scenario, to, out.request.model);
  const Result<void> done =
      prepare(out.request, to, out.options, out.context, out.losses);
  const auto place = [&](const std::string& path) {
    return scenario.by_hand ? path : names.own(path);
  };
  if (!done) {
    Error error = done.error();
    error.path = place(error.path);
    return error;
  }
  for (Loss& loss : out.losses) loss.path = place(loss.path);
  return out;
}

std::string dump(const Result<Fitted>& fitted) {
  if (!fitted) return dump(fitted.error());
  std::string out = dump(fitted->request);
  for (const ToolDefinition& tool : fitted->request.tools) {
    if (tool.name_space.empty()) continue;
    out += "namespace " + tool.name_space + " of " + tool.name + "\n";
  }
  return out + told(fitted->context) + dump(fitted->losses);
}

Result<TranslatedRequest> sent_request(const Scenario& scenario,
                                       const Dialect& to) {
  if (!scenario.by_hand) {
    return translate_request(*scenario.from, to, scenario.input,
                             options_for(scenario, to),
                             head_for(*scenario.from, scenario.path));
  }
  LLMPROXY_ASSIGN(Fitted fit, fitted(scenario, to));
  TranslatedRequest out;
  out.path = upstream_path(to, fit.request.model, fit.request.stream);
  out.context = std::move(fit.context);
  out.losses = std::move(fit.losses);
  LLMPROXY_TRY(to.encode_request(fit.request, fit.options, out.context,
                                 out.body, out.losses));
  return out;
}

}  // namespace llmproxy::testing
