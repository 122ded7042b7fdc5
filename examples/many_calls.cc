// Many calls at once, none of which has a thread of its own: futures,
// callbacks, and a call that is cancelled.
//
//   many_calls [HOW_MANY]
#include <cstdlib>
#include <future>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "llmproxy/client.h"

using namespace llmproxy;

ChatRequest ask(const std::string& text, const std::string& model = "demo") {
  ChatRequest request;
  request.model = model;
  request.messages = {user_message(text)};
  return request;
}

int main(int argc, char** argv) {
  const int many = argc > 1 ? std::atoi(argv[1]) : 100;
  const Client client(make_backend(*find_provider("demo"), Secret()),
                      make_demo_transport());

  // Futures: all begin now, and are waited for later.
  std::vector<std::future<Result<ChatResponse>>> answers;
  for (int i = 0; i < many; ++i) {
    answers.push_back(client.send_async(ask("Question " + std::to_string(i))));
  }

  // Callbacks: on the transport's one engine thread. What takes long, or
  // belongs to another thread, is handed over from there.
  std::vector<std::promise<std::size_t>> streams(answers.size());
  for (std::promise<std::size_t>& stream : streams) {
    client.stream_async(
        ask("Tell me a story"),
        [&stream, size = std::size_t{0}](const StreamEvent& event) mutable {
          size += event.text.size();
          const bool last = event.kind == EventKind::finished ||
                            event.kind == EventKind::failed;
          if (last) stream.set_value(size);
        });
  }

  // A handle, to change one's mind. A stop_token in CallOptions does the same.
  std::promise<std::string> slow;
  const Call call = client.stream_async(
      ask("Take your time", "demo-slow"), [&](const StreamEvent& event) {
        if (event.kind == EventKind::failed) {
          slow.set_value(std::string(to_string(event.error->kind)));
        }
      });
  call.cancel();

  int right = 0;
  for (auto& answer : answers) right += answer.get() ? 1 : 0;
  std::size_t bytes = 0;
  for (auto& stream : streams) bytes += stream.get_future().get();
  std::cout << right << " answers, " << streams.size() << " streams of "
            << bytes << " bytes, one call " << slow.get_future().get() << '\n';
}
