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

void add_key(const Backend& backend, const Secret& key, Headers& headers) {
  if (key.empty()) return;
  if (!backend.auth_header.empty()) {
    headers.push_back(
        {backend.auth_header, backend.auth_prefix + key.reveal()});
    return;
  }
  for (const AuthRow& row : kAuth) {
    if (row.scheme != backend.provider->auth || row.header.empty()) continue;
    headers.push_back(
        {std::string(row.header), std::string(row.prefix) + key.reveal()});
  }
}

}  // namespace

std::string resolved_base_url(const Backend& backend) {
  constexpr std::string_view kRegion = "{region}";
  std::string out = backend.base_url;
  const std::size_t at = out.find(kRegion);
  if (at != std::string::npos) {
    out.replace(at, kRegion.size(), backend.aws.region);
  }
  return out;
}

void add_backend_headers(const Backend& backend, Headers& headers) {
  Headers usual;
  add_lines(backend.provider->extra_headers, usual);
  for (Header& header : usual) {
    if (find_header(backend.headers, header.name).empty()) {
      headers.push_back(std::move(header));
    }
  }
  headers.insert(headers.end(), backend.headers.begin(), backend.headers.end());
}

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

void authorize(const Backend& backend, UpstreamRequest& request) {
  if (backend.sign) return backend.sign(request);
  if (backend.provider->sign != nullptr) {
    return backend.provider->sign(backend, request);
  }
  add_key(backend, backend.api_key, request.headers);
  if (backend.provider->auth == AuthScheme::aws && backend.api_key.empty() &&
      !backend.aws.access_key_id.empty()) {
    sign_v4(backend.aws, "bedrock", std::chrono::system_clock::now(), request);
  }
}

UpstreamRequest upstream_request(const Backend& backend, std::string_view path,
                                 std::string body, bool stream) {
  const Provider& provider = *backend.provider;
  UpstreamRequest request;
  const std::string_view prefix =
      backend.path_prefix.empty() ? provider.path_prefix : backend.path_prefix;
  request.url = join_url(resolved_base_url(backend), prefix, path);
  add_query(backend.query, request.url);
  request.body = std::move(body);
  request.deadlines = backend.deadlines;
  request.headers = {
      {"content-type", "application/json"},
      {"accept", std::string(accepted(backend, stream))},
      // Answers are read and passed on as they come; nobody here unpacks.
      {"accept-encoding", "identity"},
  };
  add_backend_headers(backend, request.headers);
  authorize(backend, request);
  return request;
}

}  // namespace llmproxy
