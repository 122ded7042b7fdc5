// A hash that outsiders can neither aim at nor undo: SipHash-2-4 with a
// random seed. For names that clients choose and secrets not kept as text.
#pragma once

#include <cstdint>
#include <string_view>

namespace llmproxy::gateway {

struct HashSeed {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
};

/// From the system's source of randomness.
HashSeed random_hash_seed();

/// Collisions are as rare as chance has them, unless the seed is known.
std::uint64_t keyed_hash(const HashSeed& seed, std::string_view text);

}  // namespace llmproxy::gateway
