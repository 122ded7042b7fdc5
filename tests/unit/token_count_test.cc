// How far the guess at tokens is from two real tokenizers.
#include "chat/token_count.h"

#include <catch2/catch.hpp>
#include <string>

#include "chat/estimate.h"
#include "support/test_data.h"

namespace llmproxy {
namespace {

/// Counted with o200k_base (npm gpt-tokenizer 3) and with Anthropic's
/// published tokenizer (npm @anthropic-ai/tokenizer 0.0.4).
struct Counted {
  const char* file;
  double openai;
  double anthropic;
  double tolerance;
};
constexpr Counted kTexts[] = {
    {"prose.txt", 1489, 1528, 0.15},
    {"code.txt", 1662, 1911, 0.25},
    {"script.txt", 495, 552, 0.25},
    {"json.txt", 1030, 1013, 0.25},
};

std::string text_of(const char* file) {
  std::string text = testing::read_data(std::string("tokens/") + file);
  REQUIRE_FALSE(text.empty());
  return text;
}

}  // namespace

TEST_CASE("the guess at tokens is near to what tokenizers count") {
  for (const Counted& row : kTexts) {
    CAPTURE(row.file);
    const auto guess = static_cast<double>(count_tokens_of(text_of(row.file)));
    CHECK(guess > row.openai * (1 - row.tolerance));
    CHECK(guess < row.openai * (1 + row.tolerance));
    CHECK(guess > row.anthropic * (1 - row.tolerance));
    CHECK(guess < row.anthropic * (1 + row.tolerance));
  }
}

TEST_CASE("large texts are sampled, and come out alike") {
  const std::string once = text_of("prose.txt");
  const std::size_t tokens = count_tokens_of(once);
  std::string many;
  for (int i = 0; i < 100; ++i) many += once;
  const auto guess = static_cast<double>(count_tokens_of(many));
  CHECK(guess > static_cast<double>(tokens) * 95);
  CHECK(guess < static_cast<double>(tokens) * 105);
}

TEST_CASE("a share of a long conversation stands for all of it") {
  const std::string prose = text_of("prose.txt");
  ChatRequest request;
  for (std::size_t i = 0; i < 300; ++i) {
    // Messages of all sizes, also short ones.
    request.messages.push_back(
        user_message(prose.substr(i, 20 + i * i % 1500)));
  }
  const auto all = static_cast<double>(estimate_input_tokens(request));
  constexpr std::size_t kShare = 32 << 10;
  const auto glance =
      static_cast<double>(estimate_input_tokens(request, kShare));
  CHECK(glance != all);
  CHECK(glance > all * 0.9);
  CHECK(glance < all * 1.1);
}

TEST_CASE("nothing is nothing, and a request never is") {
  CHECK(count_tokens_of("") == 0);
  CHECK(count_tokens_of("a") == 1);
  CHECK(count_tokens_of("1234567") == 3);
  CHECK(count_tokens_of("\xE4\xBD\xA0\xE5\xA5\xBD") == 2);
  CHECK(estimate_input_tokens({}) == 1);
}

}  // namespace llmproxy
