#include "gateway/chat_call.h"

#include <optional>
#include <string>
#include <utility>

#include "gateway/call_place.h"
#include "gateway/details.h"
#include "gateway/log_text.h"
#include "gateway/prepared_call.h"
#include "gateway/stored_turns.h"
#include "gateway/stream_call.h"
#include "gateway/whole_call.h"
#include "llmproxy/system_edits.h"

namespace llmproxy::gateway {
namespace {

/// `before` is gone when the body that was made of it is read.
Result<ParsedRequest> parse_again(const Exchange& exchange,
                                  ParsedRequest before, std::string body) {
  { const ParsedRequest gone = std::move(before); }
  return parse_request(exchange, exchange.dialect, std::move(body));
}

/// Conversations that the backend does not keep: the request becomes one that
/// says everything, and the answer will be stored.
Result<ParsedRequest> with_state(const Exchange& exchange, ParsedRequest parsed,
                                 UpstreamCall& call) {
  if (!keeps_answers(*call.client)) return parsed;
  if (call.same_dialect() && !is_demo(*call.backend) &&
      !goes_on_from_store(exchange, parsed)) {
    return parsed;
  }
  std::optional<std::string> whole;
  LLMPROXY_ASSIGN(call.turn, continue_turn(exchange, parsed, whole));
  if (!whole) return parsed;
  return parse_again(exchange, std::move(parsed), *std::move(whole));
}

/// The system prompt as the route wants it.
Result<ParsedRequest> with_edits(const Exchange& exchange, ParsedRequest parsed,
                                 const SystemEdits& edits) {
  if (edits.empty()) return parsed;
  LLMPROXY_ASSIGN(std::string body, edit_system(parsed, edits));
  if (body == parsed.body()) return parsed;
  return parse_again(exchange, std::move(parsed), std::move(body));
}

Result<CallPlan> plan_chat(Exchange& exchange, UpstreamCall& call) {
  LLMPROXY_ASSIGN(ParsedRequest parsed,
                  parse_request(exchange, exchange.dialect,
                                std::move(exchange.request.body)));
  RequestRecord& record = exchange.answer.record();
  record.model = short_name(parsed.model());
  record.stream = parsed.stream();
  LLMPROXY_ASSIGN(Place place, find_place(exchange, parsed.model()));
  choose_backend(exchange, *place.backend, call);
  call.route = place.target.route;
  call.client = &exchange.dialect;
  call.upstream =
      call.backend->dialect ? call.backend->dialect : &exchange.dialect;
  call.stream = parsed.stream();
  LLMPROXY_ASSIGN(parsed, with_state(exchange, std::move(parsed), call));
  LLMPROXY_ASSIGN(parsed,
                  with_edits(exchange, std::move(parsed), call.route->system));
  record.backend = call.backend->name;
  record.upstream_model = short_name(place.target.model);
  return CallPlan{.request = std::move(parsed),
                  .model = std::move(place.target.model)};
}

}  // namespace

void answer_chat(Exchange& exchange) {
  UpstreamCall call;
  const Result<void> made =
      prepare_call(exchange, call, [&] { return plan_chat(exchange, call); });
  if (!made) return refuse_call(exchange, exchange.dialect, made.error());
  tell_call(exchange, call);
  when_free(exchange, *call.backend, [&] {
    if (call.stream) {
      StreamCall(exchange, call).run();
    } else {
      answer_whole(exchange, call);
    }
  });
}

}  // namespace llmproxy::gateway
