#include "client/outgoing_call.h"

#include <string>
#include <utility>

#include "chat/prepare.h"
#include "chat/turns.h"
#include "client/caught.h"
#include "client/transfer_error.h"
#include "llmproxy/validate.h"

namespace llmproxy {
namespace {

/// A backend that speaks every dialect is spoken to in the request's own.
const Dialect& dialect_for(const Backend& backend, const ChatRequest& request) {
  if (backend.dialect != nullptr) return *backend.dialect;
  const Dialect* own = find_dialect(request.dialect);
  return own != nullptr ? *own : *dialects().front();
}

/// A backend is put together by the caller, who is told what it lacks.
Result<void> check_backend(const Backend& backend) {
  const std::string name =
      backend.name.empty() ? "the backend" : "the backend " + backend.name;
  if (backend.provider == nullptr) {
    return invalid_request(name + " has no provider");
  }
  if (backend.base_url.empty()) {
    return invalid_request(name + " has no base URL");
  }
  const std::string_view dialect = backend.provider->dialect;
  if (backend.dialect == nullptr && !dialect.empty()) {
    return invalid_request(name +
                           " has an unknown dialect: " + std::string(dialect));
  }
  return {};
}

}  // namespace

Result<OutgoingCall> prepare_call(const Backend& backend, ChatRequest request,
                                  bool stream, const CallOptions& options) {
  if (options.stop.stop_requested()) return cancelled_error();
  LLMPROXY_TRY(check_backend(backend));
  LLMPROXY_TRY(validate(request));
  place_by_hand(request);
  OutgoingCall call;
  call.dialect = &dialect_for(backend, request);
  request.stream = stream;
  call.context = context_of(request);
  EncodeOptions encode;
  encode.traits = traits_for(backend, *call.dialect, request.model);
  LLMPROXY_TRY(
      prepare(request, *call.dialect, encode, call.context, call.losses));
  std::string body;
  LLMPROXY_TRY(call.dialect->encode_request(request, encode, call.context, body,
                                            call.losses));
  const auto thrown = failed("the sign function of the backend", [&] {
    call.request = upstream_request(
        backend, upstream_path(*call.dialect, request.model, stream),
        std::move(body), stream);
  });
  if (thrown) return *thrown;
  if (call.request.url.empty()) {
    return invalid_request(
        "the request's URL is not on the host of the backend's base URL");
  }
  if (options.deadlines) call.request.deadlines = *options.deadlines;
  add_losses(call.losses, options.losses);
  return call;
}

void add_losses(const Losses& from, Losses* to) {
  if (to != nullptr) to->insert(to->end(), from.begin(), from.end());
}

}  // namespace llmproxy
