#include "gateway/prepared_call.h"

#include <utility>

#include "gateway/answer_ids.h"
#include "gateway/credentials.h"
#include "gateway/destination.h"
#include "gateway/headers.h"
#include "gateway/limits.h"
#include "gateway/offload.h"

namespace llmproxy::gateway {
namespace {

/// How a call to `call.backend` is to be translated; `images` must outlive
/// that.
TranslateOptions options_for(const Exchange& exchange, const UpstreamCall& call,
                             const std::string& model, RequestImages& images) {
  const TranslateConfig& config = exchange.core.config().translate;
  TranslateOptions options;
  options.strict = config.strict;
  options.clamp_sampling = config.clamp_sampling;
  options.drop_hosted_tools = config.drop_hosted_tools;
  options.drop_prefill = config.drop_prefill;
  options.model = model;
  // What is passed on as it is needs none.
  if (!call.same_dialect()) {
    options.traits = traits_for(*call.backend, *call.upstream, model);
  }
  options.created = unix_now();
  options.answer_id = exchange.answer.record().request_id;
  if (keeps_answers(*call.client)) {
    options.answer_id = new_answer_id();
  }
  options.fetch_image = images.source();
  return options;
}

/// Another endpoint of the same backend's, whose answers come whole.
void lead_to(std::string_view path, const Dialect& dialect,
             std::string_view model, TranslatedRequest& request) {
  Dialect there = dialect;
  there.upstream_path = path;
  request.path = upstream_path(there, model, /*stream=*/false);
  request.query.clear();
  request.headers = upstream_headers(dialect, /*stream=*/false);
}

/// Where a translation wanted images: fetches them, and translates again,
/// which takes as long as the request has bytes.
Result<void> complete_images(Exchange& exchange, CallPlan& plan,
                             RequestImages& images, UpstreamCall& call) {
  if (!images.wanted()) return {};
  Result<void> done = images.fetch(exchange);
  if (done) {
    done = run_sized(plan.request.body().size(),
                     [&] { return fill_call(exchange, plan, images, call); });
  }
  if (!done) refuse_reserved(exchange);
  return done;
}

/// All that takes as long as the body is large.
Result<CallPlan> carry_out(Exchange& exchange, const MakePlan& make,
                           RequestImages& images, UpstreamCall& call) {
  LLMPROXY_ASSIGN(CallPlan plan, make());
  Reading reading = read_for_limits(exchange, plan.request);
  LLMPROXY_TRY(fill_call(exchange, plan, images, call));
  LLMPROXY_TRY(
      reserve(exchange, std::move(reading), exchange.answer.record().backend));
  return plan;
}

}  // namespace

void pass_headers(const Exchange& exchange, UpstreamCall& call) {
  if (!call.same_dialect()) return;
  const ServerConfig& server = exchange.core.config().server;
  Headers& out = call.request.headers;
  const Headers& configured = call.backend->headers;
  forward_request_headers(*call.client, exchange.request.headers, configured,
                          out);
  if (!call.lends_key && !call.as_client) return;
  const OwnCredentials own =
      call.lends_key ? OwnCredentials::passed : OwnCredentials::dropped;
  const Headers passable = passable_headers(server, exchange.request, own);
  const bool as_sent =
      call.lends_key && (call.as_client || has_credential(passable));
  if (as_sent) {
    std::erase_if(out, [&](const Header& header) {
      return is_credential_header(header.name) &&
             find_header(configured, header.name).empty();
    });
  }
  for (const Header& header : passable) {
    const bool wanted =
        is_credential_header(header.name) ? as_sent : call.as_client;
    if (wanted) add_client_header(header, out);
  }
  if (!call.as_client) return;
  const std::string query = passable_query(server, exchange.request, own);
  std::string& url = call.request.url;
  // Where the path has a query already the client's said the same.
  if (!query.empty() && url.find('?') == std::string::npos) url += "?" + query;
}

Result<void> fill_call(const Exchange& exchange, CallPlan& plan,
                       RequestImages& images, UpstreamCall& call) {
  LLMPROXY_ASSIGN(
      TranslatedRequest translated,
      translate_request(std::move(plan.request), *call.upstream,
                        options_for(exchange, call, plan.model, images)));
  if (!plan.path.empty()) {
    lead_to(plan.path, *call.upstream, plan.model, translated);
  }
  call.request = upstream_request(*call.backend, translated);
  if (plan.passes_headers) pass_headers(exchange, call);
  LLMPROXY_TRY(see_off(exchange, *call.backend, call.request));
  call.context = std::move(translated.context);
  call.losses = std::move(translated.losses);
  return {};
}

Result<void> prepare_call(Exchange& exchange, UpstreamCall& call,
                          const MakePlan& make) {
  RequestImages images(exchange.core.config().images, exchange.images);
  LLMPROXY_ASSIGN(CallPlan plan, run_sized(exchange.request.body.size(), [&] {
                    return carry_out(exchange, make, images, call);
                  }));
  LLMPROXY_TRY(complete_images(exchange, plan, images, call));
  exchange.answer.record().losses = call.losses.size();
  return {};
}

}  // namespace llmproxy::gateway
