// Sources: Gemini API reference, "Counting tokens"; Anthropic API reference,
// "Count Message tokens"; OpenAI API reference, "Get input token counts".
#include "gateway/count_tokens.h"

#include <utility>

#include "chat/estimate.h"
#include "gateway/apart.h"
#include "gateway/call.h"
#include "gateway/destination.h"
#include "gateway/unknown_model.h"
#include "json/json.h"
#include "json/writer.h"
#include "translate/parsed_root.h"

namespace llmproxy::gateway {
namespace {

/// Says that nobody counted.
constexpr std::string_view kEstimated = "x-llmproxy-estimated";

/// How a dialect asks and is answered.
struct CountRow {
  std::string_view dialect;
  /// Member that may hold the whole request; else the body is it.
  std::string_view wrapper;
  /// Member that a chat must have and this need not, as JSON; or empty.
  std::string_view needed_name;
  std::string_view needed;
  std::string_view upstream_path;
  std::string_view answer;
  std::string_view object;  ///< `object` of the answer; or empty
};
constexpr CountRow kRows[] = {
    {"claude", "", "max_tokens", R"("max_tokens":1)", "/messages/count_tokens",
     "input_tokens", ""},
    {"openai-responses", "", "", "", "/responses/input_tokens", "input_tokens",
     "response.input_tokens"},
    {"gemini", "generateContentRequest", "", "", "/models/{model}:countTokens",
     "totalTokens", ""},
};

const CountRow* row_of(const Dialect& dialect) {
  for (const CountRow& row : kRows) {
    if (row.dialect == dialect.name) return &row;
  }
  return nullptr;
}

/// The request that is to be counted, as one of a chat.
Result<std::string> chat_body(const CountRow& row, const std::string& body,
                              const ParseLimits& limits) {
  json::Document document;
  LLMPROXY_ASSIGN(const json::Value root, document.parse_view(body, limits));
  const json::Value wrapped = root[row.wrapper];
  const json::Value inner = wrapped.is_object() ? wrapped : root;
  std::string out(inner.raw());
  if (row.needed.empty() || !inner.is_object() || inner.size() == 0 ||
      inner[row.needed_name]) {
    return out;
  }
  return out.insert(1, std::string(row.needed) + ",");
}

Result<ParsedRequest> parse(const Exchange& exchange, std::string body) {
  RequestHead head;
  head.path = exchange.request.path;
  return ParsedRequest::parse(exchange.dialect, std::move(body), head,
                              exchange.core.parse_limits());
}

Call call_of(Exchange& exchange, const CountRow& row, const Backend& backend,
             const std::string& model) {
  // The model stands where it stands in a chat: in the path or the body.
  Dialect counting = exchange.dialect;
  counting.upstream_path = row.upstream_path;
  // It is asked at most once, and an estimate reads what was parsed before.
  std::string body = std::move(exchange.request.body);
  if (!counting.model_in_path()) {
    const auto parsed = ParsedRoot::borrow(exchange.dialect, body, {},
                                           exchange.core.parse_limits());
    if (parsed) body = parsed->with_model(model);
  }
  Call call;
  choose_backend(exchange, backend, call);
  call.client = call.upstream = &exchange.dialect;
  call.request =
      upstream_request(*call.backend, upstream_path(counting, model, false),
                       std::move(body), false);
  pass_headers(exchange, call);
  return call;
}

/// The upstream is there but has no such operation.
bool cannot_count(const Result<UpstreamAnswer>& answer) {
  constexpr int kStatuses[] = {404, 405, 501};
  for (const int status : kStatuses) {
    if (answer && answer->status == status) return true;
  }
  return false;
}

void send_estimate(Exchange& exchange, const CountRow& row,
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
  Answer& answer = exchange.answer;
  const Dialect& dialect = exchange.dialect;
  const CountRow& row = *row_of(dialect);
  Result<std::string> body =
      chat_body(row, exchange.request.body, exchange.core.parse_limits());
  if (!body) return answer.send_error(dialect, body.error());
  const Result<ParsedRequest> parsed = run_sized(
      body->size(), [&] { return parse(exchange, *std::move(body)); });
  if (!parsed) return answer.send_error(dialect, parsed.error());
  const auto target =
      exchange.core.routes().find(parsed->model(), exchange.mount.prefix);
  const Backend* backend =
      target ? exchange.core.find_backend(target->backend) : nullptr;
  if (backend == nullptr) {
    return answer.send_error(
        dialect,
        unknown_model(exchange.core, parsed->model(), exchange.mount.prefix));
  }
  const bool as_client = backend->dialect == nullptr && !is_demo(*backend);
  if (backend->dialect == &dialect || as_client) {
    Call call = call_of(exchange, row, *backend, target->model);
    const Result<void> near = see_off(exchange, *call.backend, call.request);
    if (!near) return answer.send_error(dialect, near.error());
    Result<UpstreamAnswer> counted = fetch_whole(exchange, call);
    if (!cannot_count(counted)) {
      return relay_whole(exchange, call, std::move(counted));
    }
  }
  run_sized(parsed->body().size(), [&] {
    send_estimate(exchange, row, *parsed);
    return true;
  });
}

}  // namespace llmproxy::gateway
