// Asks a question and waits for the whole answer, with a deadline and a way to
// give up:
//
//   send [QUESTION [SECONDS]]
//
// by the built-in demo model, which needs neither a key nor a network.
#include <cstdlib>
#include <iostream>
#include <thread>

#include "llmproxy/client.h"

using namespace llmproxy;

int main(int argc, char** argv) {
  // For a real one: make_backend(*find_provider("openai"), Secret(key)) and
  // make_curl_transport().
  const Client client(make_backend(*find_provider("demo"), Secret()),
                      make_demo_transport());

  ChatRequest request;
  request.model = argc > 2 ? "demo-slow" : "demo";
  request.dialect = "claude";  // the demo speaks all; this one has no seed
  request.seed = 7;
  request.messages = {user_message(argc > 1 ? argv[1] : "What is a proxy?")};

  Losses losses;
  std::stop_source give_up;
  CallOptions options;
  options.losses = &losses;
  options.stop = give_up.get_token();
  options.deadlines = Deadlines{.total = std::chrono::seconds(30)};

  std::jthread impatient;
  if (argc > 2) {
    impatient = std::jthread([&, seconds = std::atof(argv[2])] {
      std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
      give_up.request_stop();
    });
  }

  // Streams, so that there is something to give up; send() takes the same.
  const Result<ChatResponse> answer = [&]() -> Result<ChatResponse> {
    if (argc <= 2) return client.send(request, options);
    Accumulator sum;
    LLMPROXY_TRY(client.stream(
        request, [&](const StreamEvent& event) { sum.on_event(event); },
        options));
    return sum.response();
  }();

  if (!answer) {
    std::cerr << to_string(answer.error().kind) << ": "
              << answer.error().message << '\n';
    return 1;
  }
  std::cout << answer->text() << '\n';
  std::cerr << answer->usage.output_tokens.value_or(0) << " tokens\n";
  for (const Loss& loss : losses) std::cerr << "lost: " << loss.path << '\n';
}
