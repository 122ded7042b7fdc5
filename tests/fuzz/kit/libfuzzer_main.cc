// One target as libFuzzer wants it: its own main() calls these.
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "fuzz/kit/mutator.h"
#include "fuzz/kit/target.h"

// Names, types and who else defines them are libFuzzer's choice.
// NOLINTBEGIN(readability-identifier-naming)
extern "C" {

std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size,
                             std::size_t longest);

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace llmproxy::fuzz;
  static const Target target = targets().front();
  Input input({reinterpret_cast<const char*>(data), size});
  try {
    target.run(input);
  } catch (const Broken& broken) {
    std::fprintf(stderr, "%s\n", broken.what.c_str());
    std::abort();
  }
  return 0;
}

std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                    std::size_t longest, unsigned seed) {
  using namespace llmproxy::fuzz;
  static const Target target = targets().front();
  return mutate(target, data, size, longest, seed, LLVMFuzzerMutate);
}

std::size_t LLVMFuzzerCustomCrossOver(const std::uint8_t* a, std::size_t a_size,
                                      const std::uint8_t* b, std::size_t b_size,
                                      std::uint8_t* out, std::size_t longest,
                                      unsigned seed) {
  using namespace llmproxy::fuzz;
  static const Target target = targets().front();
  const std::string text =
      crossed(target, {reinterpret_cast<const char*>(a), a_size},
              {reinterpret_cast<const char*>(b), b_size}, seed);
  const std::size_t size = text.copy(reinterpret_cast<char*>(out), longest);
  return size;
}

}  // extern "C"
// NOLINTEND(readability-identifier-naming)
