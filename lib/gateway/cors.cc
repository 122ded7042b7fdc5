#include "gateway/cors.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "gateway/headers.h"
#include "gateway/log_text.h"
#include "gateway/page_guard.h"

namespace llmproxy::gateway {
namespace {

constexpr std::string_view kAny = "*";
constexpr std::string_view kMethods = "GET, HEAD, POST, PUT, PATCH, DELETE";
constexpr int kNoContent = 204;

/// Of a row that names a scheme only ("vscode-webview://").
bool has_scheme(std::string_view origin, std::string_view row) {
  return row.ends_with("://") && origin.size() > row.size() &&
         same_header_name(origin.substr(0, row.size()), row);
}

/// The only one; empty where there is none, or more.
std::string_view origin_of(const HttpRequest& request) {
  std::string_view found;
  for (const Header& header : request.headers) {
    if (!same_header_name(header.name, "origin")) continue;
    if (!found.empty()) return {};
    found = header.value;
  }
  return found;
}

Error unknown_origin(std::string_view origin) {
  Error error;
  error.kind = ErrorKind::permission_denied;
  error.fault = Fault::client;
  error.code = kForeignOrigin;
  error.message = fmt::format(
      "requests from web pages of {} are not allowed: the operator can add it "
      "to server.cors.origins",
      is_header_value(origin) ? short_name(origin) : "this origin");
  return error;
}

}  // namespace

// Schemes and hosts have no case [RFC 6454, section 4].
bool is_configured(const CorsConfig& cors, std::string_view origin) {
  return std::any_of(cors.origins.begin(), cors.origins.end(),
                     [&](const std::string& row) {
                       return row == kAny || same_header_name(row, origin) ||
                              has_scheme(origin, row);
                     });
}

Headers cors_headers(const CorsConfig& cors, const HttpRequest& request) {
  if (cors.origins.empty()) return {};
  Headers out = {{"vary", "origin"}};
  const std::string_view origin = origin_of(request);
  if (!is_header_value(origin) || !is_configured(cors, origin)) return out;
  // Credentials mode is never allowed: keys are sent by the page itself.
  out.push_back({"access-control-allow-origin", std::string(origin)});
  out.push_back({"access-control-expose-headers", "*"});
  return out;
}

bool is_preflight(const HttpRequest& request) {
  return request.method == "OPTIONS" &&
         !find_header(request.headers, "origin").empty() &&
         !find_header(request.headers, "access-control-request-method").empty();
}

void answer_preflight(const CorsConfig& cors, const HttpRequest& request,
                      const Dialect& dialect, ClientAnswer& answer) {
  const std::string_view origin = origin_of(request);
  if (!is_configured(cors, origin)) {
    return answer.send_error(dialect, unknown_origin(origin));
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
