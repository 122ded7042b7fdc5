#include "gateway/token_guess.h"

#include <algorithm>

namespace llmproxy::gateway {
namespace {

constexpr double kUsualDivisor = 4;
// Keeps the result of tiny divisors within 64 bits.
constexpr double kMostTokens = 1e15;

double divisor_for(const TokenEstimation& estimation,
                   std::string_view provider) {
  for (const auto& [name, chars_per_token] :
       estimation.provider_chars_per_token) {
    if (name == provider) return chars_per_token;
  }
  return estimation.chars_per_token;
}

}  // namespace

std::int64_t guess_tokens(const TokenEstimation& estimation,
                          std::string_view provider, std::size_t body_bytes,
                          std::size_t text_chars) {
  if (body_bytes == 0 && text_chars == 0) return 0;
  const bool large = body_bytes > estimation.max_sample_bytes;
  const auto size = static_cast<double>(large ? body_bytes : text_chars);
  double divisor =
      large ? estimation.bytes_per_token : divisor_for(estimation, provider);
  if (!(divisor > 0)) divisor = kUsualDivisor;  // NaN too
  return static_cast<std::int64_t>(
      std::clamp(size / divisor, 1.0, kMostTokens));
}

}  // namespace llmproxy::gateway
