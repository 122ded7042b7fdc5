// Guesses of tokens, for limits.
#include "gateway/token_guess.h"

#include <catch2/catch.hpp>
#include <cmath>

namespace llmproxy::gateway {
namespace {

TEST_CASE("tokens are guessed by size", "[limits]") {
  TokenEstimation estimation;
  estimation.max_sample_bytes = 1000;
  estimation.bytes_per_token = 5;
  estimation.chars_per_token = 2;
  estimation.provider_chars_per_token = {{"claude", 3}, {"odd", -1}};
  CHECK(guess_tokens(estimation, "openai", 1000, 600) == 300);
  CHECK(guess_tokens(estimation, "claude", 1000, 600) == 200);
  CHECK(guess_tokens(estimation, "odd", 1000, 600) == 150);
  CHECK(guess_tokens(estimation, "claude", 1001, 600) == 200);
  CHECK(guess_tokens(estimation, "claude", 2000, 600) == 400);
  CHECK(guess_tokens(estimation, "", 1, 0) == 1);
  CHECK(guess_tokens(estimation, "", 1, 1) == 1);
  CHECK(guess_tokens(estimation, "", 0, 0) == 0);
  estimation.bytes_per_token = 0;
  estimation.chars_per_token = std::nan("");
  CHECK(guess_tokens(estimation, "", 2000, 0) == 500);
  CHECK(guess_tokens(estimation, "", 400, 400) == 100);
  estimation.chars_per_token = 1e-300;
  CHECK(guess_tokens(estimation, "", 400, 400) == 1'000'000'000'000'000);
}

}  // namespace
}  // namespace llmproxy::gateway
