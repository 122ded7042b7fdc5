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

/// True when every address of `host` is. An empty or unknown host is not.
bool is_loopback_host(const std::string& host) {
  if (host.empty()) return false;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return false;
  bool loopback = true;
  for (const addrinfo* each = found; each; each = each->ai_next)
    loopback = loopback && is_loopback(*each->ai_addr);
  ::freeaddrinfo(found);
  return loopback;
}

}  // namespace

Result<void> check_exposure(const ServerConfig& server) {
  if (server.allow_anonymous || !server.client_keys.empty() ||
      !server.client_access_keys.empty() || is_loopback_host(server.host))
    return {};
  return invalid_request(fmt::format(
      "listening on {} lets anyone on the network use your keys: set "
      "PROXY_API_KEY (or server.client_keys in the configuration), listen on "
      "127.0.0.1, or pass --allow-anonymous",
      server.host.empty() ? "every address" : server.host));
}

}  // namespace llmproxy
