#include "gateway/cors.h"

#include <algorithm>
#include <array>
#include <string>

#include "gateway/headers.h"

namespace llmproxy::gateway {
namespace {

constexpr std::string_view kAny = "*";
constexpr std::string_view kMethods = "GET, HEAD, POST, PUT, PATCH, DELETE";
constexpr int kNoContent = 204;
constexpr int kForbidden = 403;

bool is_configured(const CorsConfig& cors, std::string_view origin) {
  return std::any_of(
      cors.origins.begin(), cors.origins.end(),
      [&](const std::string& row) { return row == kAny || row == origin; });
}

constexpr std::array<std::string_view, 3> kOwnMachine = {"localhost",
                                                         "127.0.0.1", "[::1]"};

/// Host of an http or https origin; empty for all others ("null", "file://",
/// "vscode-webview://...").
std::string_view web_host(std::string_view origin) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!origin.starts_with(scheme)) continue;
    origin.remove_prefix(scheme.size());
    // An IPv6 address has colons of its own, inside brackets.
    const std::size_t bracket = origin.find(']');
    const std::size_t from =
        bracket == std::string_view::npos ? 0 : bracket + 1;
    return origin.substr(0, origin.find(':', from));
  }
  return {};
}

}  // namespace

Headers cors_headers(const CorsConfig& cors, const HttpRequest& request) {
  if (cors.origins.empty()) return {};
  Headers out = {{"vary", "origin"}};
  const std::string_view origin = find_header(request.headers, "origin");
  if (!is_header_value(origin) || !is_configured(cors, origin)) return out;
  // Credentials mode is never allowed: keys are sent by the page itself.
  out.push_back({"access-control-allow-origin", std::string(origin)});
  out.push_back({"access-control-expose-headers", "*"});
  return out;
}

bool is_foreign_page(const ServerConfig& server, const HttpRequest& request) {
  if (!server.client_keys.empty() || !server.client_access_keys.empty()) {
    return false;
  }
  const std::string_view origin = find_header(request.headers, "origin");
  const std::string_view host = web_host(origin);
  if (host.empty() || is_configured(server.cors, origin)) return false;
  return std::find(kOwnMachine.begin(), kOwnMachine.end(), host) ==
         kOwnMachine.end();
}

bool is_preflight(const HttpRequest& request) {
  return request.method == "OPTIONS" &&
         !find_header(request.headers, "origin").empty() &&
         !find_header(request.headers, "access-control-request-method").empty();
}

void answer_preflight(const CorsConfig& cors, const HttpRequest& request,
                      Answer& answer) {
  if (!is_configured(cors, find_header(request.headers, "origin"))) {
    return answer.send(kForbidden, {}, {});
  }
  Headers headers = {
      {"access-control-allow-methods", std::string(kMethods)},
      {"access-control-max-age", std::to_string(cors.max_age.count() / 1000)},
  };
  const std::string_view wanted =
      find_header(request.headers, "access-control-request-headers");
  if (is_header_value(wanted)) {
    headers.push_back({"access-control-allow-headers", std::string(wanted)});
  }
  answer.send(kNoContent, std::move(headers), {});
}

}  // namespace llmproxy::gateway
