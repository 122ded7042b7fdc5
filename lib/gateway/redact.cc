#include "gateway/redact.h"

#include <string_view>

#include "gateway/credentials.h"

namespace llmproxy::gateway {
namespace {

// Local servers are given words such as "none" or "ollama".
constexpr std::size_t kShortest = 8;
constexpr std::string_view kInstead = "[key]";

void remove(std::string_view secret, std::string& text) {
  if (secret.size() < kShortest) return;
  std::size_t at = text.find(secret);
  while (at != std::string::npos) {
    text.replace(at, secret.size(), kInstead);
    at = text.find(secret, at + kInstead.size());
  }
}

}  // namespace

void redact(const Backend& backend, const HttpRequest& client,
            std::string& text) {
  remove(backend.api_key.reveal(), text);
  remove(backend.aws.secret_access_key.reveal(), text);
  remove(backend.aws.session_token.reveal(), text);
  for (const Header& header : backend.headers) remove(header.value, text);
  each_query_value(backend.query,
                   [&](std::string_view value) { remove(value, text); });
  for (const std::string_view sent : credentials_of(client)) {
    remove(sent, text);
  }
}

}  // namespace llmproxy::gateway
