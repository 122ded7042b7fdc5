#include "gateway/call_place.h"

#include <memory>
#include <utility>

#include "gateway/credentials.h"
#include "gateway/mounts.h"
#include "gateway/unknown_model.h"

namespace llmproxy::gateway {

Result<Place> find_place(const Exchange& exchange, std::string_view model) {
  const Core& core = exchange.core;
  auto target = core.routes().find(model, exchange.mount.prefix);
  const Backend* backend =
      target ? core.find_backend(target->backend) : nullptr;
  if (backend == nullptr) {
    return unknown_model(core, model, exchange.mount.prefix);
  }
  return Place{*std::move(target), backend};
}

Result<ParsedRequest> parse_request(const Exchange& exchange,
                                    const Dialect& dialect, std::string body) {
  RequestHead head;
  head.path = exchange.request.path;
  head.query = exchange.request.query;
  return ParsedRequest::parse(dialect, std::move(body), head,
                              exchange.core.parse_limits());
}

void choose_backend(const Exchange& exchange, const Backend& backend,
                    UpstreamCall& call) {
  call.backend = &backend;
  call.lends_key = backend.pass_credentials && backend.api_key.empty();
  call.as_client = backend.dialect == nullptr && !is_demo(backend);
  if (!call.lends_key && !call.as_client) return;
  auto own = std::make_shared<Backend>(backend);
  if (call.lends_key) {
    own->api_key = Secret(std::string(
        own_credential(exchange.core.config().server, exchange.request)));
  }
  // In the version of the API that the client asks for.
  if (call.as_client && exchange.has_version) {
    own->path_prefix = version_of(exchange.request.path);
  }
  call.own_backend = std::move(own);
  call.backend = call.own_backend.get();
}

}  // namespace llmproxy::gateway
