// Comparing what a client sent with every key, without leaving early.
#include "gateway/auth.h"

#include <vector>

#include "gateway/credentials.h"

namespace llmproxy::gateway {
namespace {

constexpr std::string_view kAwsScheme = "AWS4-HMAC-SHA256 ";
constexpr std::string_view kCredential = "Credential=";

}  // namespace

std::string_view access_key_id(std::string_view authorization) {
  // RFC 9110, section 11.1: the scheme's name ignores case.
  if (!same_header_name(authorization.substr(0, kAwsScheme.size()),
                        kAwsScheme)) {
    return {};
  }
  const std::size_t at = authorization.find(kCredential);
  if (at == std::string_view::npos) return {};
  const std::string_view scope = authorization.substr(at + kCredential.size());
  return scope.substr(0, scope.find('/'));
}

std::optional<std::uint64_t> find_client(const ServerConfig& server,
                                         const HttpRequest& request) {
  if (server.client_keys.empty() && server.client_access_keys.empty()) {
    return 0;
  }
  const std::string_view authorization =
      find_header(request.headers, "authorization");
  std::vector<std::string_view> sent = credentials_of(request);
  // Behind no scheme it is no credential (RFC 9110, section 11.4).
  std::erase_if(sent, [&](std::string_view value) {
    return value.data() == authorization.data();
  });
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
