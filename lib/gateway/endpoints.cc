// One row per endpoint that is no dialect's; the others are in the rows of the
// dialects.
#include "gateway/endpoints.h"

#include <algorithm>
#include <array>
#include <utility>

#include "gateway/auth.h"
#include "gateway/chat_call.h"
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
#include "llmproxy/dialect_serving.h"

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

/// The client's headers are those of the dialect's clients.
bool has_mark(const Dialect& dialect, const Headers& headers) {
  return std::any_of(dialect.marks.begin(), dialect.marks.end(),
                     [&](const ClientMark& mark) {
                       return !mark.header.empty() &&
                              !find_header(headers, mark.header).empty();
                     });
}

bool has_mark(const Dialect& dialect, std::string_view path) {
  return std::any_of(dialect.marks.begin(), dialect.marks.end(),
                     [&](const ClientMark& mark) {
                       return !mark.path.empty() && path.starts_with(mark.path);
                     });
}

/// The first dialect that has a mark there.
template <class Where>
const Dialect* marked_by(const Where& where) {
  const auto all = dialects();
  const auto found = std::find_if(
      all.begin(), all.end(),
      [&](const Dialect* dialect) { return has_mark(*dialect, where); });
  return found == all.end() ? nullptr : *found;
}

/// Lists of models, and one of them, as clients of a dialect ask.
struct ListEndpoints {
  Endpoint all;
  Endpoint one;
};

ListEndpoints list_endpoints(std::string_view path) {
  return {{.method = "GET",
           .path = path.substr(0, path.size() - 1),
           .key = Key::required,
           .handle = list_models},
          {.method = "GET",
           .path = path,
           .key = Key::required,
           .handle = get_model,
           .tail = Tail::name}};
}

/// The endpoint for models at `path`, where the dialect has one.
std::optional<Endpoint> model_endpoint(const Dialect& dialect,
                                       std::string_view path) {
  if (dialect.model_list == nullptr) return std::nullopt;
  for (const std::string_view row : dialect.model_list->client_paths) {
    const ListEndpoints endpoints = list_endpoints(row);
    if (has_path(endpoints.all, path)) return endpoints.all;
    if (has_path(endpoints.one, path)) return endpoints.one;
  }
  return std::nullopt;
}

/// The endpoints for an answer that was kept.
std::array<Endpoint, 2> stored_endpoints(const Dialect& dialect) {
  return {
      Endpoint{"GET", dialect.stored_path, Key::required, get_response},
      Endpoint{"DELETE", dialect.stored_path, Key::required, delete_response}};
}

/// Ids have a prefix ("resp_"): a bare word there is an operation that we do
/// not have ("compact").
bool has_stored(const Dialect& dialect, std::string_view path) {
  return !dialect.stored_path.empty() &&
         has_path(stored_endpoints(dialect).front(), path) &&
         path.find('_', dialect.stored_path.size()) != std::string_view::npos;
}

/// Whose models or kept answers the path is about. Of several that have it, the
/// one the headers are of.
const Dialect* dialect_of_things(std::string_view path,
                                 const Headers& headers) {
  const Dialect* first = nullptr;
  for (const Dialect* dialect : dialects()) {
    if (!has_stored(*dialect, path) && !model_endpoint(*dialect, path)) {
      continue;
    }
    if (has_mark(*dialect, headers)) return dialect;
    if (first == nullptr) first = dialect;
  }
  return first;
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
    if (has_it(dialect->stored_path)) return true;
    if (dialect->model_list == nullptr) continue;
    for (const std::string_view path : dialect->model_list->client_paths) {
      if (has_it(path)) return true;
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
  if (const Dialect* dialect = dialect_of_things(path, headers)) {
    return *dialect;
  }
  if (const Dialect* dialect = marked_by(path)) return *dialect;
  if (const Dialect* dialect = marked_by(headers)) return *dialect;
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
  for (const Dialect* dialect : dialects()) {
    if (const auto models = model_endpoint(*dialect, path)) {
      consider(*models, method, match);
      return match;
    }
    if (!has_stored(*dialect, path)) continue;
    for (const Endpoint& endpoint : stored_endpoints(*dialect)) {
      consider(endpoint, method, match);
    }
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
