// Comparing what a client sent with every key, without leaving early.
#include "gateway/auth.h"

#include <array>
#include <string>

namespace llmproxy::gateway {
namespace {

constexpr std::string_view kBearer = "Bearer ";
constexpr std::string_view kAwsScheme = "AWS4-HMAC-SHA256 ";
constexpr std::string_view kCredential = "Credential=";

// RFC 9110, section 11.1: the scheme's name ignores case.
std::string_view behind_scheme(std::string_view scheme,
                               std::string_view value) {
  if (value.size() < scheme.size() ||
      !same_header_name(value.substr(0, scheme.size()), scheme)) {
    return {};
  }
  return value.substr(scheme.size());
}

/// "AWS4-HMAC-SHA256 Credential=AKID/20260102/us-east-1/bedrock/..., ..."
std::string_view access_key_id(std::string_view authorization) {
  const std::string_view fields = behind_scheme(kAwsScheme, authorization);
  const std::size_t at = fields.find(kCredential);
  if (at == std::string_view::npos) return {};
  const std::string_view scope = fields.substr(at + kCredential.size());
  return scope.substr(0, scope.find('/'));
}

std::string_view query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    if (pair.size() > name.size() && pair.starts_with(name) &&
        pair[name.size()] == '=') {
      return pair.substr(name.size() + 1);
    }
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
  }
  return {};
}

}  // namespace

std::optional<std::uint64_t> find_client(const ServerConfig& server,
                                         const HttpRequest& request) {
  if (server.client_keys.empty() && server.client_access_keys.empty()) {
    return 0;
  }
  const std::string_view authorization =
      find_header(request.headers, "authorization");
  const std::array sent = {
      behind_scheme(kBearer, authorization),
      find_header(request.headers, "x-api-key"),
      find_header(request.headers, "x-goog-api-key"),
      find_header(request.headers, "api-key"),
      query_value(request.query, "key"),
  };
  std::optional<std::uint64_t> found;
  std::uint64_t number = 0;
  for (const Secret& key : server.client_keys) {
    ++number;
    for (const std::string_view value : sent) {
      if (key.equals(value) && !value.empty()) found = number;
    }
  }
  const std::string_view id = access_key_id(authorization);
  for (const Secret& key : server.client_access_keys) {
    ++number;
    if (key.equals(id) && !id.empty()) found = number;
  }
  return found;
}

}  // namespace llmproxy::gateway
