// One row per endpoint that is no dialect's, one per dialect's own path.
#include "gateway/endpoints.h"

#include <algorithm>
#include <array>
#include <utility>

#include "gateway/auth.h"
#include "gateway/call.h"
#include "gateway/count_tokens.h"
#include "gateway/forward.h"
#include "gateway/home_page.h"
#include "gateway/known_path.h"
#include "gateway/model_call.h"
#include "gateway/model_paths.h"
#include "gateway/models.h"
#include "gateway/mounts.h"
#include "gateway/page_guard.h"
#include "gateway/provider_chat.h"
#include "gateway/stored_turns.h"

namespace llmproxy::gateway {
namespace {

constexpr int kNoContent = 204;

void report_health(Exchange& exchange) {
  const ServerConfig& server = exchange.core.config().server;
  // Names of backends are for those who may use them.
  const bool known = find_client(server, exchange.request).has_value() &&
                     check_page(server, exchange.request);
  exchange.answer.send_json(200, {},
                            known ? exchange.core.health().report()
                                  : std::string(R"({"status":"ok"})"));
}

void report_alive(Exchange& exchange) {
  exchange.answer.send_json(200, {}, R"({"status":"ok"})");
}

void answer_probe(Exchange& exchange) { exchange.answer.send(200, {}, {}); }

void tell_methods(Exchange& exchange) {
  exchange.answer.send(kNoContent, {{"allow", std::string(kTakenMethods)}}, {});
}

/// Browsers ask for a picture of every site.
void answer_nothing(Exchange& exchange) {
  exchange.answer.send(kNoContent, {}, {});
}

/// What Claude Code tells about itself: taken, and not kept.
void discard(Exchange& exchange) { exchange.answer.send_json(200, {}, "{}"); }

constexpr std::array kEndpoints = {
    Endpoint{"GET", "/v1/models", Key::required, list_models},
    Endpoint{"GET", "/v1/models/", Key::required, get_model, Body::as_sent,
             Tail::name},
    Endpoint{"GET", "/v1beta/models", Key::required, list_models},
    Endpoint{"GET", "/v1beta/models/", Key::required, get_model, Body::as_sent,
             Tail::name},
    Endpoint{"GET", "/v1/responses/", Key::required, get_response},
    Endpoint{"DELETE", "/v1/responses/", Key::required, delete_response},
    Endpoint{"POST", "/v1/chat/", Key::required, answer_provider_chat,
             Body::chat},
    Endpoint{"POST", "/api/event_logging/batch", Key::not_required, discard},
    Endpoint{"POST", "/api/event_logging/v2/batch", Key::not_required, discard},
    Endpoint{"GET", "/health", Key::not_required, report_health},
    Endpoint{"GET", "/healthz", Key::not_required, report_alive},
    Endpoint{"HEAD", "/health", Key::not_required, answer_probe},
    Endpoint{"HEAD", "/healthz", Key::not_required, answer_probe},
    Endpoint{"GET", "/", Key::not_required, show_home_page},
    Endpoint{"GET", "/favicon.ico", Key::not_required, answer_nothing},
    // Agents look whether anybody is there before they send anything.
    Endpoint{"HEAD", "/", Key::not_required, answer_probe},
    Endpoint{"HEAD", "/api/hello", Key::not_required, answer_probe},
    // The server as a whole (RFC 9110, section 9.3.7).
    Endpoint{"OPTIONS", "*", Key::not_required, tell_methods},
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
                               MarkRow{"/model/", "", "bedrock-converse"},
                               MarkRow{"", "anthropic-version", "claude"},
                               MarkRow{"", "x-goog-api-key", "gemini"}};

bool has_path(const Endpoint& endpoint, std::string_view path) {
  const bool open = endpoint.path.size() > 1 && endpoint.path.ends_with('/');
  if (!open) return endpoint.path == path;
  if (!path.starts_with(endpoint.path)) return false;
  path.remove_prefix(endpoint.path.size());
  return !path.empty() && (endpoint.tail == Tail::name ||
                           path.find('/') == std::string_view::npos);
}

const Dialect* dialect_of_path(std::string_view path) {
  for (const Dialect* dialect : dialects()) {
    if (match_path(*dialect, path)) return dialect;
  }
  return nullptr;
}

bool has_word(std::string_view path, std::string_view word) {
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    if (path.substr(0, slash) == word) return true;
    if (slash == std::string_view::npos) return false;
    path.remove_prefix(slash + 1);
  }
  return false;
}

/// A segment of a path that base URLs are made for.
bool is_word(std::string_view word) {
  const auto has_it = [&](std::string_view path) {
    return has_word(path, word);
  };
  for (const Dialect* dialect : dialects()) {
    for (const ClientPath& row : dialect->client_paths) {
      if (has_it(row.pattern)) return true;
    }
  }
  for (const ModelPath& row : model_paths()) {
    if (has_it(row.path)) return true;
  }
  return std::any_of(
      kEndpoints.begin(), kEndpoints.end(), [&](const Endpoint& endpoint) {
        return endpoint.key == Key::required && has_it(endpoint.path);
      });
}

bool is_endpoint(std::string_view path) {
  return !find_endpoint({}, path).allowed.empty();
}

void consider(const Endpoint& endpoint, std::string_view method, Match& match) {
  if (endpoint.method == method) match.endpoint = endpoint;
  if (!match.allowed.empty()) match.allowed += ", ";
  match.allowed += endpoint.method;
}

void forward_to_mount(Exchange& exchange) {
  forward(exchange, *exchange.mount.backend, exchange.request.path);
}

}  // namespace

const Dialect& asking_dialect(std::string_view path, const Headers& headers) {
  if (const Dialect* dialect = dialect_of_path(path)) return *dialect;
  if (const auto model_path = find_model_path(path)) {
    return dialect_of(*model_path->row);
  }
  if (!is_plain_path(path) || !is_endpoint(path)) {
    const auto says_who = [](std::string_view meant) {
      return dialect_of_path(meant) != nullptr || find_model_path(meant);
    };
    const auto meant = known_path(path, {says_who, is_word});
    if (meant) return asking_dialect(*meant, headers);
  }
  for (const MarkRow& row : kMarks) {
    const bool marked = row.header.empty()
                            ? path.starts_with(row.path)
                            : !find_header(headers, row.header).empty();
    if (marked) return *find_dialect(row.dialect);
  }
  return *dialects().front();
}

Match find_endpoint(std::string_view method, std::string_view path) {
  Match match;
  for (const Dialect* dialect : dialects()) {
    const auto found = match_path(*dialect, path);
    if (!found) continue;
    const bool chat = found->path->operation == Operation::chat;
    consider({.method = kChatMethod,
              .path = {},
              .key = Key::required,
              .handle = chat ? answer_chat : count_tokens,
              .body = Body::chat},
             method, match);
    return match;
  }
  if (const auto model_path = find_model_path(path)) {
    consider({.method = kChatMethod,
              .path = {},
              .key = Key::required,
              .handle = answer_by_model,
              .body = Body::chat,
              .uploads = model_path->row->forms},
             method, match);
    return match;
  }
  for (const Endpoint& endpoint : kEndpoints) {
    if (has_path(endpoint, path)) consider(endpoint, method, match);
  }
  return match;
}

Match find_meant(std::string_view method, std::string_view path) {
  Match match;
  if (is_plain_path(path)) match = find_endpoint(method, path);
  if (match.endpoint) return match;
  const auto takes = [method](std::string_view meant) {
    return find_endpoint(method, meant).endpoint.has_value();
  };
  auto meant = known_path(path, {takes, is_word});
  if (!meant && match.allowed.empty()) {
    meant = known_path(path, {is_endpoint, is_word});
    // Who sends something else to the root has a wrong address.
    if (meant == "/") meant.reset();
  }
  if (!meant) return match;
  match = find_endpoint(method, *meant);
  match.path = *std::move(meant);
  return match;
}

Match find_below(const Mount& mount, std::string_view method) {
  Match match;
  const bool forwards = mount.backend != nullptr;
  if (!mount.prefix.empty() || !forwards) {
    match = find_meant(method, mount.rest);
  }
  // What is not ours by its very path is the backend's, but for what clients
  // come for: chats and models.
  if (forwards && !match.path.empty() &&
      !(match.endpoint && match.endpoint->key == Key::required)) {
    match = find_endpoint(method, mount.rest);
  }
  if (match.allowed.empty() && forwards) {
    match.endpoint = Endpoint{.method = method,
                              .path = mount.rest,
                              .key = Key::required,
                              .handle = forward_to_mount,
                              .uploads = true};
  }
  return match;
}

}  // namespace llmproxy::gateway
