// UpstreamCall: everything decided about one request before it goes out, and
// what all calls have in common on their way. How one is made: prepared_call.h.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "gateway/exchange.h"
#include "gateway/stored_turns.h"
#include "gateway/upstream_answer.h"
#include "llmproxy/translate.h"

namespace llmproxy::gateway {

struct UpstreamCall {
  const Backend* backend = nullptr;
  /// The backend as it is for this call alone, where it is not as configured.
  std::shared_ptr<const Backend> own_backend;
  /// The client's own credentials are for this backend.
  bool lends_key = false;
  /// The backend speaks whatever its clients do: a proxy in the plain sense.
  bool as_client = false;
  /// What led here; null where the client named the backend.
  const Route* route = nullptr;
  const Dialect* client = nullptr;
  const Dialect* upstream = nullptr;
  bool stream = false;
  UpstreamRequest request;
  RequestContext context;
  Losses losses;
  /// Set when the answer is to be stored.
  std::optional<PendingTurn> turn;

  /// Both sides speak the same: bytes pass through.
  bool same_dialect() const { return client == upstream; }
};

/// Answers of this API may be kept, and are asked for by their ids.
inline bool keeps_answers(const Dialect& client) {
  return !client.stored_path.empty();
}

/// Tells the client that its request is refused, unless it has left.
void refuse_call(Exchange& exchange, const Dialect& dialect,
                 const Error& error);

/// Runs `work` once the upstream may be asked: see UpstreamConfig. Where that
/// takes too long the client is told that we are overloaded.
void when_free(Exchange& exchange, const Backend& backend,
               const std::function<void()>& work);

/// Headers for the client of an answer that began with `upstream`.
Headers answer_headers(const Exchange& exchange, const UpstreamCall& call,
                       const Headers& upstream, const Losses& losses);

/// Sends on an upstream's answer whose status is an error (or no answer at
/// all to a chat request, such as a redirect).
void relay_error(Exchange& exchange, const UpstreamCall& call,
                 UpstreamAnswer upstream);

/// Notes what the upstream counted.
void note_usage(const Usage& usage, RequestRecord& record);

}  // namespace llmproxy::gateway
