#include "gateway/keyed_hash.h"

#include <bit>
#include <cstddef>
#include <random>

namespace llmproxy::gateway {
namespace {

// Names as in "SipHash: a fast short-input PRF" (Aumasson, Bernstein 2012).
struct SipState {
  std::uint64_t v0;
  std::uint64_t v1;
  std::uint64_t v2;
  std::uint64_t v3;

  explicit SipState(const HashSeed& seed)
      : v0(seed.low ^ 0x736f6d6570736575),
        v1(seed.high ^ 0x646f72616e646f6d),
        v2(seed.low ^ 0x6c7967656e657261),
        v3(seed.high ^ 0x7465646279746573) {}

  void rounds(int count) {
    for (; count > 0; --count) {
      v0 += v1;
      v2 += v3;
      v1 = std::rotl(v1, 13) ^ v0;
      v3 = std::rotl(v3, 16) ^ v2;
      v0 = std::rotl(v0, 32);
      v2 += v1;
      v0 += v3;
      v1 = std::rotl(v1, 17) ^ v2;
      v3 = std::rotl(v3, 21) ^ v0;
      v2 = std::rotl(v2, 32);
    }
  }

  void add(std::uint64_t word) {
    v3 ^= word;
    rounds(2);
    v0 ^= word;
  }
};

/// Up to 8 bytes, the first the lowest.
std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    word |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  }
  return word;
}

}  // namespace

HashSeed random_hash_seed() {
  std::random_device source;
  const auto word = [&source] {
    const std::uint64_t high = source();
    return high << 32 | source();
  };
  HashSeed seed;
  seed.low = word();
  seed.high = word();
  return seed;
}

std::uint64_t keyed_hash(const HashSeed& seed, std::string_view text) {
  SipState state(seed);
  const std::uint64_t length = text.size();
  for (; text.size() >= 8; text.remove_prefix(8)) {
    state.add(little_endian(text.substr(0, 8)));
  }
  state.add(length << 56 | little_endian(text));
  state.v2 ^= 0xff;
  state.rounds(4);
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

}  // namespace llmproxy::gateway
