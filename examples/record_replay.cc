// Records what goes over the network, and answers from the recording:
//
//   record_replay record FILE      asks, and writes what was said
//   record_replay replay FILE      asks the file
//
// A host's tests replay; they need no network, no key, and never change.
#include <iostream>
#include <string>

#include "llmproxy/client.h"
#include "llmproxy/replay.h"

using namespace llmproxy;

int main(int argc, char** argv) {
  if (argc != 3) return std::cerr << "record_replay record|replay FILE\n", 2;
  // With a real provider: make_curl_transport().
  const auto transport =
      argv[1] == std::string("record")
          ? make_recording_transport(make_demo_transport(), argv[2])
          : make_replaying_transport(argv[2]);
  if (!transport) return std::cerr << transport.error().message << '\n', 1;
  const Client client(
      make_backend(*find_provider("anthropic"),
                   Secret("a key that is not written"), "demo:"),
      *transport);

  ChatRequest request;
  request.model = "demo";
  request.messages = {user_message("What is a proxy?")};
  const Result<void> status =
      client.stream(request, [](const StreamEvent& event) {
        if (event.part_kind == PartKind::text) std::cout << event.text;
      });
  std::cout << '\n';
  if (!status) std::cerr << status.error().message << '\n';
  return status ? 0 : 1;
}
