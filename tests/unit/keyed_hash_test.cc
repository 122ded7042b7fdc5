// The keyed hash against the vectors of its authors.
#include "gateway/keyed_hash.h"

#include <catch2/catch.hpp>
#include <string>

namespace llmproxy::gateway {
namespace {

TEST_CASE("the keyed hash is SipHash-2-4", "[limits]") {
  const HashSeed seed{0x0706050403020100, 0x0f0e0d0c0b0a0908};
  std::string text;
  for (char byte = 0; byte < 15; ++byte) text.push_back(byte);
  CHECK(keyed_hash(seed, text) == 0xa129ca6149be45e5);
  CHECK(keyed_hash(seed, "") == 0x726fdb47dd0e0e31);
}

}  // namespace
}  // namespace llmproxy::gateway
