// Changes inputs in ways that mostly leave them readable: members come, go
// and change places, known names and values are put in, texts become empty or
// odd. Random bytes alone would try the JSON reader and little behind it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/kit/target.h"

namespace llmproxy::fuzz {

/// Changes bytes in place, as LLVMFuzzerMutate; returns the new size.
using ByteMutator = std::size_t (*)(std::uint8_t* data, std::size_t size,
                                    std::size_t longest);

/// Changes one input in place; returns the new size. The same for the same
/// seed. `bytes` is used where no structure is to be kept.
std::size_t mutate(const Target& target, std::uint8_t* data, std::size_t size,
                   std::size_t longest, unsigned seed, ByteMutator bytes);

/// `a` with something of `b` in it.
std::string crossed(const Target& target, std::string_view a,
                    std::string_view b, unsigned seed);

}  // namespace llmproxy::fuzz
