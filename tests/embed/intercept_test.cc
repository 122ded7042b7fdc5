// Interceptors of what goes to upstreams.
#include "llmproxy/intercept.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "host.h"

namespace host {
namespace {

/// Asks for another model, and counts the answers.
struct Rewrite final : UpstreamInterceptor {
  Result<void> on_request(UpstreamRequest& request) override {
    const std::size_t at = request.body.find("Hello?");
    if (at != std::string::npos) request.body.replace(at, 6, "Goodbye");
    return {};
  }
  void on_answer(const UpstreamRequest& request, int status,
                 const Headers& headers) override {
    const bool right = status == 200 &&
                       request.body.find("Goodbye") != std::string::npos &&
                       !find_header(headers, "content-type").empty();
    if (right) ++answers;
  }
  std::atomic<int> answers = 0;
};

struct Refuse final : UpstreamInterceptor {
  Result<void> on_request(UpstreamRequest&) override {
    Error error;
    error.kind = ErrorKind::permission_denied;
    error.message = "not today";
    return error;
  }
  void on_answer(const UpstreamRequest&, int, const Headers&) override {
    answered = true;
  }
  std::atomic<bool> answered = false;
};

TEST_CASE("a request is changed on its way, whole or streamed") {
  const auto rewrite = std::make_shared<Rewrite>();
  const Client client(
      demo_backend("openai"),
      make_intercepting_transport(make_demo_transport(), rewrite));
  const auto answer = client.send(question());
  REQUIRE(answer);
  CHECK(text_of(*answer) == "You said: Goodbye");
  const auto later = client.send_async(question()).get();
  REQUIRE(later);
  CHECK(text_of(*later) == "You said: Goodbye");
  for (const OwnedStreamEvent& event : client.stream(question())) {
    CHECK(event.kind != EventKind::failed);
  }
  CHECK(rewrite->answers == 3);
}

TEST_CASE("a refused request goes nowhere, and says why") {
  const auto refuse = std::make_shared<Refuse>();
  const Client client(
      demo_backend("openai"),
      make_intercepting_transport(make_demo_transport(), refuse));
  std::vector<Result<ChatResponse>> answers;
  answers.push_back(client.send(question()));
  answers.push_back(client.send_async(question()).get());
  for (const auto& answer : answers) {
    REQUIRE_FALSE(answer);
    CHECK(answer.error().kind == ErrorKind::permission_denied);
    CHECK(answer.error().message == "not today");
  }
  EventStream stream = client.stream(question());
  while (stream.next() != nullptr) {
  }
  REQUIRE_FALSE(stream.status());
  CHECK(stream.status().error().message == "not today");
  CHECK_FALSE(refuse->answered);
}

}  // namespace
}  // namespace host
