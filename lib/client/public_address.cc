// Which addresses are public. Source: IANA's special-purpose address
// registries for IPv4 and IPv6.
#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "llmproxy/image_fetcher.h"

namespace llmproxy {
namespace {

struct Block4 {
  std::array<std::uint8_t, 4> first;
  int bits;
};
constexpr Block4 kNotPublic4[] = {
    {{0, 0, 0, 0}, 8},      {{10, 0, 0, 0}, 8},     {{100, 64, 0, 0}, 10},
    {{127, 0, 0, 0}, 8},    {{169, 254, 0, 0}, 16}, {{172, 16, 0, 0}, 12},
    {{192, 0, 0, 0}, 24},   {{192, 0, 2, 0}, 24},   {{192, 88, 99, 0}, 24},
    {{192, 168, 0, 0}, 16}, {{198, 18, 0, 0}, 15},  {{198, 51, 100, 0}, 24},
    {{203, 0, 113, 0}, 24}, {{224, 0, 0, 0}, 4},    {{240, 0, 0, 0}, 4},
};

/// Only this is handed out as global unicast ...
constexpr Block4 kGlobal6 = {{0x20, 0, 0, 0}, 3};
/// ... and these parts of it lead elsewhere: Teredo, documentation, 6to4.
constexpr Block4 kNotPublic6[] = {
    {{0x20, 0x01, 0x00, 0x00}, 23},
    {{0x20, 0x01, 0x0d, 0xb8}, 32},
    {{0x20, 0x02, 0x00, 0x00}, 16},
    {{0x3f, 0xff, 0x00, 0x00}, 20},
};

std::uint32_t word(const std::uint8_t* bytes) {
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 |
         std::uint32_t{bytes[2]} << 8 | bytes[3];
}

bool within(const Block4& block, const std::uint8_t* bytes) {
  const int shift = 32 - block.bits;
  return word(bytes) >> shift == word(block.first.data()) >> shift;
}

bool is_public_v4(const std::uint8_t* bytes) {
  return std::none_of(
      std::begin(kNotPublic4), std::end(kNotPublic4),
      [bytes](const Block4& block) { return within(block, bytes); });
}

// IPv4-mapped (::ffff:a.b.c.d), -compatible and NAT64 (64:ff9b::a.b.c.d)
// addresses are outside of the global block, so refused with the rest.
bool is_public_v6(const std::uint8_t* bytes) {
  return within(kGlobal6, bytes) &&
         std::none_of(
             std::begin(kNotPublic6), std::end(kNotPublic6),
             [bytes](const Block4& block) { return within(block, bytes); });
}

}  // namespace

bool is_public_address(std::string_view address) {
  const std::string text(address);
  std::array<std::uint8_t, 16> bytes{};
  if (inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) {
    return is_public_v4(bytes.data());
  }
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) {
    return is_public_v6(bytes.data());
  }
  return false;
}

}  // namespace llmproxy
