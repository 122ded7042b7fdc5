#include "gateway/call.h"

#include <utility>

#include "gateway/backend_error.h"
#include "gateway/ending.h"
#include "gateway/headers.h"
#include "gateway/redact.h"

namespace llmproxy::gateway {

void refuse_call(Exchange& exchange, const Dialect& dialect,
                 const Error& error) {
  if (error.kind == ErrorKind::cancelled) {
    return exchange.answer.note_client_gone();
  }
  exchange.answer.send_error(dialect, error);
}

void when_free(Exchange& exchange, const Backend& backend,
               const std::function<void()>& work) {
  Slots& slots = exchange.core.slots();
  ClientAnswer& answer = exchange.answer;
  const Ending& ending = exchange.core.ending();
  const bool free = slots.take(backend.deadlines.first_byte, [&] {
    return ending.begun() || answer.client_gone();
  });
  if (!free) {
    if (answer.client_gone()) return answer.note_client_gone();
    if (ending.begun()) {
      return answer.send_error(exchange.dialect, Ending::error());
    }
    Error error;
    error.kind = ErrorKind::overloaded;
    error.message = "too many requests are being answered; try again";
    error.retry_after = "1";
    return answer.send_error(exchange.dialect, error);
  }
  const SlotGuard guard(slots);
  work();
}

Headers answer_headers(const Exchange& exchange, const UpstreamCall& call,
                       const Headers& upstream, const Losses& losses) {
  Headers headers =
      relay_response_headers(*call.client, *call.upstream, upstream,
                             exchange.answer.record().request_id);
  if (!upstream.empty()) redact(*call.backend, exchange.request, headers);
  add_loss_header(losses, headers);
  return headers;
}

void relay_error(Exchange& exchange, const UpstreamCall& call,
                 UpstreamAnswer upstream) {
  redact(*call.backend, exchange.request, upstream.body);
  redact(*call.backend, exchange.request, upstream.headers);
  ClientAnswer& answer = exchange.answer;
  Headers headers =
      answer_headers(exchange, call, upstream.headers, call.losses);
  if (upstream.status < 400) {
    return answer.send_error(*call.client, no_answer(upstream),
                             std::move(headers));
  }
  const TranslatedError translated =
      explained(exchange, call, upstream,
                translate_error(*call.upstream, *call.client, upstream.status,
                                upstream.headers, upstream.body));
  add_retry_after(*call.client, translated.error, headers);
  answer.send_json(translated.status, std::move(headers), translated.body);
}

void note_usage(const Usage& usage, RequestRecord& record) {
  record.input_tokens = usage.input_tokens;
  record.output_tokens = usage.output_tokens;
  record.cached_tokens = usage.cached_input_tokens;
}

}  // namespace llmproxy::gateway
