#include "gateway/random_id.h"

#include <sys/random.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>

#include <fmt/format.h>

namespace llmproxy::gateway {

std::string random_id() {
  std::array<std::uint64_t, 2> words{};
  constexpr ssize_t kAll = sizeof words;
  if (::getrandom(words.data(), kAll, 0) != kAll) {
    // A kernel without the call; throws where there is no source at all.
    std::random_device source;
    for (std::uint64_t& word : words) {
      word = std::uint64_t{source()} << 32 | source();
    }
  }
  return fmt::format("{:016x}{:016x}", words[0], words[1]);
}

}  // namespace llmproxy::gateway
