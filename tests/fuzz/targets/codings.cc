// Packed request bodies: whatever they claim to be, they become no larger
// than allowed and are counted.
#include <algorithm>

#include "fuzz/kit/properties.h"
#include "gateway/content_coding.h"

namespace llmproxy::fuzz {
namespace {

void run(Input& input) {
  constexpr std::string_view kCodings[] = {
      "gzip", "deflate",    "br",  "zstd", "x-gzip", "identity",
      "",     "gzip, zstd", "lzw", ",,",   "GZIP",   "deflate, br, gzip"};
  constexpr std::size_t kLimits[] = {0, 64, 4096, 65536};
  constexpr std::size_t kBudget = 200000;
  Headers headers;
  headers.push_back({"content-encoding",
                     std::string(kCodings[input.below(std::size(kCodings))])});
  if (input.byte() > 200) {
    headers.push_back(
        {"content-encoding",
         std::string(kCodings[input.below(std::size(kCodings))])});
  }
  const std::size_t limit = kLimits[input.below(std::size(kLimits))];
  const std::string body(input.rest());
  ByteBudget budget(kBudget);
  {
    ByteLease lease(&budget);
    const auto unpacked = gateway::unpack(headers, body, limit, lease);
    if (unpacked) {
      expect(unpacked->size() <= std::max(limit, body.size()),
             "no more comes out than allowed",
             std::to_string(unpacked->size()));
    } else {
      expect_error(unpacked.error(), {});
    }
    expect(budget.held() <= kBudget, "the budget holds");
  }
  expect(budget.held() == 0, "all is given back");
  ByteLease lease(&budget);
  const auto readable = gateway::readable_body(headers, body, limit, lease);
  if (!readable) expect_error(readable.error(), {});
}

const Registered kRegistered({"codings", Form::bytes, 4096, run});

}  // namespace
}  // namespace llmproxy::fuzz
