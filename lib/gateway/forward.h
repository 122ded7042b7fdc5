// Passing requests on as they are, whatever they ask: to a backend's whole
// API, or in the words of a dialect that the client gets to see untranslated.
#pragma once

#include <string>
#include <string_view>

#include "gateway/exchange.h"
#include "llmproxy/transport.h"

namespace llmproxy::gateway {

/// Passes the exchange's request on to `backend`, at `rest` below its base
/// URL: method, query, body and headers untouched, but for what belongs to
/// the connection and for keys of ours. The client's own credentials go with
/// it; where it has none, the backend's key.
void forward(Exchange& exchange, const Backend& backend, std::string_view rest);

/// What an answer that is passed on is written in, for counting its tokens;
/// no dialect = nobody can read it.
struct AnswerForm {
  const Dialect* dialect = nullptr;
  RequestContext context = {};
  /// No chat, but an answer of an endpoint of model_paths.h: what it counted
  /// stands in a member of its own, and a redirect is none.
  bool by_model = false;
};

/// Sends `request` and passes the answer on, byte for byte.
void relay_bytes(Exchange& exchange, const Backend& backend,
                 UpstreamRequest request, AnswerForm form);

}  // namespace llmproxy::gateway
