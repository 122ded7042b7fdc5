#include "gateway/model_call.h"

#include <memory>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "client/key_header.h"
#include "gateway/call_place.h"
#include "gateway/destination.h"
#include "gateway/forward.h"
#include "gateway/headers.h"
#include "gateway/limits.h"
#include "gateway/log_text.h"
#include "gateway/model_body.h"
#include "gateway/model_paths.h"
#include "gateway/models.h"
#include "gateway/offload.h"
#include "gateway/prepared_call.h"
#include "gateway/unknown_model.h"

namespace llmproxy::gateway {
namespace {

constexpr std::string_view kContentType = "content-type";
constexpr std::string_view kAccept = "accept";

/// Where a request goes.
struct ModelLead {
  ModelBody body;
  std::string model;  ///< as the client says it, or the API's usual one
  Target target;
  const Backend* backend = nullptr;
};

Error no_model(const ModelPath& row) {
  std::string message = "model is required; GET /v1/models lists the models";
  if (!row.usual_model.empty()) {
    message += fmt::format(
        ". (The API's usual model here, '{}', is not served)", row.usual_model);
  }
  return invalid_request(std::move(message), "/model");
}

Error other_form(const ModelPath& row, std::string_view model,
                 const Backend& backend) {
  return unsupported(
      fmt::format("{} needs a backend that speaks {}; the model '{}' is at the "
                  "backend '{}', which speaks {}",
                  row.path, row.api, short_name(model), backend.name,
                  backend.dialect->title),
      "/model");
}

Error not_in_demo(const ModelPath& row) {
  return unsupported(
      fmt::format("the built-in demo answers chats and embeddings, not {}; "
                  "configure a backend for the model",
                  row.path),
      "/model");
}

/// The route of the request's model; no backend = there is none.
Result<ModelLead> find_lead(const Exchange& exchange,
                            const ModelPathMatch& match) {
  ModelLead lead;
  LLMPROXY_ASSIGN(lead.body, read_model_body(exchange.request, match,
                                             exchange.core.parse_limits()));
  const ModelPath& row = *match.row;
  lead.model =
      lead.body.model.empty() ? std::string(row.usual_model) : lead.body.model;
  if (lead.model.empty()) return lead;
  const auto target =
      exchange.core.routes().find(lead.model, exchange.mount.prefix);
  if (!target) return lead;
  lead.target = *target;
  lead.backend = exchange.core.find_backend(target->backend);
  return lead;
}

Result<void> check_lead(const Exchange& exchange, const ModelPath& row,
                        const ModelLead& lead) {
  if (lead.backend == nullptr) {
    return lead.body.model.empty() ? no_model(row)
                                   : unknown_model(exchange.core, lead.model,
                                                   exchange.mount.prefix);
  }
  if (!speaks(row.api, lead.backend->dialect)) {
    return other_form(row, lead.model, *lead.backend);
  }
  if (is_demo(*lead.backend) && !row.demo) return not_in_demo(row);
  return {};
}

/// With the model, encoded, where `pattern` has "{model}".
std::string path_for(std::string pattern, std::string_view model) {
  constexpr std::string_view kModel = "{model}";
  const std::size_t at = pattern.find(kModel);
  if (at == std::string::npos) return pattern;
  return pattern.replace(at, kModel.size(), percent_encoded(model));
}

void add_header(std::string_view name, std::string_view value,
                Headers& headers) {
  headers.push_back({std::string(name), std::string(value)});
}

Result<void> fill_request(Exchange& exchange, const ModelPath& row,
                          ModelLead& lead, UpstreamCall& call) {
  HttpRequest& client = exchange.request;
  UpstreamRequest& out = call.request;
  out.url = upstream_url(
      *call.backend, path_for(std::string(row.upstream), lead.target.model));
  const bool form = has_form(client);
  add_header(kContentType,
             form ? find_header(client.headers, kContentType)
                  : std::string_view("application/json"),
             out.headers);
  const std::string_view accept = find_header(client.headers, kAccept);
  add_header(kAccept, is_header_value(accept) ? accept : "*/*", out.headers);
  add_header("accept-encoding", "identity", out.headers);
  add_backend_headers(*call.backend, out.headers);
  out.body = std::move(client.body);
  out.large_body = std::move(client.large_body);
  if (lead.target.model != lead.model) {
    edit_body(edits_for(lead.body, lead.target.model), out.body,
              out.large_body);
  }
  out.deadlines = call.backend->deadlines;
  authorize(*call.backend, out);
  pass_headers(exchange, call);
  return see_off(exchange, *call.backend, out);
}

Result<void> make_call(Exchange& exchange, const ModelPath& row,
                       ModelLead& lead, UpstreamCall& call) {
  LLMPROXY_TRY(check_lead(exchange, row, lead));
  choose_backend(exchange, *lead.backend, call);
  call.client = call.upstream = &exchange.dialect;
  RequestRecord& record = exchange.answer.record();
  record.backend = call.backend->name;
  record.upstream_model = short_name(lead.target.model);
  Reading reading;
  reading.model = lead.model;
  reading.user = lead.body.user;
  reading.bytes = reading.characters =
      static_cast<std::size_t>(lead.body.text_bytes);
  LLMPROXY_TRY(fill_request(exchange, row, lead, call));
  return reserve(exchange, std::move(reading), record.backend);
}

}  // namespace

void answer_by_model(Exchange& exchange) {
  const auto match = find_model_path(exchange.request.path);
  RequestRecord& record = exchange.answer.record();
  const std::size_t bytes = body_bytes(exchange.request);
  Result<ModelLead> lead =
      run_sized(bytes, [&] { return find_lead(exchange, *match); });
  // Below a prefix all goes on that is not about one of its models.
  const Backend* below = exchange.mount.backend;
  if (below != nullptr && (!lead || lead->backend == nullptr)) {
    return forward(exchange, *below, exchange.request.path);
  }
  if (!lead) return refuse_call(exchange, exchange.dialect, lead.error());
  record.model = short_name(lead->model);
  record.stream = lead->body.stream;
  UpstreamCall call;
  const Result<void> made = run_sized(
      bytes, [&] { return make_call(exchange, *match->row, *lead, call); });
  if (!made) return refuse_call(exchange, exchange.dialect, made.error());
  when_free(exchange, *call.backend, [&] {
    relay_bytes(exchange, *call.backend, std::move(call.request),
                {.by_model = true});
  });
}

}  // namespace llmproxy::gateway
