// A chat call: from a client's request to the upstream's, and the answers
// that come in one piece.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/exchange.h"
#include "gateway/request_images.h"
#include "gateway/stored_turns.h"
#include "gateway/upstream_answer.h"
#include "llmproxy/translate.h"

namespace llmproxy::gateway {

/// Everything decided about one call before it goes out.
struct Call {
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

/// The endpoint of every dialect's client_path.
void answer_chat(Exchange& exchange);

/// Sets the call's backend: as it is configured, or with what this client
/// brings for it.
void choose_backend(const Exchange& exchange, const Backend& backend,
                    Call& call);
/// Adds to `call.request` what of the client's own headers goes with it.
void pass_headers(const Exchange& exchange, Call& call);
/// How a call to `call.backend` is to be translated; `images` must outlive
/// that.
TranslateOptions options_for(const Exchange& exchange, const Call& call,
                             const std::string& model, RequestImages& images);

/// Where a translation wanted images: fetches them on this thread, which
/// waits, and calls `translate` again, whose time grows with `bytes`. Comes
/// after the limits were asked; an error has cost a request.
Result<void> complete_images(Exchange& exchange, RequestImages& images,
                             std::size_t bytes,
                             const std::function<Result<void>()>& translate);
/// Tells the client that its request is refused, unless it has left.
void refuse_call(Exchange& exchange, const Dialect& dialect,
                 const Error& error);

/// Runs `work` once the upstream may be asked: see UpstreamConfig. Where that
/// takes too long the client is told that we are overloaded.
void when_free(Exchange& exchange, const Backend& backend,
               const std::function<void()>& work);

/// Sends the request and relays an answer that comes in one piece.
void answer_whole(Exchange& exchange, Call& call);
/// Its two halves: the answer whatever its status (the request is freed), and
/// sending it on.
Result<UpstreamAnswer> fetch_whole(Exchange& exchange, Call& call);
void relay_whole(Exchange& exchange, Call& call,
                 Result<UpstreamAnswer> upstream);

/// Headers for the client of an answer that began with `upstream`.
Headers answer_headers(const Exchange& exchange, const Call& call,
                       const Headers& upstream, const Losses& losses);

/// Sends on an upstream's answer whose status is an error (or no answer at
/// all to a chat request, such as a redirect).
void relay_error(Exchange& exchange, const Call& call, UpstreamAnswer upstream);

/// Notes what the upstream counted.
void note_usage(const Usage& usage, RequestRecord& record);

}  // namespace llmproxy::gateway
