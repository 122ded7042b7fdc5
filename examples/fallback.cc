// Asks one model, and the next one when that fails:
//
//   fallback [FIRST_MODEL]
//
// The demo's model "demo-error-500" always fails, "demo-error-429" is always
// busy.
#include <iostream>

#include "llmproxy/fallback.h"

using namespace llmproxy;

int main(int argc, char** argv) {
  const Client demo(make_backend(*find_provider("demo"), Secret()),
                    make_demo_transport());
  // Usually of different providers. Each may have a name of its own for the
  // model.
  const FallbackClient client(
      {{demo, argc > 1 ? argv[1] : "demo-error-500"}, {demo, "demo"}},
      [](std::size_t choice, const Error& error) {
        std::cerr << "choice " << choice << ": " << to_string(error.kind)
                  << '\n';
      });

  ChatRequest request;
  request.messages = {user_message("Are you there?")};
  const Result<void> status =
      client.stream(request, [](const StreamEvent& event) {
        if (event.part_kind == PartKind::text) std::cout << event.text;
        return true;
      });
  std::cout << '\n';
  if (!status) std::cerr << status.error().message << '\n';
  return status ? 0 : 1;
}
