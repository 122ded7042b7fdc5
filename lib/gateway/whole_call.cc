#include "gateway/whole_call.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "gateway/answer_ids.h"
#include "gateway/backend_error.h"
#include "gateway/details.h"
#include "gateway/ending.h"
#include "gateway/offload.h"
#include "gateway/redact.h"
#include "translate/take_response.h"

namespace llmproxy::gateway {
namespace {

/// Keeps a whole answer.
class Collector final : public ResponseHandler {
 public:
  explicit Collector(const Core& core)
      : max_bytes_(core.config().upstream.max_answer_bytes) {
    answer_.lease = ByteLease(&core.budget());
  }

  void on_head(int status, const Headers& headers) override {
    answer_.status = status;
    answer_.headers = headers;
  }
  Flow on_body(std::string_view bytes) override {
    return collect(bytes, max_bytes_, answer_);
  }
  void on_done(const Result<void>& result) override { result_ = result; }

  Result<UpstreamAnswer> take() {
    const bool error = answer_.status != 0 && !is_success(answer_.status);
    if (answer_.no_room && !error) return no_room();
    if (answer_.cut && !error) return too_large_answer(max_bytes_);
    // The status says more than a broken body behind it.
    if (!result_ && !error) return result_.error();
    remove_bom(answer_.body);
    return std::move(answer_);
  }

 private:
  const std::size_t max_bytes_;
  UpstreamAnswer answer_;
  Result<void> result_;
};

/// Asked of each answer that is passed on: std::string::find stops at each
/// quote.
bool holds_error(std::string_view body) {
  constexpr std::string_view kMember = "\"error\"";
  static const std::boyer_moore_horspool_searcher finder(kMember.begin(),
                                                         kMember.end());
  return std::search(body.begin(), body.end(), finder) != body.end();
}

void relay_answer(Exchange& exchange, UpstreamCall& call,
                  UpstreamAnswer upstream) {
  const BodyForm form = form_of(upstream.body);
  Result<TranslatedResponse> translated = run_sized(upstream.body.size(), [&] {
    return call.same_dialect()
               ? pass_response(*call.upstream, std::move(upstream.body))
               : take_response(*call.upstream, *call.client,
                               std::move(upstream.body), call.context);
  });
  ClientAnswer& answer = exchange.answer;
  Losses losses = call.losses;
  if (translated) {
    losses.insert(losses.end(), translated->losses.begin(),
                  translated->losses.end());
  }
  Headers headers = answer_headers(exchange, call, upstream.headers, losses);
  if (!translated) {
    Error error = unreadable_answer(form, upstream.headers, translated.error());
    redact(*call.backend, exchange.request, error.message);
    return answer.send_error(*call.client, error, std::move(headers));
  }
  note_usage(translated->usage, answer.record());
  answer.record().losses = losses.size();
  if (translated->losses.size() > 0) tell_losses(exchange, translated->losses);
  std::string body = std::move(translated->body);
  // An error in an answer of success is passed on as it is.
  if (call.same_dialect() && holds_error(body)) {
    redact(*call.backend, exchange.request, body);
  }
  if (call.turn) {
    if (call.same_dialect()) {
      AnswerIdChange(call.context.answer_id).apply_to_answer(body);
    }
    store_turn(exchange, *std::move(call.turn), body);
  }
  // Other dialects may say the same at greater length.
  const std::size_t leased = upstream.lease.bytes();
  if (body.size() > leased && !upstream.lease.grow(body.size() - leased)) {
    return answer.send_error(*call.client, no_room(), std::move(headers));
  }
  answer.send_json(upstream.status, std::move(headers), body);
}

}  // namespace

Result<UpstreamAnswer> fetch_whole(Exchange& exchange, UpstreamCall& call) {
  Collector collector(exchange.core);
  const Ending& ending = exchange.core.ending();
  exchange.core.transport_for(*call.backend)
      .perform(call.request, collector,
               [&] { return ending.begun() || exchange.answer.client_gone(); });
  std::string().swap(call.request.body);
  Result<UpstreamAnswer> answer = collector.take();
  if (!answer && ending.begun()) return Ending::error();
  return answer;
}

void relay_whole(Exchange& exchange, UpstreamCall& call,
                 Result<UpstreamAnswer> upstream) {
  ClientAnswer& answer = exchange.answer;
  if (!upstream) {
    if (answer.client_gone()) return answer.note_client_gone();
    Error error = at_backend(*call.backend, upstream.error());
    redact(*call.backend, exchange.request, error.message);
    return answer.send_error(*call.client, error,
                             answer_headers(exchange, call, {}, call.losses));
  }
  if (!is_success(upstream->status)) {
    return relay_error(exchange, call, *std::move(upstream));
  }
  relay_answer(exchange, call, *std::move(upstream));
}

void answer_whole(Exchange& exchange, UpstreamCall& call) {
  relay_whole(exchange, call, fetch_whole(exchange, call));
}

}  // namespace llmproxy::gateway
