// One row per endpoint that is no dialect's, one per dialect's own path.
#include "gateway/endpoints.h"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "gateway/auth.h"
#include "gateway/call.h"
#include "gateway/cors.h"
#include "gateway/count_tokens.h"
#include "gateway/exchange.h"
#include "gateway/forward.h"
#include "gateway/limits.h"
#include "gateway/models.h"
#include "gateway/mounts.h"
#include "gateway/provider_chat.h"
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
  const ServerConfig& server = exchange.core.config().server;
  // Names of backends are for those who may use them.
  const bool known = find_client(server, exchange.request).has_value();
  exchange.answer.send_json(200, {},
                            known ? exchange.core.health().report()
                                  : std::string(R"({"status":"ok"})"));
}

void report_alive(Exchange& exchange) {
  exchange.answer.send_json(200, {}, R"({"status":"ok"})");
}

void answer_probe(Exchange& exchange) { exchange.answer.send(200, {}, {}); }

/// What Claude Code tells about itself: taken, and not kept.
void discard(Exchange& exchange) { exchange.answer.send_json(200, {}, "{}"); }

constexpr std::array kEndpoints = {
    Endpoint{"GET", "/v1/models", Key::required, list_models},
    Endpoint{"GET", "/v1/models/", Key::required, get_model},
    Endpoint{"GET", "/v1beta/models", Key::required, list_models},
    Endpoint{"GET", "/v1beta/models/", Key::required, get_model},
    Endpoint{"GET", "/v1/responses/", Key::required, get_response},
    Endpoint{"DELETE", "/v1/responses/", Key::required, delete_response},
    Endpoint{"POST", "/v1/chat/", Key::required, answer_provider_chat},
    Endpoint{"POST", "/api/event_logging/batch", Key::not_required, discard},
    Endpoint{"POST", "/api/event_logging/v2/batch", Key::not_required, discard},
    Endpoint{"GET", "/health", Key::not_required, report_health},
    Endpoint{"GET", "/healthz", Key::not_required, report_alive},
    Endpoint{"HEAD", "/health", Key::not_required, answer_probe},
    Endpoint{"HEAD", "/healthz", Key::not_required, answer_probe},
    // Agents look whether anybody is there before they send anything.
    Endpoint{"HEAD", "/", Key::not_required, answer_probe},
    Endpoint{"HEAD", "/api/hello", Key::not_required, answer_probe},
};

constexpr std::string_view kChatMethod = "POST";

/// What gives a client away where the path is no dialect's: how it begins, or
/// a header.
struct MarkRow {
  std::string_view path;
  std::string_view header;
  std::string_view dialect;
};
constexpr std::array kMarks = {MarkRow{"/v1beta/", "", "gemini"},
                               MarkRow{"", "anthropic-version", "claude"},
                               MarkRow{"", "x-goog-api-key", "gemini"}};

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
    const bool marked = row.header.empty()
                            ? request.path.starts_with(row.path)
                            : !find_header(request.headers, row.header).empty();
    if (marked) return *find_dialect(row.dialect);
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

/// An operation of a dialect's, or one of the endpoints above.
Match find_endpoint(std::string_view method, std::string_view path) {
  Match match;
  if (const Dialect* dialect = dialect_of_path(path)) {
    const auto operation = match_path(*dialect, path)->path->operation;
    consider({kChatMethod, path, Key::required,
              operation == Operation::chat ? answer_chat : count_tokens},
             method, match);
    return match;
  }
  for (const Endpoint& endpoint : kEndpoints) {
    if (has_path(endpoint, path)) consider(endpoint, method, match);
  }
  return match;
}

void forward_to_mount(Exchange& exchange) {
  forward(exchange, *exchange.mount.backend, exchange.request.path);
}

/// What is below a mount: endpoints of ours again, else the backend's API.
Match find_below(const Mount& mount, std::string_view method) {
  Match match;
  if (!mount.prefix.empty() || mount.backend == nullptr) {
    match = find_endpoint(method, mount.rest);
  }
  if (match.allowed.empty() && mount.backend != nullptr) {
    match.endpoint =
        Endpoint{method, mount.rest, Key::required, forward_to_mount};
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

/// Codex asks for a websocket first, and for nothing else when it is told
/// that there is none.
bool wants_websocket(const HttpRequest& request) {
  return same_header_name(find_header(request.headers, "upgrade"), "websocket");
}

Error no_websocket() {
  Error error = client_error(ErrorKind::invalid_request,
                             "there are no websockets here; send a POST");
  error.status = 426;
  return error;
}

Error foreign_page() {
  return client_error(ErrorKind::permission_denied,
                      "web pages of this origin may not ask: name it in "
                      "server.cors.origins, or ask for client keys");
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
  answer.add_headers(cors_headers(core.config().server.cors, request));
  if (is_preflight(request)) {
    return answer_preflight(core.config().server.cors, request, answer);
  }
  if (is_foreign_page(core.config().server, request)) {
    return answer.send_error(asking_dialect(request), foreign_page());
  }
  if (wants_websocket(request)) {
    return answer.send_error(asking_dialect(request), no_websocket());
  }
  if (Interceptor* interceptor = core.hooks().interceptor) {
    const Dialect& spoken = asking_dialect(request);
    const Result<void> allowed = interceptor->on_request(request, spoken);
    if (!allowed) return answer.send_error(spoken, allowed.error());
  }
  Match match = find_endpoint(request.method, request.path);
  Mount mount;
  if (match.allowed.empty()) mount = find_mount(core, request.path);
  if (mount) {
    match = find_below(mount, request.method);
    request.path = mount.rest;
  }
  const Dialect& dialect = asking_dialect(request);
  answer.record().client_dialect = dialect.name;
  if (!match.endpoint && match.allowed.empty()) {
    return answer.send_error(dialect, no_such_path());
  }
  if (!match.endpoint) {
    return answer.send_error(dialect, wrong_method(match.allowed),
                             {{"allow", match.allowed}});
  }
  const Result<std::uint64_t> client = admit(core, *match.endpoint, request);
  if (!client) return answer.send_error(dialect, client.error());
  const std::size_t tail = match.endpoint->path.size();
  Exchange exchange{core,    std::move(request), answer, dialect, {},
                    *client, std::move(mount),   {}};
  exchange.tail = exchange.request.path;
  exchange.tail.remove_prefix(tail);
  match.endpoint->handle(exchange);
  if (exchange.reservation) {
    settle(core, answer.record(), *exchange.reservation);
  }
}

}  // namespace llmproxy::gateway
