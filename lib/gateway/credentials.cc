#include "gateway/credentials.h"

#include <algorithm>
#include <array>
#include <span>

#include "base/text.h"
#include "gateway/auth.h"
#include "gateway/headers.h"

namespace llmproxy::gateway {
namespace {

constexpr std::string_view kBearer = "Bearer ";
constexpr std::string_view kAuthorization = "authorization";
constexpr std::string_view kQueryKey = "key=";
// Where a key of ours does not let anybody in, but clients write it.
constexpr std::array<std::string_view, 4> kKeyParameters = {
    "key", "api_key", "api-key", "access_token"};
constexpr std::array<std::string_view, 4> kCredentialHeaders = {
    kAuthorization, "x-api-key", "x-goog-api-key", "api-key"};

// Written anew for the next hop. The answer must come unpacked, as what is
// counted in it is read. Cookies belong to this host, whatever they hold.
constexpr std::array<std::string_view, 6> kOwnHeaders = {
    "host", "content-length", "accept-encoding", "expect", "cookie", "cookie2"};
// What signatures of AWS bring along; worth nothing without them.
constexpr std::array<std::string_view, 3> kSignatureHeaders = {
    "x-amz-date", "x-amz-content-sha256", "x-amz-security-token"};
constexpr std::string_view kSignedQuery = "x-amz-";

bool is_one_of(std::string_view name, std::span<const std::string_view> set) {
  return std::any_of(set.begin(), set.end(), [name](std::string_view row) {
    return same_header_name(row, name);
  });
}

std::string_view without_scheme(std::string_view value) {
  const bool bearer =
      value.size() >= kBearer.size() &&
      same_header_name(value.substr(0, kBearer.size()), kBearer);
  return bearer ? value.substr(kBearer.size()) : value;
}

/// Calls `use` with each "name=value" of a query.
template <class Use>
void each_pair(std::string_view query, Use use) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    if (!pair.empty()) use(pair);
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
  }
}

/// True when a header's value has a key of ours, behind whatever scheme.
bool holds_client_key(const ServerConfig& server, std::string_view value) {
  const std::size_t blank = std::min(value.find(' '), value.size());
  return is_client_key(server, value) ||
         is_client_key(server, trimmed(value.substr(blank)));
}

/// True when "name=value" has a key of ours, however it is written.
bool is_client_key_pair(const ServerConfig& server, std::string_view pair) {
  const std::size_t equals = std::min(pair.find('='), pair.size());
  const std::string name = lower(percent_decoded(pair.substr(0, equals)));
  return is_one_of(name, kKeyParameters) && equals < pair.size() &&
         is_client_key(server, percent_decoded(pair.substr(equals + 1)));
}

/// A part of a signature that stands in the query.
bool is_signature(std::string_view pair) {
  return same_header_name(pair.substr(0, kSignedQuery.size()), kSignedQuery);
}

}  // namespace

bool is_client_key(const ServerConfig& server, std::string_view value) {
  bool found = false;
  const std::string_view id = access_key_id(value);
  for (const Secret& key : server.client_keys) {
    // Every key is compared, so that the time says nothing about which.
    if (key.equals(value) || (!id.empty() && key.equals(id))) found = true;
  }
  for (const Secret& key : server.client_access_keys) {
    if (key.equals(id) && !id.empty()) found = true;
  }
  return found && !value.empty();
}

std::string_view own_credential(const ServerConfig& server,
                                const HttpRequest& request) {
  for (const std::string_view name : kCredentialHeaders) {
    for (const Header& header : request.headers) {
      if (!same_header_name(header.name, name)) continue;
      const std::string_view value = without_scheme(header.value);
      if (!value.empty() && !holds_client_key(server, header.value)) {
        return value;
      }
    }
  }
  std::string_view found;
  each_pair(request.query, [&](std::string_view pair) {
    if (!pair.starts_with(kQueryKey) || !found.empty()) return;
    if (!is_client_key_pair(server, pair))
      found = pair.substr(kQueryKey.size());
  });
  return found;
}

std::vector<std::string_view> credentials_of(const HttpRequest& request) {
  std::vector<std::string_view> out;
  for (const Header& header : request.headers) {
    if (!is_credential_header(header.name)) continue;
    const std::string_view value = without_scheme(header.value);
    if (!value.empty()) out.push_back(value);
  }
  each_pair(request.query, [&](std::string_view pair) {
    if (pair.starts_with(kQueryKey)) {
      out.push_back(pair.substr(kQueryKey.size()));
    }
  });
  return out;
}

void each_query_value(std::string_view query,
                      const std::function<void(std::string_view)>& use) {
  each_pair(query, [&](std::string_view pair) {
    const std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos) use(pair.substr(equals + 1));
  });
}

bool is_credential_header(std::string_view name) {
  return is_one_of(name, kCredentialHeaders);
}

bool has_credential(const Headers& headers) {
  return std::any_of(headers.begin(), headers.end(), [](const Header& header) {
    return is_credential_header(header.name);
  });
}

Headers passable_headers(const ServerConfig& server, const HttpRequest& request,
                         OwnCredentials own) {
  const auto is_ours = [&](const Header& header) {
    return is_credential_header(header.name) &&
           holds_client_key(server, header.value);
  };
  const bool signature =
      own == OwnCredentials::passed &&
      std::none_of(request.headers.begin(), request.headers.end(), is_ours);
  Headers out;
  for (const Header& header : request.headers) {
    if (is_one_of(header.name, kOwnHeaders) ||
        is_hop_header(request.headers, header.name)) {
      continue;
    }
    if (is_credential_header(header.name) &&
        (own == OwnCredentials::dropped || is_ours(header))) {
      continue;
    }
    if (!signature && is_one_of(header.name, kSignatureHeaders)) continue;
    out.push_back(header);
  }
  return out;
}

std::string passable_query(const ServerConfig& server,
                           const HttpRequest& request, OwnCredentials own) {
  const bool dropped = own == OwnCredentials::dropped;
  std::string out;
  each_pair(request.query, [&](std::string_view pair) {
    if (dropped && is_signature(pair)) return;
    if (dropped && pair.starts_with(kQueryKey)) return;
    if (is_client_key_pair(server, pair)) return;
    if (!out.empty()) out += '&';
    out += pair;
  });
  return out;
}

}  // namespace llmproxy::gateway
