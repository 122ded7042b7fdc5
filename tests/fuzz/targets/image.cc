// The guard of images: which URLs, addresses and bytes it lets through,
// compared with the system's own reading of an address.
#include <arpa/inet.h>
#include <netinet/in.h>

#include <array>
#include <cstring>
#include <optional>

#include "client/image_rules.h"
#include "fuzz/kit/properties.h"

namespace llmproxy::fuzz {
namespace {

/// An IPv4 address that nobody outside may reach (RFC 6890).
bool is_inner(std::uint32_t address) {
  struct Net {
    std::uint32_t first;
    unsigned bits;
  };
  constexpr Net kNets[] = {{0x00000000, 8},  {0x0a000000, 8},  {0x64400000, 10},
                           {0x7f000000, 8},  {0xa9fe0000, 16}, {0xac100000, 12},
                           {0xc0a80000, 16}, {0xe0000000, 3}};
  for (const Net& net : kNets) {
    if ((address ^ net.first) >> (32 - net.bits) == 0) return true;
  }
  return false;
}

void judge(const std::string& address) {
  in_addr four{};
  in6_addr six{};
  const bool reachable = is_public_address(address);
  if (::inet_pton(AF_INET, address.c_str(), &four) == 1) {
    if (is_inner(ntohl(four.s_addr))) {
      expect(!reachable, "an inner address is not public", address);
    }
  } else if (::inet_pton(AF_INET6, address.c_str(), &six) == 1) {
    const bool local =
        IN6_IS_ADDR_LOOPBACK(&six) || IN6_IS_ADDR_UNSPECIFIED(&six) ||
        IN6_IS_ADDR_LINKLOCAL(&six) || IN6_IS_ADDR_MULTICAST(&six) ||
        (six.s6_addr[0] & 0xfe) == 0xfc;
    expect(!local || !reachable, "an inner address is not public", address);
    std::uint32_t mapped = 0;
    std::memcpy(&mapped, &six.s6_addr[12], sizeof mapped);
    if (IN6_IS_ADDR_V4MAPPED(&six) && is_inner(ntohl(mapped))) {
      expect(!reachable, "nor is it in another form", address);
    }
  } else {
    expect(!reachable, "what is no address is not public", address);
  }
}

void run(Input& input) {
  ImageFetchRules rules;
  rules.enabled = input.byte() < 250;
  if (input.flag()) rules.allowed.emplace_back("10.1.2.3:8080");
  const std::string text(input.rest());
  const auto checked = check_image_url(text, rules);
  if (!checked) expect_error(checked.error(), {});
  if (checked) {
    expect(text.find('\0') == std::string::npos, "a URL has no NUL", text);
  }
  // Of an address as bytes: most texts are none.
  std::array<char, INET6_ADDRSTRLEN> written{};
  if (text.size() >= 16) {
    ::inet_ntop(AF_INET6, text.data(), written.data(), written.size());
    judge(written.data());
  }
  if (text.size() >= 4) {
    ::inet_ntop(AF_INET, text.data(), written.data(), written.size());
    judge(written.data());
  }
  if (text.find('\0') == std::string::npos) judge(text);
  const std::string_view type = type_of_image(text);
  expect(type.empty() || type.starts_with("image/"), "an image has a type",
         type);
}

const Registered kRegistered({"image", Form::bytes, 512, run});

}  // namespace
}  // namespace llmproxy::fuzz
