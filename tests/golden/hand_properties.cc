// Properties of requests that are made by hand. See properties.h.
#include <algorithm>
#include <string>

#include "chat/fit.h"
#include "golden/fitted.h"
#include "golden/properties.h"
#include "golden/request_rules.h"
#include "support/dump.h"

namespace llmproxy::testing {
namespace {

/// Extensions and hosted tools of a program are its own affair.
bool is_plain(const ChatRequest& request) {
  const auto plain = [](const auto& one) { return one.extensions.empty(); };
  return plain(request) &&
         std::all_of(request.tools.begin(), request.tools.end(),
                     [&](const ToolDefinition& tool) {
                       return plain(tool) && tool.kind != ToolKind::hosted;
                     }) &&
         std::all_of(request.messages.begin(), request.messages.end(),
                     [&](const Message& message) {
                       return plain(message) &&
                              std::all_of(message.content.begin(),
                                          message.content.end(), plain);
                     });
}

/// What was fitted once fits: nothing is changed or lost again, but that a
/// budget that an effort became is shown.
void fits(const Dialect& to, Fitted fit, Report& report) {
  ChatRequest before = fit.request;
  const FitTarget target{to.limits, &fit.options, wording_of(before, to)};
  Losses losses;
  const Result<void> again =
      llmproxy::fit(fit.request, target, fit.context, losses);
  const std::string name(to.name);
  before.reasoning.display.clear();
  fit.request.reasoning.display.clear();
  report.property(
      again && losses.empty() && fit.request == before, "fitted again",
      name + ": " +
          (again ? dump(losses) + dump(fit.request) : dump(again.error())));
}

void send(const Scenario& scenario, const Dialect& to, Report& report) {
  const Result<Fitted> fit = fitted(scenario, to);
  const Result<TranslatedRequest> sent = sent_request(scenario, to);
  if (!sent) {
    report.property(
        !sent.error().message.empty() && sent.error().fault == Fault::client,
        "refusal is explained", dump(sent.error()));
    return;
  }
  const std::string rule =
      is_plain(fit->request)
          ? broken_request_rule(to, fit->options.traits, sent->body)
          : "";
  report.property(rule.empty(), "server rules",
                  std::string(to.name) + ": " + rule);
  fits(to, *fit, report);
}

}  // namespace

void check_hand_made(const Scenario& scenario, Report& report) {
  for (const Dialect* to : dialects()) send(scenario, *to, report);
}

}  // namespace llmproxy::testing
