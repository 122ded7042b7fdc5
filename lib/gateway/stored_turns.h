// Turns of the Responses API: going on from a stored answer, and storing the
// next. Everything here is about JSON text; the canonical model is not asked.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gateway/exchange.h"
#include "gateway/response_store.h"
#include "llmproxy/translate.h"

namespace llmproxy::gateway {

/// What is needed to store the answer of a turn once it is there.
struct PendingTurn {
  /// The conversation up to the request, as in StoredResponse::items.
  std::string items;
};

/// Reads a client's request. Where it stands for more than it says, `whole`
/// becomes its body with the stored conversation in `input` and without
/// `previous_response_id`. nullopt = the client does not want the answer
/// stored, or it could not be. Errors: not_found (status 400, as this API has
/// it) for an id that is not in the store; request_too_large for more than
/// `max_body_bytes` with what is stored.
Result<std::optional<PendingTurn>> continue_turn(
    const Exchange& exchange, const ParsedRequest& request,
    std::optional<std::string>& whole);

/// True for a request that goes on from an answer which is in the store.
bool goes_on_from_store(const Exchange& exchange, const ParsedRequest& request);

/// Stores the response object `body` with its conversation, if it is a
/// finished one.
void store_turn(const Exchange& exchange, PendingTurn turn,
                std::string_view body);
/// The same from the bytes of a stream that hold its last event.
void store_streamed_turn(const Exchange& exchange, PendingTurn turn,
                         std::string_view bytes);

/// GET and DELETE /v1/responses/{id}, for what is in the store.
void get_response(Exchange& exchange);
void delete_response(Exchange& exchange);

}  // namespace llmproxy::gateway
