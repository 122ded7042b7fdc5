#include "gateway/cors.h"

#include <algorithm>
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
