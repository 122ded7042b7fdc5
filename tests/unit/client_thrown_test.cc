// Functions of the host's that throw: the call ends as an error, the same over
// every transport and in every way to ask; nothing else is disturbed.
#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "llmproxy/client.h"
#include "llmproxy/fallback.h"
#include "llmproxy/intercept.h"
#include "llmproxy/tools.h"
#include "support/client_calls.h"
#include "support/http_stub.h"
#include "support/recorder.h"
#include "support/transport_ways.h"

namespace llmproxy::testing {
namespace {

/// The demo, or the same answers over libcurl from a server on loopback.
class Upstream {
 public:
  explicit Upstream(bool curl) {
    if (!curl) return;
    stub_.emplace([](StubCall& call) {
      const bool stream =
          call.body().find("\"stream\":true") != std::string::npos;
      call.send(http_answer(
          200, std::string(stream ? wires()[0].stream : wires()[0].whole),
          stream ? "text/event-stream" : "application/json"));
    });
    transport_ = make_curl_transport();
  }

  Client client() const {
    return stub_ ? client_of(wires()[0], transport_, stub_->url() + "/v1")
                 : Client(make_backend(*find_provider("demo"), Secret()),
                          make_demo_transport());
  }

 private:
  std::optional<HttpStub> stub_;
  std::shared_ptr<Transport> transport_;
};

Upstream either_upstream() {
  const bool curl = GENERATE(false, true);
  UNSCOPED_INFO((curl ? "curl" : "demo"));
  return Upstream(curl);
}

ChatRequest hello() {
  ChatRequest request = question();
  request.model = "demo";
  return request;
}

void check_thrown(const Error& error) {
  CHECK(error.kind == ErrorKind::cancelled);
  CHECK(error.fault == Fault::client);
  CHECK(error.message.find("boom") != std::string::npos);
}

/// What stands between a call and its upstream says no more than that.
void check_failed(const Error& error) {
  CHECK(error.kind == ErrorKind::internal);
  CHECK(error.message.find("threw") != std::string::npos);
  CHECK(error.message.find("boom") == std::string::npos);
}

/// Which event the callback throws at.
constexpr EventKind kAt[] = {EventKind::started, EventKind::part_delta,
                             EventKind::finished};

TEST_CASE("a pushed stream whose callback throws is an error") {
  const Upstream upstream = either_upstream();
  const Client client = upstream.client();
  for (const EventKind at : kAt) {
    INFO("event " << static_cast<int>(at));
    int after = 0;
    bool thrown = false;
    const Result<void> status =
        client.stream(hello(), [&](const StreamEvent& event) {
          if (thrown) ++after;
          if (event.kind != at) return;
          thrown = true;
          throw std::runtime_error("boom");
        });
    REQUIRE(thrown);
    REQUIRE_FALSE(status);
    check_thrown(status.error());
    CHECK(after == 0);
  }
  // What is no std::exception, and the same client once more.
  const Result<void> odd =
      client.stream(hello(), [](const StreamEvent&) { throw 7; });
  REQUIRE_FALSE(odd);
  CHECK(odd.error().kind == ErrorKind::cancelled);
  CHECK(client.send(hello()));
}

TEST_CASE("a stream on the engine whose callback throws fails, and tells") {
  const Upstream upstream = either_upstream();
  const Client client = upstream.client();
  for (const EventKind at : kAt) {
    INFO("event " << static_cast<int>(at));
    struct Told {
      std::promise<std::optional<Error>> end;
      int ends = 0;
      bool thrown = false;
    };
    const auto told = std::make_shared<Told>();
    const Call call =
        client.stream_async(hello(), [told, at](const StreamEvent& event) {
          if (event.kind == EventKind::failed ||
              event.kind == EventKind::finished) {
            ++told->ends;
            told->end.set_value(event.error != nullptr
                                    ? std::optional(*event.error)
                                    : std::nullopt);
          }
          if (event.kind != at || told->thrown) return;
          told->thrown = true;
          throw std::runtime_error("boom");
        });
    const std::optional<Error> error = told->end.get_future().get();
    CHECK(eventually([&] { return call.done(); }));
    CHECK(told->ends == 1);
    CHECK(told->thrown);
    // Out of the end itself it is dropped.
    REQUIRE(error.has_value() == (at != EventKind::finished));
    if (error) check_thrown(*error);
  }
  CHECK(client.send_async(hello()).get());
}

TEST_CASE("a callback that always throws ends, too") {
  const Upstream upstream = either_upstream();
  const Client client = upstream.client();
  const Call stream = client.stream_async(
      hello(), [](const StreamEvent&) { throw std::runtime_error("boom"); });
  const Call answer = client.send_async(
      hello(),
      [](const Result<ChatResponse>&) { throw std::runtime_error("boom"); });
  CHECK(eventually([&] { return stream.done() && answer.done(); }));
  CHECK(client.send_async(hello()).get());
}

TEST_CASE("a tool that throws has failed, and the run goes on") {
  int runs = 0;
  const Tool tool{"say", "Says it", R"({"type":"object"})",
                  [&](const std::string&) -> Result<std::string> {
                    ++runs;
                    throw std::runtime_error("boom");
                  }};
  const Upstream upstream(false);
  const ToolRun run = run_tools(upstream.client(), hello(), {tool});
  REQUIRE(run.answer);
  CHECK(runs == 1);
  CHECK(run.finished);
  REQUIRE(run.messages.size() == 4);
  const auto* result = run.messages[2].content.at(0).as<ToolResultPart>();
  REQUIRE(result != nullptr);
  CHECK(result->is_error);
  REQUIRE(result->content.at(0).as<TextPart>() != nullptr);
  CHECK(result->content[0].as<TextPart>()->text.find("boom") !=
        std::string::npos);
}

TEST_CASE("a run whose events throw keeps what was said so far") {
  const Tool tool{"say", "Says it", R"({"type":"object"})",
                  [](const std::string&) -> Result<std::string> {
                    return std::string("said");
                  }};
  int started = 0;
  ToolOptions options;
  options.on_event = [&](const StreamEvent& event) -> bool {
    if (event.kind == EventKind::started && ++started == 2) {
      throw std::runtime_error("boom");
    }
    return true;
  };
  const Upstream upstream(false);
  const ToolRun run = run_tools(upstream.client(), hello(), {tool}, options);
  REQUIRE_FALSE(run.answer);
  check_thrown(run.answer.error());
  CHECK_FALSE(run.finished);
  CHECK(run.messages.size() == 3);
}

TEST_CASE("a fallback is not asked for what the callback threw") {
  int failures = 0;
  const Upstream upstream(false);
  const FallbackClient client({{upstream.client()}, {upstream.client()}},
                              [&](std::size_t, const Error&) { ++failures; });
  const Result<void> status = client.stream(
      hello(),
      [](const StreamEvent&) -> bool { throw std::runtime_error("boom"); });
  REQUIRE_FALSE(status);
  check_thrown(status.error());
  CHECK(failures == 0);
}

TEST_CASE("what the log of failures throws stops no fallback") {
  const Upstream upstream(false);
  const FallbackClient client(
      {{upstream.client(), "demo-error-500"}, {upstream.client(), "demo"}},
      [](std::size_t, const Error&) { throw std::runtime_error("boom"); });
  CHECK(client.send(hello()));
  CHECK(client.stream(hello(), [](const StreamEvent&) { return true; }));
}

/// Throws where it is told.
struct Thrower final : UpstreamInterceptor {
  explicit Thrower(bool in_request) : request(in_request) {}
  Result<void> on_request(UpstreamRequest&) override {
    if (request) throw std::runtime_error("boom");
    return {};
  }
  void on_answer(const UpstreamRequest&, int, const Headers&) override {
    if (!request) throw std::runtime_error("boom");
  }
  const bool request;
};

TEST_CASE("an interceptor that throws ends the call") {
  const bool curl = GENERATE(false, true);
  const bool in_request = GENERATE(false, true);
  INFO((curl ? "curl" : "demo") << (in_request ? " request" : " answer"));
  HttpStub stub([](StubCall& call) {
    call.send(http_answer(200, std::string(wires()[0].whole)));
  });
  const auto transport = make_intercepting_transport(
      curl ? make_curl_transport() : make_demo_transport(),
      std::make_shared<Thrower>(in_request));
  const Client client =
      curl ? client_of(wires()[0], transport, stub.url() + "/v1")
           : Client(make_backend(*find_provider("demo"), Secret()), transport);
  const auto waited = client.send(hello());
  REQUIRE_FALSE(waited);
  check_failed(waited.error());
  const auto later = client.send_async(hello()).get();
  REQUIRE_FALSE(later);
  check_failed(later.error());
  CHECK(stub.requests() == (curl && !in_request ? 2 : 0));
}

TEST_CASE("a backend whose signature throws sends nothing") {
  auto transport = std::make_shared<ScriptedTransport>();
  Backend backend =
      make_backend(*find_provider("openai"), Secret("sk-1"), "http://h/v1");
  backend.sign = [](UpstreamRequest&) { throw std::runtime_error("boom"); };
  const auto answer = Client(backend, transport).send(hello());
  REQUIRE_FALSE(answer);
  check_failed(answer.error());
  CHECK(transport->requests().empty());
}

/// Throws out of one of its functions.
struct BadHandler final : ResponseHandler {
  explicit BadHandler(int function) : in(function) {}
  BadHandler(const BadHandler&) = delete;
  BadHandler& operator=(const BadHandler&) = delete;
  void on_head(int, const Headers&) override { maybe(0); }
  Flow on_body(std::string_view) override {
    maybe(1);
    return Flow::go_on;
  }
  void on_done(const Result<void>& result) override {
    done.set_value(result);
    maybe(2);
  }
  void maybe(int function) const {
    if (function == in) throw std::runtime_error("boom");
  }
  const int in;
  std::promise<Result<void>> done;
};

TEST_CASE("a handler that throws ends its transfer, and no other") {
  const Way way = either_way();
  const bool curl = GENERATE(false, true);
  HttpStub stub([](StubCall& call) {
    call.send(http_answer(200, std::string(wires()[0].whole)));
  });
  // Outlive the transport, whose thread may be in them still.
  BadHandler handlers[] = {BadHandler(0), BadHandler(1), BadHandler(2)};
  const auto transport = curl ? make_curl_transport() : make_demo_transport();
  const UpstreamRequest request =
      post(curl ? stub.url() + "/v1/chat/completions"
                : std::string("demo:/chat/completions"),
           R"({"model":"demo","messages":[{"role":"user","content":"x"}]})");
  for (BadHandler& handler : handlers) {
    INFO((curl ? "curl" : "demo") << ", function " << handler.in);
    auto done = handler.done.get_future();
    std::shared_ptr<Transfer> transfer;
    if (way == Way::perform) {
      transport->perform(request, handler);
    } else {
      transfer = transport->start(request, handler);
    }
    const Result<void> result = done.get();
    CHECK(result.has_value() == (handler.in == 2));
    if (!result) check_thrown(result.error());
    Recorder recorder;
    run(way, *transport, request, recorder);
    CHECK(recorder.succeeded());
  }
}

}  // namespace
}  // namespace llmproxy::testing
