#include "gateway/redact.h"

#include <string_view>

namespace llmproxy::gateway {
namespace {

// Local servers are given words such as "none" or "ollama".
constexpr std::size_t kShortest = 8;
constexpr std::string_view kInstead = "[key]";

}  // namespace

void redact(const Secret& key, std::string& text) {
  const std::string& secret = key.reveal();
  if (secret.size() < kShortest) return;
  std::size_t at = text.find(secret);
  while (at != std::string::npos) {
    text.replace(at, secret.size(), kInstead);
    at = text.find(secret, at + kInstead.size());
  }
}

}  // namespace llmproxy::gateway
