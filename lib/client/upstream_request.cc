// From a backend and a path to the request that goes out: the URL, the key in
// the provider's header, the headers its rows ask for. The only place that
// reads a key.
#include <array>
#include <chrono>
#include <cstddef>
#include <utility>

#include "client/sigv4.h"
#include "llmproxy/provider.h"

namespace llmproxy {
namespace {

/// How a scheme writes the key. The row for `none` has no header.
struct AuthRow {
  AuthScheme scheme;
  std::string_view header;
  std::string_view prefix;
};
constexpr std::array kAuth = {
    AuthRow{AuthScheme::none, "", ""},
    AuthRow{AuthScheme::bearer, "authorization", "Bearer "},
    AuthRow{AuthScheme::x_api_key, "x-api-key", ""},
    AuthRow{AuthScheme::x_goog_api_key, "x-goog-api-key", ""},
    AuthRow{AuthScheme::api_key, "api-key", ""},
    AuthRow{AuthScheme::aws, "authorization", "Bearer "},
};

void add_key(AuthScheme scheme, const Secret& key, Headers& headers) {
  if (key.empty()) return;
  for (const AuthRow& row : kAuth) {
    if (row.scheme != scheme || row.header.empty()) continue;
    headers.push_back(
        {std::string(row.header), std::string(row.prefix) + key.reveal()});
  }
}

/// Adds the rows of Provider::extra_headers, "name: value\n" each.
void add_lines(std::string_view lines, Headers& headers) {
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    const std::string_view line = lines.substr(0, end);
    const std::size_t colon = line.find(": ");
    headers.push_back({std::string(line.substr(0, colon)),
                       std::string(line.substr(colon + 2))});
    lines.remove_prefix(end + 1);
  }
}

/// The base URL and the path with one slash between them. The provider's
/// prefix is left out when the base URL ends in it: people write the address
/// both with and without /v1.
std::string join_url(std::string_view base, std::string_view prefix,
                     std::string_view path) {
  while (base.ends_with('/')) base.remove_suffix(1);
  std::string url(base);
  if (!base.ends_with(prefix)) url += prefix;
  if (!path.starts_with('/')) url += '/';
  return url.append(path);
}

std::string with_region(std::string_view base, std::string_view region) {
  constexpr std::string_view kRegion = "{region}";
  std::string out(base);
  const std::size_t at = out.find(kRegion);
  if (at != std::string::npos) out.replace(at, kRegion.size(), region);
  return out;
}

void add_query(std::string_view query, std::string& url) {
  if (query.empty()) return;
  url += url.find('?') == std::string::npos ? '?' : '&';
  url += query;
}

/// The content type of the answer that is wanted.
std::string_view accepted(const Backend& backend, bool stream) {
  if (!stream) return "application/json";
  if (backend.dialect == nullptr) return "text/event-stream";
  const std::string_view type = backend.dialect->stream_content_type;
  return type.substr(0, type.find(';'));
}

}  // namespace

bool Secret::equals(std::string_view other) const {
  // Every byte of `other` is looked at whatever came before, so that the
  // time says nothing about where two keys differ.
  unsigned difference = value_.size() == other.size() ? 0u : 1u;
  for (std::size_t i = 0; i < other.size(); ++i) {
    const char mine = value_.empty() ? '\0' : value_[i % value_.size()];
    difference |= static_cast<unsigned char>(mine ^ other[i]);
  }
  // A volatile read keeps the compiler from leaving the loop early.
  const volatile unsigned result = difference;
  return result == 0;
}

UpstreamRequest upstream_request(const Backend& backend, std::string_view path,
                                 std::string body, bool stream) {
  const Provider& provider = *backend.provider;
  UpstreamRequest request;
  request.url = join_url(with_region(backend.base_url, backend.aws.region),
                         provider.path_prefix, path);
  add_query(backend.query, request.url);
  request.body = std::move(body);
  request.deadlines = backend.deadlines;
  request.headers = {
      {"content-type", "application/json"},
      {"accept", std::string(accepted(backend, stream))},
      // Answers are read and passed on as they come; nobody here unpacks.
      {"accept-encoding", "identity"},
  };
  add_lines(provider.extra_headers, request.headers);
  add_key(provider.auth, backend.api_key, request.headers);
  if (provider.auth == AuthScheme::aws && backend.api_key.empty() &&
      !backend.aws.access_key_id.empty()) {
    sign_v4(backend.aws, "bedrock", std::chrono::system_clock::now(), request);
  }
  return request;
}

}  // namespace llmproxy
