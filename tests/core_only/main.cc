// The smallest user of an installed llmproxy::core: links nothing else, does
// no I/O. tests/tools/symbols_test.py builds it, looks at the libraries it
// loads, and runs it.
#include <string>

#include "llmproxy/translate.h"

int main() {
  using namespace llmproxy;
  auto sent = translate_request(
      *find_dialect("openai-chat"), *find_dialect("claude"),
      R"({"model":"m","messages":[{"role":"user","content":"hi"}]})");
  return sent && sent->body.find("max_tokens") != std::string::npos ? 0 : 1;
}
