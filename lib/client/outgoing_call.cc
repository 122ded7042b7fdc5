#include "client/outgoing_call.h"

#include <string>
#include <utility>

namespace llmproxy {
namespace {

/// A backend that speaks every dialect is spoken to in the request's own.
const Dialect& dialect_for(const Backend& backend, const ChatRequest& request) {
  if (backend.dialect != nullptr) return *backend.dialect;
  const Dialect* own = find_dialect(request.dialect);
  return own != nullptr ? *own : *dialects().front();
}

}  // namespace

Result<OutgoingCall> prepare_call(const Backend& backend,
                                  const ChatRequest& request, bool stream,
                                  const CallOptions& options) {
  OutgoingCall call;
  call.dialect = &dialect_for(backend, request);
  EncodeOptions encode;
  encode.traits = traits_for(backend, *call.dialect, request.model);
  std::string body;
  ChatRequest copy = request;
  copy.stream = stream;
  LLMPROXY_TRY(call.dialect->encode_request(copy, encode, call.context, body,
                                            call.losses));
  call.request = upstream_request(backend, call.dialect->upstream_path,
                                  std::move(body), stream);
  if (options.deadlines) call.request.deadlines = *options.deadlines;
  if (options.losses != nullptr) {
    options.losses->insert(options.losses->end(), call.losses.begin(),
                           call.losses.end());
  }
  return call;
}

}  // namespace llmproxy
