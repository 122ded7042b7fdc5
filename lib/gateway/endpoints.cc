// One row per endpoint that is no dialect's, one per dialect's own path.
#include "gateway/endpoints.h"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "gateway/auth.h"
#include "gateway/call.h"
#include "gateway/count_tokens.h"
#include "gateway/exchange.h"
#include "gateway/models.h"
#include "gateway/stored_turns.h"

namespace llmproxy::gateway {
namespace {

enum class Key : std::uint8_t { required, not_required };

struct Endpoint {
  std::string_view method;
  std::string_view path;  ///< a final "/" takes anything behind it, not none
  Key key;
  void (*handle)(Exchange& exchange);
};

void report_health(Exchange& exchange) {
  exchange.answer.send_json(200, {}, R"({"status":"ok"})");
}

void answer_probe(Exchange& exchange) { exchange.answer.send(200, {}, {}); }

/// What Claude Code tells about itself: taken, and not kept.
void discard(Exchange& exchange) { exchange.answer.send_json(200, {}, "{}"); }

constexpr std::array kEndpoints = {
    Endpoint{"GET", "/v1/models", Key::required, list_models},
    Endpoint{"GET", "/v1/models/", Key::required, get_model},
    Endpoint{"GET", "/v1/responses/", Key::required, get_response},
    Endpoint{"DELETE", "/v1/responses/", Key::required, delete_response},
    Endpoint{"POST", "/api/event_logging/batch", Key::not_required, discard},
    Endpoint{"POST", "/api/event_logging/v2/batch", Key::not_required, discard},
    Endpoint{"GET", "/health", Key::not_required, report_health},
    Endpoint{"GET", "/healthz", Key::not_required, report_health},
    Endpoint{"HEAD", "/health", Key::not_required, answer_probe},
    Endpoint{"HEAD", "/healthz", Key::not_required, answer_probe},
    // Agents look whether anybody is there before they send anything.
    Endpoint{"HEAD", "/", Key::not_required, answer_probe},
    Endpoint{"HEAD", "/api/hello", Key::not_required, answer_probe},
};

constexpr std::string_view kChatMethod = "POST";

/// Headers that give a client away where the path does not.
struct MarkRow {
  std::string_view header;
  std::string_view dialect;
};
constexpr std::array kMarks = {MarkRow{"anthropic-version", "claude"}};

bool has_path(const Endpoint& endpoint, std::string_view path) {
  const bool open = endpoint.path.size() > 1 && endpoint.path.ends_with('/');
  if (!open) return endpoint.path == path;
  return path.size() > endpoint.path.size() && path.starts_with(endpoint.path);
}

const Dialect* dialect_of_path(std::string_view path) {
  for (const Dialect* dialect : dialects()) {
    if (match_path(*dialect, path)) return dialect;
  }
  return nullptr;
}

const Dialect& asking_dialect(const HttpRequest& request) {
  if (const Dialect* dialect = dialect_of_path(request.path)) return *dialect;
  for (const MarkRow& row : kMarks) {
    if (find_header(request.headers, row.header).empty()) continue;
    if (const Dialect* dialect = find_dialect(row.dialect)) return *dialect;
  }
  return *dialects().front();
}

/// What a request's path and method lead to.
struct Match {
  std::optional<Endpoint> endpoint;
  std::string allowed;  ///< methods of the path, comma-separated
};

void consider(const Endpoint& endpoint, std::string_view method, Match& match) {
  if (endpoint.method == method) match.endpoint = endpoint;
  if (!match.allowed.empty()) match.allowed += ", ";
  match.allowed += endpoint.method;
}

Match find_endpoint(const HttpRequest& request) {
  Match match;
  if (const Dialect* dialect = dialect_of_path(request.path)) {
    const auto operation = match_path(*dialect, request.path)->path->operation;
    consider({kChatMethod, request.path, Key::required,
              operation == Operation::chat ? answer_chat : count_tokens},
             request.method, match);
  }
  for (const Endpoint& endpoint : kEndpoints) {
    if (has_path(endpoint, request.path)) {
      consider(endpoint, request.method, match);
    }
  }
  return match;
}

Error client_error(ErrorKind kind, std::string message) {
  Error error;
  error.kind = kind;
  error.fault = Fault::client;
  error.message = std::move(message);
  return error;
}

Error no_such_path() {
  return client_error(ErrorKind::not_found, "there is no such path");
}

Error wrong_method(const std::string& allowed) {
  Error error =
      client_error(ErrorKind::invalid_request, "this path takes " + allowed);
  error.status = 405;
  return error;
}

// Why a request may not reach its endpoint, if it may not.
Result<std::uint64_t> admit(const Core& core, const Endpoint& endpoint,
                            const HttpRequest& request) {
  const ServerConfig& server = core.config().server;
  const auto client = find_client(server, request);
  if (endpoint.key == Key::required && !client) {
    return client_error(ErrorKind::unauthenticated,
                        "a valid key is required, as authorization: Bearer, "
                        "x-api-key, x-goog-api-key, api-key or ?key=");
  }
  if (request.body.size() > server.max_body_bytes) {
    return client_error(
        ErrorKind::request_too_large,
        fmt::format("the body is larger than {} bytes", server.max_body_bytes));
  }
  return client.value_or(0);
}

}  // namespace

void dispatch(const Core& core, HttpRequest request, Answer& answer) {
  const Dialect& dialect = asking_dialect(request);
  answer.record().client_dialect = dialect.name;
  const Match match = find_endpoint(request);
  if (!match.endpoint && match.allowed.empty()) {
    return answer.send_error(dialect, no_such_path());
  }
  if (!match.endpoint) {
    return answer.send_error(dialect, wrong_method(match.allowed),
                             {{"allow", match.allowed}});
  }
  const Result<std::uint64_t> client = admit(core, *match.endpoint, request);
  if (!client) return answer.send_error(dialect, client.error());
  Exchange exchange{core, std::move(request), answer, dialect, {}, *client};
  exchange.tail = exchange.request.path;
  exchange.tail.remove_prefix(match.endpoint->path.size());
  match.endpoint->handle(exchange);
}

}  // namespace llmproxy::gateway
