// Each check gives a refusal or nothing; the first refusal is the answer.
#include "gateway/dispatch.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "gateway/auth.h"
#include "gateway/content_coding.h"
#include "gateway/cors.h"
#include "gateway/endpoints.h"
#include "gateway/headers.h"
#include "gateway/hops.h"
#include "gateway/key_error.h"
#include "gateway/known_path.h"
#include "gateway/limits.h"
#include "gateway/model_body.h"
#include "gateway/offload.h"
#include "gateway/page_guard.h"
#include "gateway/path_errors.h"
#include "wire/parameters.h"

namespace llmproxy::gateway {
namespace {

constexpr std::string_view kContentEncoding = "content-encoding";

/// Why a request goes no further.
struct Refusal {
  Error error;
  Headers headers;
};
using Refused = std::optional<Refusal>;

Refusal refusal(ErrorKind kind, std::string message, int status = 0,
                Headers headers = {}) {
  Error error;
  error.kind = kind;
  error.fault = Fault::client;
  error.message = std::move(message);
  error.status = status;
  return {std::move(error), std::move(headers)};
}

// --- Before anything is looked up ------------------------------------------

/// TRACE shows a client what was sent in its name, keys included; CONNECT asks
/// for a tunnel [RFC 9110, sections 9.3.6 and 9.3.8].
constexpr std::array<std::string_view, 3> kNeverServed = {"TRACE", "TRACK",
                                                          "CONNECT"};

Refused refused_method(const Core&, const HttpRequest& request) {
  if (!is_header_name(request.method)) {
    return refusal(ErrorKind::invalid_request, "this is not an HTTP method");
  }
  const bool refused = std::any_of(
      kNeverServed.begin(), kNeverServed.end(), [&](std::string_view method) {
        return same_header_name(request.method, method);
      });
  if (!refused) return {};
  return refusal(ErrorKind::invalid_request, "this method is not supported",
                 405, {{"allow", std::string(kTakenMethods)}});
}

/// Part of a target as RFC 9112, section 3.2.1, has it: no character that
/// others take for the end of something. Only a query holds a "?".
bool is_target_part(std::string_view text, bool query) {
  return std::none_of(text.begin(), text.end(), [query](unsigned char c) {
    return c <= ' ' || c >= 0x7f || c == '#' || c == '\\' ||
           (c == '?' && !query);
  });
}

/// A path becomes the end of a URL: it begins with a slash, or it would
/// become a part of the host. A host's server may hand over anything; nothing
/// below looks again.
Refused bad_target(const Core&, const HttpRequest& request) {
  const std::string_view path = request.path;
  const bool whole_server = path == "*" && request.method == "OPTIONS";
  if ((path.starts_with('/') || whole_server) && is_target_part(path, false) &&
      is_target_part(request.query, true)) {
    return {};
  }
  return refusal(
      ErrorKind::invalid_request,
      "the path must begin with / and must not contain spaces, # or \\");
}

/// Any header may be passed on, and a line break in it would begin another
/// [RFC 9110, section 5.5]. A host's server may hand over anything here, too.
Refused bad_header(const Core&, const HttpRequest& request) {
  for (const Header& header : request.headers) {
    if (!is_header_name(header.name)) {
      return refusal(ErrorKind::invalid_request,
                     "the name of a header is not a token");
    }
    if (wire::has_control(header.value)) {
      return refusal(
          ErrorKind::invalid_request,
          fmt::format("the header {} holds a control character", header.name));
    }
  }
  return {};
}

/// What load balancers ask, by whatever name they know us; tells nothing.
bool is_probe(const HttpRequest& request) {
  if (request.method != "GET" && request.method != "HEAD") return false;
  const Match match = find_endpoint(request.method, request.path);
  return match.endpoint && match.endpoint->key == Key::not_required;
}

Refused foreign_page(const Core& core, const HttpRequest& request) {
  const Result<void> page = check_page(core.config().server, request);
  if (page || is_probe(request)) return {};
  return Refusal{page.error(), {}};
}

Refused loop(const Core& core, const HttpRequest& request) {
  const Result<void> straight = check_hops(core, request);
  if (straight) return {};
  return Refusal{straight.error(), {}};
}

/// Codex asks for a websocket first, and for nothing else when it is told
/// that there is none.
Refused websocket(const Core&, const HttpRequest& request) {
  if (!same_header_name(find_header(request.headers, "upgrade"), "websocket")) {
    return {};
  }
  return refusal(ErrorKind::invalid_request,
                 "websockets are not supported; send a POST", 426);
}

Refused shut_down(const Core& core, const HttpRequest&) {
  if (!core.ending().begun()) return {};
  return Refusal{Ending::error(), {}};
}

using Check = Refused (*)(const Core& core, const HttpRequest& request);
constexpr std::array<Check, 7> kChecks = {
    shut_down,    refused_method, bad_target, bad_header,
    foreign_page, loop,           websocket};

Refused refused_at_once(const Core& core, const HttpRequest& request) {
  for (const Check check : kChecks) {
    Refused refused = check(core, request);
    if (refused) return refused;
  }
  return {};
}

// --- Where it goes, and who asks -------------------------------------------

/// What a request leads to, as far as its head tells.
struct Lead {
  Match match;
  Mount mount;
  const Dialect* dialect = nullptr;
  std::uint64_t client = 0;  ///< see find_client
  Refused refused;
};

/// The path as its endpoint knows it.
const std::string& endpoint_path(const Lead& lead, const HttpRequest& request) {
  if (!lead.match.path.empty()) return lead.match.path;
  return lead.mount ? lead.mount.rest : request.path;
}

Refused no_endpoint(const HttpRequest& request, const Lead& lead) {
  if (lead.match.endpoint) return {};
  const std::string& allowed = lead.match.allowed;
  if (allowed.empty()) {
    return Refusal{unknown_path(request, *lead.dialect, lead.mount), {}};
  }
  const auto verb =
      unknown_verb(request, *lead.dialect, endpoint_path(lead, request));
  if (verb) return Refusal{*verb, {}};
  return Refusal{wrong_method(request, allowed), {{"allow", allowed}}};
}

Refused unknown_coding(const HttpRequest& request, const Endpoint& endpoint) {
  if (endpoint.body == Body::as_sent) return {};
  const Result<void> known = check_codings(request.headers);
  if (known) return {};
  // RFC 9110, section 15.5.16.
  return Refusal{known.error(),
                 {{"accept-encoding", std::string(kTakenCodings)}}};
}

Refused no_key(const Core& core, const HttpRequest& request, Lead& lead) {
  const auto client = find_client(core.config().server, request);
  if (lead.match.endpoint->key == Key::required && !client) {
    return Refusal{key_error(*lead.dialect, request), {}};
  }
  lead.client = client.value_or(0);
  return {};
}

/// A prefix behind a base URL that ended in a slash ("//team-a/v1/messages").
/// Nothing is passed on under such a name.
void find_behind_slashes(const Core& core, const HttpRequest& request,
                         Lead& lead) {
  const std::size_t first = request.path.find_first_not_of('/');
  if (first == std::string::npos || first < 2) return;
  Mount mount = find_mount(core, request.path.substr(first - 1));
  if (mount.prefix.empty()) return;
  mount.backend = nullptr;
  lead.match = find_below(mount, request.method);
  lead.mount = std::move(mount);
}

/// `spoken`: see asking_dialect.
Lead find_lead(const Core& core, const HttpRequest& request,
               const Dialect& spoken) {
  Lead lead;
  lead.match = find_endpoint(request.method, request.path);
  if (lead.match.allowed.empty()) {
    lead.mount = find_mount(core, request.path);
  }
  if (lead.mount) {
    lead.match = find_below(lead.mount, request.method);
  } else if (!lead.match.endpoint || !is_plain_path(request.path)) {
    lead.match = find_meant(request.method, request.path);
    if (lead.match.allowed.empty()) find_behind_slashes(core, request, lead);
  }
  const bool as_sent = !lead.mount && lead.match.path.empty();
  lead.dialect =
      as_sent ? &spoken
              : &asking_dialect(endpoint_path(lead, request), request.headers);
  lead.refused = no_endpoint(request, lead);
  if (!lead.refused) lead.refused = no_key(core, request, lead);
  if (!lead.refused) {
    lead.refused = unknown_coding(request, *lead.match.endpoint);
  }
  return lead;
}

bool is_upload(const Endpoint& endpoint, const HttpRequest& request) {
  return endpoint.uploads && has_form(request);
}

Refused too_large_body(const Core& core, const HttpRequest& request,
                       const Endpoint& endpoint) {
  const ServerConfig& server = core.config().server;
  const std::size_t limit = is_upload(endpoint, request)
                                ? server.max_upload_bytes
                                : server.max_body_bytes;
  if (body_bytes(request) <= limit) return {};
  return refusal(ErrorKind::request_too_large,
                 fmt::format("the body is larger than {} bytes", limit));
}

/// For endpoints that take no uploads; an interceptor may have led there.
Result<void> hold(HttpRequest& request) {
  const std::shared_ptr<const LargeBody> body = std::move(request.large_body);
  request.large_body = nullptr;
  request.body.resize(static_cast<std::size_t>(body->size()));
  for (std::size_t at = 0; at < request.body.size();) {
    const std::size_t got =
        body->read(at, request.body.data() + at, request.body.size() - at);
    if (got > 0) {
      at += got;
      continue;
    }
    Error error;
    error.kind = ErrorKind::internal;
    error.message = "the request's body could not be read";
    return error;
  }
  return {};
}

void send(const Dialect& dialect, const Refusal& refused,
          ClientAnswer& answer) {
  answer.send_error(dialect, refused.error, refused.headers);
}

/// A body that is read here, as its reader wants it.
Result<void> make_readable(const Core& core, HttpRequest& request,
                           ByteLease& lease) {
  const bool plain = find_header(request.headers, kContentEncoding).empty();
  const auto unpack_body = [&] {
    return readable_body(request.headers, std::move(request.body),
                         core.config().server.max_body_bytes, lease);
  };
  // What a small packed body becomes is not known before.
  LLMPROXY_ASSIGN(request.body,
                  plain ? unpack_body() : run_sized(kLargeBody, unpack_body));
  if (!plain) {
    std::erase_if(request.headers, [](const Header& header) {
      return same_header_name(header.name, kContentEncoding);
    });
  }
  return {};
}

void answer_at_endpoint(const Core& core, HttpRequest&& request, Lead&& lead,
                        ClientAnswer& answer) {
  const Endpoint endpoint = *lead.match.endpoint;
  const std::size_t tail = endpoint.path.size();
  const std::string path = endpoint_path(lead, request);
  const std::string asked = std::exchange(request.path, path);
  ByteLease unpacked(&core.budget());
  const bool upload = is_upload(endpoint, request);
  if (request.large_body && !upload) {
    const Result<void> held =
        run_sized(body_bytes(request), [&] { return hold(request); });
    if (!held) return answer.send_error(*lead.dialect, held.error());
  }
  if (endpoint.body == Body::chat && !upload) {
    const Result<void> readable = make_readable(core, request, unpacked);
    if (!readable) return answer.send_error(*lead.dialect, readable.error());
  }
  Exchange exchange{
      core,        std::move(request),   answer, *lead.dialect, {},
      lead.client, std::move(lead.mount)};
  exchange.has_version = lead.match.path.empty() || names_version(asked);
  exchange.images = ByteLease(&core.budget());
  exchange.tail = exchange.request.path;
  exchange.tail.remove_prefix(tail);
  endpoint.handle(exchange);
  if (exchange.reservation) {
    settle(core, answer.record(), *exchange.reservation);
  }
}

}  // namespace

bool may_come_in(const Core& core, const HttpRequest& head) {
  if (is_preflight(head) || refused_at_once(core, head)) return false;
  // What an interceptor makes of the head is not known yet.
  if (core.hooks().interceptor != nullptr) return true;
  return !find_lead(core, head, asking_dialect(head.path, head.headers))
              .refused;
}

bool takes_large_body(const Core& core, const HttpRequest& head) {
  if (!has_form(head)) return false;
  // Whoever is refused by the head is told so before; an interceptor may let
  // them in.
  const Lead lead =
      find_lead(core, head, asking_dialect(head.path, head.headers));
  return lead.match.endpoint && is_upload(*lead.match.endpoint, head);
}

void dispatch(const Core& core, HttpRequest&& request, ClientAnswer& answer) {
  answer.add_headers(cors_headers(core.config().server.cors, request));
  const Dialect* spoken = &asking_dialect(request.path, request.headers);
  if (is_preflight(request)) {
    return answer_preflight(core.config().server.cors, request, *spoken,
                            answer);
  }
  if (const Refused refused = refused_at_once(core, request)) {
    return send(*spoken, *refused, answer);
  }
  if (Interceptor* interceptor = core.hooks().interceptor) {
    const Result<void> allowed = interceptor->on_request(request, *spoken);
    if (!allowed) return answer.send_error(*spoken, allowed.error());
    // It may have changed anything.
    if (const Refused refused = bad_target(core, request)) {
      return send(*spoken, *refused, answer);
    }
    spoken = &asking_dialect(request.path, request.headers);
  }
  Lead lead = find_lead(core, request, *spoken);
  answer.record().client_dialect = lead.dialect->name;
  if (!lead.refused) {
    lead.refused = too_large_body(core, request, *lead.match.endpoint);
  }
  if (lead.refused) return send(*lead.dialect, *lead.refused, answer);
  answer_at_endpoint(core, std::move(request), std::move(lead), answer);
}

}  // namespace llmproxy::gateway
