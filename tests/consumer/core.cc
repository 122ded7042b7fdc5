// The smallest user of llmproxy::core: links nothing else, does no I/O, and
// is compiled without exceptions and run-time type information.
#include <string>

#include "llmproxy/translate.h"

int main() {
  using namespace llmproxy;
  auto sent = translate_request(
      *find_dialect("openai-chat"), *find_dialect("claude"),
      R"({"model":"m","messages":[{"role":"user","content":"hi"}]})");
  // Comparisons are exported, too.
  if (user_message("hi") != user_message("hi")) return 2;
  return sent && sent->body.find("max_tokens") != std::string::npos ? 0 : 1;
}
