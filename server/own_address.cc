// A backend that is the proxy itself: each request would ask the proxy again,
// until nothing is left to ask with.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/commands.h"

namespace llmproxy {
namespace {

/// IPv4 as IPv6, so that one address has one form.
using Address = in6_addr;

Address mapped(const in_addr& v4) {
  Address out{};
  out.s6_addr[10] = out.s6_addr[11] = 0xff;
  std::memcpy(&out.s6_addr[12], &v4, sizeof v4);
  return out;
}

Address address_of(const sockaddr& generic) {
  if (generic.sa_family == AF_INET)
    return mapped(reinterpret_cast<const sockaddr_in&>(generic).sin_addr);
  return reinterpret_cast<const sockaddr_in6&>(generic).sin6_addr;
}

bool same(const Address& a, const Address& b) {
  return std::memcmp(&a, &b, sizeof a) == 0;
}

/// 0.0.0.0 or ::, from where one reaches one's own machine.
bool is_any(const Address& address) {
  return same(address, in6addr_any) || same(address, mapped({INADDR_ANY}));
}

bool is_loopback(const Address& address) {
  return same(address, in6addr_loopback) ||
         (IN6_IS_ADDR_V4MAPPED(&address) && address.s6_addr[12] == 127);
}

/// None where the name is unknown.
std::vector<Address> addresses_of(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return {};
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found,
                                                             &::freeaddrinfo);
  std::vector<Address> out;
  for (const addrinfo* each = found; each; each = each->ai_next) {
    if (each->ai_family == AF_INET || each->ai_family == AF_INET6)
      out.push_back(address_of(*each->ai_addr));
  }
  return out;
}

/// Only an address of this machine can be bound.
bool is_local(const Address& address) {
  const int descriptor = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in6 name6{};
  name6.sin6_family = AF_INET6;
  name6.sin6_addr = address;
  const auto* generic = reinterpret_cast<const sockaddr*>(&name6);
  const bool bound =
      descriptor >= 0 && ::bind(descriptor, generic, sizeof name6) == 0;
  if (descriptor >= 0) ::close(descriptor);
  return bound || is_loopback(address);
}

struct Place {
  std::string host;
  int port = 0;
};

Place place_of(std::string_view url) {
  Place out;
  out.port = url.starts_with("https://") ? 443 : 80;
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  url.remove_prefix(scheme + 3);
  std::string_view authority = url.substr(0, url.find_first_of("/?#"));
  const std::size_t bracket = authority.find(']');
  const std::size_t colon =
      authority.find(':', bracket == authority.npos ? 0 : bracket);
  out.host = authority.substr(0, colon);
  if (bracket != authority.npos) out.host = authority.substr(1, bracket - 1);
  if (colon != authority.npos) {
    const std::string_view digits = authority.substr(colon + 1);
    std::from_chars(digits.data(), digits.data() + digits.size(), out.port);
  }
  return out;
}

/// Whether a server that listens on `own` (none = everywhere) is what one
/// finds at `address`.
bool reaches(const std::vector<Address>& own, const Address& address) {
  if (own.empty() || std::any_of(own.begin(), own.end(), is_any))
    return is_any(address) || is_local(address);
  return std::any_of(own.begin(), own.end(), [&](const Address& each) {
    return same(each, address) || (is_any(address) && is_loopback(each));
  });
}

}  // namespace

Result<void> check_own_address(const Config& config) {
  const ServerConfig& server = config.server;
  const std::vector<Address> own =
      server.host.empty() ? std::vector<Address>() : addresses_of(server.host);
  for (const Backend& backend : config.backends) {
    const Place place = place_of(backend.base_url);
    if (server.port == 0 || place.port != server.port) continue;
    for (const Address& address : addresses_of(place.host)) {
      if (!reaches(own, address)) continue;
      return invalid_request(fmt::format(
          "backends.{}.base_url: {} is where this proxy itself listens; "
          "name the server that it stands in front of",
          backend.name, backend.base_url));
    }
  }
  return {};
}

}  // namespace llmproxy
