#include "gateway/count_tokens.h"

#include <utility>

#include "chat/estimate.h"
#include "gateway/call_place.h"
#include "gateway/offload.h"
#include "gateway/prepared_call.h"
#include "gateway/whole_call.h"
#include "json/json.h"
#include "json/writer.h"
#include "llmproxy/dialect_serving.h"

namespace llmproxy::gateway {
namespace {

/// Says that nobody counted.
constexpr std::string_view kEstimated = "x-llmproxy-estimated";

/// The request that is to be counted, as one of a chat.
Result<std::string> chat_body(const CountTokens& row, const std::string& body,
                              const ParseLimits& limits) {
  json::Document document;
  LLMPROXY_ASSIGN(const json::Value root, document.parse_view(body, limits));
  const json::Value wrapped =
      row.wrapper.empty() ? json::Value() : root[row.wrapper];
  const json::Value inner = wrapped.is_object() ? wrapped : root;
  std::string out(inner.raw());
  if (row.needed.empty() || !inner.is_object() || inner.size() == 0 ||
      inner[row.needed_name]) {
    return out;
  }
  return out.insert(1, std::string(row.needed) + ",");
}

/// Counting is neither limited nor fits anything: the dialects are the same.
Result<void> make_call(Exchange& exchange, const CountTokens& row,
                       Place&& place, UpstreamCall& call) {
  choose_backend(exchange, *place.backend, call);
  call.client = call.upstream = &exchange.dialect;
  LLMPROXY_ASSIGN(ParsedRequest parsed,
                  parse_request(exchange, exchange.dialect,
                                std::move(exchange.request.body)));
  RequestImages none(exchange.core.config().images, exchange.images);
  CallPlan plan{.request = std::move(parsed),
                .model = std::move(place.target.model),
                .path = row.upstream_path};
  return fill_call(exchange, plan, none, call);
}

/// The upstream is there but has no such operation.
bool cannot_count(const Result<UpstreamAnswer>& answer) {
  constexpr int kStatuses[] = {404, 405, 501};
  for (const int status : kStatuses) {
    if (answer && answer->status == status) return true;
  }
  return false;
}

void send_estimate(Exchange& exchange, const CountTokens& row,
                   const ParsedRequest& parsed) {
  const Result<ChatRequest> request = parsed.decode();
  if (!request) {
    return exchange.answer.send_error(exchange.dialect, request.error());
  }
  std::string body;
  json::Writer w(body);
  w.begin_object();
  w.member_if("object", row.object);
  w.member(row.answer, estimate_input_tokens(*request));
  w.end_object();
  exchange.answer.send_json(200, {{std::string(kEstimated), "true"}}, body);
}

}  // namespace

void count_tokens(Exchange& exchange) {
  ClientAnswer& answer = exchange.answer;
  const Dialect& dialect = exchange.dialect;
  const CountTokens row =
      dialect.count_tokens != nullptr ? *dialect.count_tokens : CountTokens();
  Result<std::string> body =
      chat_body(row, exchange.request.body, exchange.core.parse_limits());
  if (!body) return answer.send_error(dialect, body.error());
  const std::size_t bytes = body->size();
  const Result<ParsedRequest> parsed = run_sized(bytes, [&] {
    return parse_request(exchange, dialect, *std::move(body));
  });
  if (!parsed) return answer.send_error(dialect, parsed.error());
  Result<Place> place = find_place(exchange, parsed->model());
  if (!place) return answer.send_error(dialect, place.error());
  const Backend& backend = *place->backend;
  const bool as_client = backend.dialect == nullptr && !is_demo(backend);
  if ((backend.dialect == &dialect || as_client) &&
      !row.upstream_path.empty()) {
    // It is asked at most once, and an estimate reads what was parsed before.
    UpstreamCall call;
    const Result<void> made = run_sized(bytes, [&] {
      return make_call(exchange, row, *std::move(place), call);
    });
    if (!made) return answer.send_error(dialect, made.error());
    Result<UpstreamAnswer> counted = fetch_whole(exchange, call);
    if (!cannot_count(counted)) {
      return relay_whole(exchange, call, std::move(counted));
    }
  }
  run_sized(bytes, [&] {
    send_estimate(exchange, row, *parsed);
    return true;
  });
}

}  // namespace llmproxy::gateway
