// Work that takes long for large bodies, kept from delaying other calls.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>

#include "llmproxy/waiting.h"

namespace llmproxy::gateway {

/// From here on reading a body takes longer than handing it to another
/// thread. Bytes.
inline constexpr std::size_t kLargeBody = std::size_t{64} << 10;

/// Calls `work`, whose time grows with `bytes`, and gives what it returns.
template <class Work>
auto run_sized(std::size_t bytes, const Work& work) {
  if (bytes < kLargeBody) return work();
  std::optional<decltype(work())> result;
  run_apart([&] { result.emplace(work()); });
  return *std::move(result);
}

}  // namespace llmproxy::gateway
