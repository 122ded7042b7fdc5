// Source: Gemini API reference, "Counting tokens".
#include "gateway/count_tokens.h"

#include <utility>

#include "chat/estimate.h"
#include "gateway/call.h"
#include "gateway/headers.h"
#include "gateway/models.h"
#include "json/json.h"
#include "json/writer.h"

namespace llmproxy::gateway {
namespace {

/// How a dialect asks and is answered.
struct CountRow {
  std::string_view dialect;
  /// Member that may hold the whole request; else the body is it.
  std::string_view wrapper;
  std::string_view upstream_path;
  std::string_view answer;
};
constexpr CountRow kRows[] = {
    {"gemini", "generateContentRequest", "/models/{model}:countTokens",
     "totalTokens"},
};

const CountRow* row_of(const Dialect& dialect) {
  for (const CountRow& row : kRows) {
    if (row.dialect == dialect.name) return &row;
  }
  return nullptr;
}

Result<std::int64_t> estimate(const Dialect& dialect, const CountRow& row,
                              const std::string& body,
                              const std::string& model) {
  json::Document document;
  LLMPROXY_ASSIGN(const json::Value root, document.parse(body));
  const json::Value wrapped = root[row.wrapper];
  RequestHead head;
  head.model = model;
  LLMPROXY_ASSIGN(
      const ParsedRequest parsed,
      ParsedRequest::parse(
          dialect, wrapped.is_object() ? std::string(wrapped.raw()) : body,
          head));
  LLMPROXY_ASSIGN(const ChatRequest request, parsed.decode());
  return estimate_input_tokens(request);
}

void ask_upstream(Exchange& exchange, const CountRow& row,
                  const Backend& backend, const std::string& model) {
  // The model stands where it stands in the path of a chat.
  Dialect counting = exchange.dialect;
  counting.upstream_path = row.upstream_path;
  Call call;
  call.backend = &backend;
  call.client = call.upstream = &exchange.dialect;
  call.request =
      upstream_request(backend, upstream_path(counting, model, false),
                       std::move(exchange.request.body), false);
  forward_request_headers(exchange.dialect, exchange.request.headers,
                          call.request.headers);
  answer_whole(exchange, call);
}

}  // namespace

void count_tokens(Exchange& exchange) {
  Answer& answer = exchange.answer;
  const Dialect& dialect = exchange.dialect;
  const CountRow* row = row_of(dialect);
  const auto match = match_path(dialect, exchange.request.path);
  const auto target = exchange.core.routes().find(match->model);
  const Backend* backend =
      target ? exchange.core.find_backend(target->backend) : nullptr;
  if (row == nullptr || backend == nullptr) {
    return answer.send_error(dialect, unknown_model(match->model));
  }
  if (backend->dialect == &dialect) {
    return ask_upstream(exchange, *row, *backend, target->model);
  }
  const Result<std::int64_t> tokens =
      estimate(dialect, *row, exchange.request.body, target->model);
  if (!tokens) return answer.send_error(dialect, tokens.error());
  std::string body;
  json::Writer w(body);
  w.begin_object();
  w.member(row->answer, *tokens);
  w.end_object();
  answer.send_json(200, {}, body);
}

}  // namespace llmproxy::gateway
