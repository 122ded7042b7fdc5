// What every canonical request goes through before it is written, whoever
// sends it on: a translation or a Client.
//
//   RequestContext context = context_of(request);
//   LLMPROXY_TRY(prepare(request, *dialect, options, context, losses));
//   LLMPROXY_TRY(dialect->encode_request(request, options, context, ...));
#pragma once

#include <functional>

#include "base/internal_api.h"
#include "llmproxy/chat.h"
#include "llmproxy/dialect.h"
#include "llmproxy/loss.h"
#include "llmproxy/result.h"

LLMPROXY_INTERNAL_BEGIN
namespace llmproxy {

/// What an answer's translation must know of `request`, as its client sent it.
/// Not known here: created, answer_id, answer_model, echo and json_array.
RequestContext context_of(const ChatRequest& request);

/// Brings in what the target would not fetch by itself. Errors: with the place.
using FetchMedia = std::function<Result<void>(ChatRequest& request)>;

/// Brings `request` to what `to` and the model take (chat/fit.h): names and
/// arguments are checked, turns are in order, results stand behind their calls.
/// `context` is told what was renamed or wrapped. `fetch` is called in between,
/// where it is needed; empty = nobody fetches. Errors: invalid_request,
/// unsupported, request_too_large, with the place.
Result<void> prepare(ChatRequest& request, const Dialect& to,
                     const EncodeOptions& options, RequestContext& context,
                     Losses& losses, const FetchMedia& fetch = {});

}  // namespace llmproxy
LLMPROXY_INTERNAL_END
