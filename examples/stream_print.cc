// Asks a question and prints the answer while it is written:
//
//   stream_print [QUESTION]
//
// by Anthropic when its key is in the environment, else by the built-in demo
// model, which needs neither a key nor a network.
#include <cstdlib>
#include <iostream>

#include "llmproxy/client.h"

using namespace llmproxy;

int main(int argc, char** argv) {
  const char* key = std::getenv("ANTHROPIC_API_KEY");
  const Client client =
      key ? Client(make_backend(*find_provider("anthropic"), Secret(key)),
                   make_curl_transport())
          : Client(make_backend(*find_provider("demo"), Secret()),
                   make_demo_transport());

  ChatRequest request;
  request.model = key ? "claude-sonnet-4-5" : "demo";
  request.messages = {user_message(argc > 1 ? argv[1] : "What is a proxy?")};

  EventStream stream = client.stream(request);
  for (const OwnedStreamEvent& event : stream) {
    if (event.part_kind == PartKind::text) {
      std::cout << event.text << std::flush;
    }
  }
  std::cout << '\n';
  const auto status = stream.status();
  if (!status) std::cerr << status.error().message << '\n';
  return status ? 0 : 1;
}
