#include "chat/fit.h"

#include "chat/fit_steps.h"
#include "chat/losses.h"

namespace llmproxy {
namespace {

/// For dialects of a host's that say nothing of their limits.
constexpr DialectLimits kEverything = {.target = "The target",
                                       .omits_thinking = true,
                                       .summary_lengths = true,
                                       .name_spaces = true,
                                       .cache_markers = true,
                                       .citations = true,
                                       .message_names = true};

/// One and the same body: a copy under another name writes it as the original
/// does, and reads it under the original's name.
bool writes_alike(const Dialect& from, const Dialect& to) {
  return from.limits == to.limits && from.encode_request == to.encode_request;
}

bool is_family(const Dialect& from, const Dialect& to) {
  if (from.limits == nullptr || to.limits == nullptr) return false;
  return from.limits == to.limits || (!to.limits->family.empty() &&
                                      from.limits->family == to.limits->family);
}

}  // namespace

Wording wording_of(const ChatRequest& request, const Dialect& to) {
  if (request.dialect.empty()) return Wording::hand;
  if (request.dialect == to.wire_name()) return Wording::own;
  const Dialect* from = find_dialect(request.dialect);
  if (from == nullptr) return Wording::foreign;
  if (writes_alike(*from, to)) return Wording::own;
  return is_family(*from, to) ? Wording::family : Wording::foreign;
}

void FitStep::drop(std::string path, std::string_view who,
                   std::string_view thing) {
  lose(losses, std::move(path), who, thing);
}

void FitStep::change(std::string path, std::string_view who,
                     std::string_view thing, std::string_view became) {
  lose(losses, std::move(path), who, thing, became);
}

Result<void> fit(ChatRequest& request, const FitTarget& target,
                 RequestContext& context, Losses& losses) {
  FitTarget known = target;
  if (known.limits == nullptr) known.limits = &kEverything;
  FitStep step{request, known, context, losses};
  // Words for the model come last among the leading system turns: those are
  // settled before.
  fit_turns(step);
  LLMPROXY_TRY(fit_max_tokens(step));
  LLMPROXY_TRY(fit_tools(step));
  fit_tool_fields(step);
  LLMPROXY_TRY(fit_tool_choice(step));
  fit_thinking(step);
  LLMPROXY_TRY(fit_sampling(step));
  fit_stop_sequences(step);
  fit_format(step);
  fit_identity(step);
  LLMPROXY_TRY(fit_parts(step));
  fit_extensions(step);
  return {};
}

}  // namespace llmproxy
