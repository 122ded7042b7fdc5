// Translates a request from openai-chat to claude without any network.
//
//   translate_body              a built-in body
//   translate_body - <body.json one from standard input
//
// Prints the body to send and, on standard error, what could not cross.
#include <iostream>
#include <iterator>

#include "llmproxy/translate.h"

using namespace llmproxy;

constexpr const char* kBody = R"({"model": "claude-sonnet-4-5", "seed": 7,
  "messages": [{"role": "system", "content": "Be brief."},
               {"role": "user", "content": "What is a proxy?"}]})";

int main(int argc, char**) {
  std::string body = kBody;
  if (argc > 1) body.assign(std::istreambuf_iterator<char>(std::cin), {});

  auto sent = translate_request(*find_dialect("openai-chat"),
                                *find_dialect("claude"), body);
  if (!sent) {
    std::cerr << sent.error().path << ": " << sent.error().message << '\n';
    return 1;
  }
  std::cout << sent->body << '\n';
  for (const Loss& loss : sent->losses) {
    std::cerr << "lost: " << loss.path << ": " << loss.what << '\n';
  }
}
