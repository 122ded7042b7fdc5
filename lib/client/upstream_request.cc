// From a backend and a path to the request that goes out: the URL, the key in
// the provider's header, the headers its rows ask for. The only place that
// reads a key.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <utility>

#include "client/key_header.h"
#include "client/origin.h"
#include "client/sigv4.h"
#include "llmproxy/provider.h"
#include "llmproxy/translate.h"

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

bool has_header(const Headers& headers, std::string_view name) {
  return std::any_of(headers.begin(), headers.end(), [&](const Header& header) {
    return same_header_name(header.name, name);
  });
}

const AuthRow& row_of(const Backend& backend) {
  for (const AuthRow& row : kAuth) {
    if (row.scheme == backend.provider->auth) return row;
  }
  return kAuth.front();
}

/// Adds the rows of Provider::extra_headers, "name: value\n" each.
void add_lines(std::string_view lines, Headers& headers) {
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    const std::string_view line = lines.substr(0, end);
    const std::size_t colon = line.find(": ");
    if (colon != std::string_view::npos) {
      headers.push_back({std::string(line.substr(0, colon)),
                         std::string(line.substr(colon + 2))});
    }
    lines.remove_prefix(std::min(end + 1, lines.size()));
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

/// What a backend is asked with that speaks whatever dialect it is asked in.
Headers headers_of_any(bool stream) {
  Dialect any;
  any.stream_content_type = "text/event-stream";
  return upstream_headers(any, stream);
}

void set_header(Header header, Headers& headers) {
  std::erase_if(headers, [&](const Header& other) {
    return same_header_name(other.name, header.name);
  });
  headers.push_back(std::move(header));
}

void add_key(const Backend& backend, const Secret& key, Headers& headers) {
  const std::string_view name = key_header(backend);
  // What is configured under that name stands in the key's place.
  if (key.empty() || name.empty() || has_header(backend.headers, name)) return;
  std::string value = backend.auth_header.empty()
                          ? std::string(row_of(backend).prefix)
                          : backend.auth_prefix;
  set_header({std::string(name), value.append(key.reveal())}, headers);
}

/// Asks the host's own function. Whatever it adds takes the place of headers
/// of the same name that a client may have sent.
template <class Sign>
void sign_with(const Sign& sign, UpstreamRequest& request) {
  const std::size_t before = request.headers.size();
  sign(request);
  if (request.headers.size() <= before) return;
  const auto added =
      request.headers.begin() + static_cast<std::ptrdiff_t>(before);
  const Headers credentials(added, request.headers.end());
  request.headers.erase(added, request.headers.end());
  for (const Header& header : credentials) {
    std::erase_if(request.headers, [&](const Header& other) {
      return same_header_name(other.name, header.name);
    });
  }
  request.headers.insert(request.headers.end(), credentials.begin(),
                         credentials.end());
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
  if (backend.provider->extra_headers.empty() && backend.headers.empty()) {
    return;
  }
  Headers usual;
  add_lines(backend.provider->extra_headers, usual);
  std::erase_if(usual, [&](const Header& header) {
    return has_header(backend.headers, header.name);
  });
  usual.insert(usual.end(), backend.headers.begin(), backend.headers.end());
  std::erase_if(headers, [&](const Header& header) {
    return has_header(usual, header.name);
  });
  headers.insert(headers.end(), usual.begin(), usual.end());
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

std::string_view key_header(const Backend& backend) {
  return backend.auth_header.empty() ? row_of(backend).header
                                     : std::string_view(backend.auth_header);
}

std::string upstream_url(const Backend& backend, std::string_view path) {
  const std::string_view prefix = backend.path_prefix.empty()
                                      ? backend.provider->path_prefix
                                      : std::string_view(backend.path_prefix);
  std::string url = join_url(resolved_base_url(backend), prefix, path);
  add_query(backend.query, url);
  return url;
}

bool leads_to(const Backend& backend, std::string_view url) {
  const bool whole = backend.base_url.find('{') == std::string::npos;
  return whole ? same_origin(backend.base_url, url)
               : same_origin(resolved_base_url(backend), url);
}

void authorize(const Backend& backend, UpstreamRequest& request) {
  if (!leads_to(backend, request.url)) return request.url.clear();
  if (backend.sign) return sign_with(backend.sign, request);
  if (backend.provider->sign != nullptr) {
    return sign_with(
        [&](UpstreamRequest& out) { backend.provider->sign(backend, out); },
        request);
  }
  add_key(backend, backend.api_key, request.headers);
  if (backend.provider->auth == AuthScheme::aws && backend.api_key.empty() &&
      !backend.aws.access_key_id.empty() &&
      !has_header(backend.headers, "authorization")) {
    sign_v4(backend.aws, "bedrock", std::chrono::system_clock::now(), request);
  }
}

namespace {

/// `request` has method, headers and body.
UpstreamRequest addressed(const Backend& backend, std::string_view path,
                          UpstreamRequest request) {
  request.url = upstream_url(backend, path);
  request.deadlines = backend.deadlines;
  // Answers are read and passed on as they come; nobody here unpacks.
  request.headers.push_back({"accept-encoding", "identity"});
  add_backend_headers(backend, request.headers);
  authorize(backend, request);
  return request;
}

}  // namespace

UpstreamRequest upstream_request(const Backend& backend, std::string_view path,
                                 std::string body, bool stream) {
  UpstreamRequest request;
  request.headers = backend.dialect == nullptr
                        ? headers_of_any(stream)
                        : upstream_headers(*backend.dialect, stream);
  request.body = std::move(body);
  return addressed(backend, path, std::move(request));
}

UpstreamRequest upstream_request(const Backend& backend,
                                 TranslatedRequest& request) {
  UpstreamRequest out;
  out.method = request.method;
  out.headers = std::move(request.headers);
  out.body = std::move(request.body);
  return addressed(backend, request.target(), std::move(out));
}

}  // namespace llmproxy
