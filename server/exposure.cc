// Who could reach the server: without client keys only this machine may.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>

#include "server/commands.h"

namespace llmproxy {
namespace {

bool is_loopback(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    return (ntohl(v4.sin_addr.s_addr) >> 24) == IN_LOOPBACKNET;
  }
  if (address.sa_family != AF_INET6) return false;
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
  return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
}

/// What people write instead of an address, and what to say about it.
std::string_view host_fault(std::string_view host) {
  if (host.find_first_of(" \t\r\n") != std::string_view::npos) {
    return "has spaces or line breaks; leave them out";
  }
  if (host == "*") return "is no address; 0.0.0.0 is every one";
  if (host.find('/') != std::string_view::npos) {
    return "is a URL; give the address alone, such as 127.0.0.1";
  }
  if (host.starts_with('[')) {
    return "is an IPv6 address in brackets; give it without, such as ::1";
  }
  const std::size_t colon = host.find(':');
  if (colon != std::string_view::npos && colon == host.rfind(':')) {
    return "has a port behind it; that is server.port (--port)";
  }
  return {};
}

Error wrong_host(std::string_view host, std::string_view fault) {
  return invalid_request(
      fmt::format("server.host (--host): \"{}\" {}", host, fault));
}

/// True when every address of `host` is. An empty host is not.
Result<bool> is_loopback_host(const std::string& host) {
  if (host.empty()) return false;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int code = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (code != 0) {
    return wrong_host(
        host, fmt::format("has no address here: {}", ::gai_strerror(code)));
  }
  bool loopback = true;
  for (const addrinfo* each = found; each; each = each->ai_next)
    loopback = loopback && is_loopback(*each->ai_addr);
  ::freeaddrinfo(found);
  return loopback;
}

}  // namespace

Result<void> check_exposure(const ServerConfig& server) {
  const std::string_view fault = host_fault(server.host);
  if (!fault.empty()) return wrong_host(server.host, fault);
  if (server.allow_anonymous || !server.client_keys.empty() ||
      !server.client_access_keys.empty())
    return {};
  LLMPROXY_ASSIGN(const bool loopback, is_loopback_host(server.host));
  if (loopback) return {};
  return invalid_request(fmt::format(
      "listening on {} lets anyone on the network use your keys: set "
      "PROXY_API_KEY (or server.client_keys in the configuration), listen on "
      "127.0.0.1, or pass --allow-anonymous",
      server.host.empty() ? "every address" : server.host));
}

}  // namespace llmproxy
