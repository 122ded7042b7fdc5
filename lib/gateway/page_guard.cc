// Sources: RFC 6454 (Origin); RFC 9110, section 7.2 (Host); W3C "Fetch
// Metadata Request Headers" (Sec-Fetch-Site).
#include "gateway/page_guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "gateway/cors.h"
#include "gateway/log_text.h"

namespace llmproxy::gateway {
namespace {

constexpr std::string_view kAny = "*";
constexpr std::string_view kForeignHost = "host_not_in_server_hosts";

Error refused(std::string message, std::string_view code) {
  Error error;
  error.kind = ErrorKind::permission_denied;
  error.fault = Fault::client;
  error.message = std::move(message);
  error.code = code;
  return error;
}

std::vector<std::string_view> values_of(const Headers& headers,
                                        std::string_view name) {
  std::vector<std::string_view> out;
  for (const Header& header : headers) {
    if (same_header_name(header.name, name)) out.push_back(header.value);
  }
  return out;
}

/// Behind a host: nothing, or ":8080".
bool is_port(std::string_view text) {
  if (text.empty()) return true;
  return text.front() == ':' &&
         std::all_of(text.begin() + 1, text.end(),
                     [](char c) { return c >= '0' && c <= '9'; });
}

/// "localhost" of "LocalHost.:8080"; "::1" of "[::1]:8080"; empty where it is
/// neither, such as "[::1].evil.test" or "localhost:1@evil.test".
std::string name_of(std::string_view authority) {
  const bool bracket = authority.starts_with('[');
  const std::size_t end =
      std::min(authority.find(bracket ? ']' : ':'), authority.size());
  std::string_view name = authority.substr(0, end);
  std::string_view rest = authority.substr(end);
  if (bracket) {
    if (rest.empty()) return {};
    name.remove_prefix(1);
    rest.remove_prefix(1);
  } else if (name.ends_with('.')) {
    name.remove_suffix(1);
  }
  return is_port(rest) ? lower(name) : std::string();
}

struct Address {
  bool valid = false;
  bool loopback = false;
};

Address address_of(const std::string& name) {
  in_addr v4{};
  if (::inet_pton(AF_INET, name.c_str(), &v4) == 1) {
    return {true, (ntohl(v4.s_addr) >> 24) == IN_LOOPBACKNET};
  }
  in6_addr v6{};
  if (::inet_pton(AF_INET6, name.c_str(), &v6) != 1) return {};
  const bool mapped = IN6_IS_ADDR_V4MAPPED(&v6);
  return {true, IN6_IS_ADDR_LOOPBACK(&v6) ||
                    (mapped && v6.s6_addr[12] == IN_LOOPBACKNET)};
}

/// A name that cannot lead to another machine.
bool is_loopback(const std::string& name) {
  constexpr std::string_view kBelow = ".localhost";
  return name == "localhost" ||
         (name.ends_with(kBelow) && name.size() > kBelow.size()) ||
         address_of(name).loopback;
}

/// A proxy that listens everywhere is reached by addresses and by the names
/// that a local network gives to its machines ("proxy"). Nobody outside can
/// make either of them lead to another machine, as a name of theirs can be.
bool listens_everywhere(const std::string& host) {
  constexpr std::array<std::string_view, 4> kEverywhere = {"", "0.0.0.0",
                                                           "::", "[::]"};
  return std::find(kEverywhere.begin(), kEverywhere.end(), host) !=
         kEverywhere.end();
}

bool is_own_name(const ServerConfig& server, const std::string& name) {
  if (name.empty()) return false;
  if (is_loopback(name) || name == lower(server.host)) return true;
  if (listens_everywhere(server.host) &&
      (address_of(name).valid || name.find('.') == std::string::npos)) {
    return true;
  }
  return std::any_of(server.hosts.begin(), server.hosts.end(),
                     [&](const std::string& row) {
                       return row == kAny || name_of(row) == name;
                     });
}

Result<void> check_host(const ServerConfig& server,
                        const HttpRequest& request) {
  for (const std::string_view host : values_of(request.headers, "host")) {
    if (is_own_name(server, name_of(host))) continue;
    return refused(
        fmt::format("\"{}\" is not a host name of this proxy: add it "
                    "to server.hosts, or set server.client_keys",
                    short_name(host)),
        kForeignHost);
  }
  return {};
}

/// A page of this machine: "http://localhost:3000".
bool is_local_page(std::string_view origin) {
  const std::string text = lower(origin);
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (text.starts_with(scheme)) {
      return is_loopback(name_of(std::string_view(text).substr(scheme.size())));
    }
  }
  return false;
}

/// What Sec-Fetch-Site says of a request that no page of another site made.
bool is_own_site(std::string_view site, bool local_page) {
  return site == "none" || site == "same-origin" ||
         (site == "same-site" && local_page);
}

}  // namespace

Result<void> check_page(const ServerConfig& server,
                        const HttpRequest& request) {
  if (!server.client_keys.empty() || !server.client_access_keys.empty()) {
    return {};
  }
  LLMPROXY_TRY(check_host(server, request));
  const auto origins = values_of(request.headers, "origin");
  // Where all pages are configured, those that do not say who they are too.
  const std::string_view origin = origins.empty() ? "" : origins.front();
  if (origins.size() <= 1 && is_configured(server.cors, origin)) return {};
  const bool local_page = origins.size() == 1 && is_local_page(origin);
  const auto sites = values_of(request.headers, "sec-fetch-site");
  const bool own_site = std::all_of(
      sites.begin(), sites.end(),
      [&](std::string_view site) { return is_own_site(site, local_page); });
  if (own_site && (origins.empty() || local_page)) return {};
  return refused(
      "requests from web pages of this origin are not allowed: the operator "
      "can "
      "add it to server.cors.origins, or set server.client_keys",
      kForeignOrigin);
}

}  // namespace llmproxy::gateway
