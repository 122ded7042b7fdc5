// After fork(): the child's calls are its own. It has no engine thread and must
// not touch the connections it inherits, which are its parent's too.
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "llmproxy/client.h"
#include "support/client_calls.h"
#include "support/http_stub.h"

namespace llmproxy::testing {
namespace {

/// What a child that runs `work` ends with; -1 = not by itself, in time.
template <class Work>
int in_child(Work work) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(static_cast<unsigned>(kPatience.count()));
    _exit(work());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// Every way to ask, once; 0 = all were answered.
int ask_all(const Client& client, const ChatRequest& request) {
  if (!client.send(request)) return 1;
  if (!client.send_async(request).get()) return 2;
  EventStream stream = client.stream(request);
  while (stream.next() != nullptr) {
  }
  if (!stream.status()) return 3;
  if (!client.stream(request, [](const StreamEvent&) {})) return 4;
  return 0;
}

TEST_CASE("a forked child asks the demo in every way") {
  const Client client(make_backend(*find_provider("demo"), Secret()),
                      make_demo_transport());
  ChatRequest request = question();
  request.model = "demo";
  CHECK(ask_all(client, request) == 0);
  CHECK(in_child([&] { return ask_all(client, request); }) == 0);
  CHECK(ask_all(client, request) == 0);
}

TEST_CASE("a forked child asks over connections of its own") {
  HttpStub stub([](StubCall& call) {
    const bool stream =
        call.body().find("\"stream\":true") != std::string::npos;
    call.send(http_answer(
        200, std::string(stream ? wires()[0].stream : wires()[0].whole),
        stream ? "text/event-stream" : "application/json"));
  });
  CurlOptions options;
  options.max_idle = std::chrono::minutes(5);
  const Client client =
      client_of(wires()[0], make_curl_transport(options), stub.url() + "/v1");
  CHECK(ask_all(client, question()) == 0);
  const int before = stub.connections();
  CHECK(in_child([&] { return ask_all(client, question()); }) == 0);
  // One for each of the two ways: it was left two that it could have used.
  CHECK(stub.connections() >= before + 2);
  // The parent's are still good, and its engine still runs.
  const int then = stub.connections();
  CHECK(ask_all(client, question()) == 0);
  CHECK(stub.connections() == then);
}

TEST_CASE("a transport that a child drops is dropped there at once") {
  for (auto transport : {make_demo_transport(), make_curl_transport()}) {
    const int status = in_child([&] {
      transport.reset();
      return 0;
    });
    CHECK(status == 0);
  }
}

}  // namespace
}  // namespace llmproxy::testing
