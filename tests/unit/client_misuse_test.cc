// What a program may get wrong: no transport, no provider, a stop that came
// first, rows that lead nowhere. It gets an error, and nothing is sent.
#include <catch2/catch.hpp>
#include <future>

#include "llmproxy/client.h"
#include "llmproxy/fallback.h"
#include "llmproxy/gateway.h"
#include "llmproxy/intercept.h"
#include "llmproxy/replay.h"
#include "llmproxy/tools.h"
#include "llmproxy/validate_config.h"
#include "support/client_calls.h"
#include "support/http_stub.h"
#include "support/recording_sink.h"
#include "support/transport_ways.h"

using namespace llmproxy;

namespace {

ChatRequest hello(std::string model = "demo") {
  ChatRequest request;
  request.model = std::move(model);
  request.messages.push_back(user_message("hello"));
  return request;
}

Backend demo() { return make_backend(*find_provider("demo"), Secret()); }

/// Counts the calls that come through to the demo.
class Counting final : public Transport {
 public:
  void perform(const UpstreamRequest& request, ResponseHandler& handler,
               const Cancelled& cancelled) override {
    ++calls;
    inner_->perform(request, handler, cancelled);
  }
  std::shared_ptr<Transfer> start(UpstreamRequest request,
                                  ResponseHandler& handler) override {
    if (!request.url.empty()) ++calls;
    return inner_->start(std::move(request), handler);
  }
  int calls = 0;

 private:
  const std::shared_ptr<Transport> inner_ = make_demo_transport();
};

/// Every way to ask, and how it ended.
struct Way {
  const char* name;
  Result<void> (*ask)(const Client& client, const ChatRequest& request,
                      const CallOptions& options);
};
Result<void> status_of(const Result<ChatResponse>& answer) {
  return answer ? Result<void>() : Result<void>(answer.error());
}
const Way kWays[] = {
    {"send",
     [](const Client& client, const ChatRequest& request,
        const CallOptions& options) {
       return status_of(client.send(request, options));
     }},
    {"push",
     [](const Client& client, const ChatRequest& request,
        const CallOptions& options) {
       return client.stream(
           request, [](const StreamEvent&) {}, options);
     }},
    {"pull",
     [](const Client& client, const ChatRequest& request,
        const CallOptions& options) {
       EventStream stream = client.stream(request, options);
       while (stream.next() != nullptr) {
       }
       return stream.status();
     }},
    {"send_async",
     [](const Client& client, const ChatRequest& request,
        const CallOptions& options) {
       return status_of(client.send_async(request, options).get());
     }},
    {"stream_async",
     [](const Client& client, const ChatRequest& request,
        const CallOptions& options) {
       // The engine may be in it still when the value has arrived.
       const auto end = std::make_shared<std::promise<Result<void>>>();
       client.stream_async(
           request,
           [end](const StreamEvent& event) {
             if (event.kind == EventKind::finished) end->set_value({});
             if (event.kind == EventKind::failed) end->set_value(*event.error);
           },
           options);
       return end->get_future().get();
     }},
    {"run_tools",
     [](const Client& client, const ChatRequest& request,
        const CallOptions& options) {
       ToolOptions tools;
       tools.call = options;
       return status_of(run_tools(client, request, {}, tools).answer);
     }},
    {"fallback",
     [](const Client& client, const ChatRequest& request,
        const CallOptions& options) {
       return status_of(FallbackClient({{client, {}}}).send(request, options));
     }},
};

}  // namespace

TEST_CASE("a stop that was requested already makes no call") {
  for (const Way& way : kWays) {
    INFO(way.name);
    const auto transport = std::make_shared<Counting>();
    const Client client(demo(), transport);
    std::stop_source stop;
    CallOptions options;
    options.stop = stop.get_token();
    CHECK(way.ask(client, hello(), options));
    const int before = transport->calls;
    CHECK(before > 0);
    stop.request_stop();
    const Result<void> stopped = way.ask(client, hello(), options);
    REQUIRE_FALSE(stopped);
    CHECK(stopped.error().kind == ErrorKind::cancelled);
    CHECK(transport->calls == before);
  }
}

TEST_CASE("a stop that was requested already opens no connection") {
  testing::HttpStub stub([](testing::StubCall& call) {
    call.send(
        testing::http_answer(200, std::string(testing::wires()[0].whole)));
  });
  const Client client = testing::client_of(
      testing::wires()[0], make_curl_transport(), stub.url() + "/v1");
  std::stop_source stop;
  CallOptions options;
  options.stop = stop.get_token();
  CHECK(client.send(hello(), options));
  const int before = stub.requests();
  CHECK(before == 1);
  stop.request_stop();
  for (const Way& way : kWays) {
    INFO(way.name);
    const Result<void> stopped = way.ask(client, hello(), options);
    REQUIRE_FALSE(stopped);
    CHECK(stopped.error().kind == ErrorKind::cancelled);
  }
  CHECK(stub.requests() == before);
}

TEST_CASE("a transport asks whether to go on before it sends") {
  testing::HttpStub stub([](testing::StubCall& call) {
    call.send(testing::http_answer(200, "{}"));
  });
  struct Row {
    std::shared_ptr<Transport> transport;
    std::string url;
  };
  const Row rows[] = {{make_curl_transport(), stub.url() + "/"},
                      {make_demo_transport(), "demo:/chat/completions"}};
  for (const Row& row : rows) {
    INFO(row.url);
    testing::Recorder recorder;
    row.transport->perform(testing::post(row.url), recorder,
                           [] { return true; });
    REQUIRE(recorder.wait_done());
    REQUIRE_FALSE(recorder.succeeded());
    CHECK(recorder.error().kind == ErrorKind::cancelled);
    CHECK(recorder.status() == 0);
  }
  CHECK(stub.requests() == 0);
}

TEST_CASE("a stop requested inside of a tool ends the run") {
  const auto transport = std::make_shared<Counting>();
  const Client client(demo(), transport);
  std::stop_source stop;
  const Tool tool{"say", "Says it", R"({"type":"object"})",
                  [&](const std::string&) -> Result<std::string> {
                    stop.request_stop();
                    return std::string("said");
                  }};
  ToolOptions options;
  options.call.stop = stop.get_token();
  const ToolRun run = run_tools(client, hello(), {tool}, options);
  REQUIRE_FALSE(run.answer);
  CHECK(run.answer.error().kind == ErrorKind::cancelled);
  CHECK(transport->calls == 1);
}

TEST_CASE("a transport that is not there is an error, not a crash") {
  const std::string file = std::tmpnam(nullptr);
  const std::shared_ptr<Transport> none;
  const std::shared_ptr<Transport> transports[] = {
      none, make_intercepting_transport(none, nullptr),
      make_recording_transport(none, file).value()};
  for (const auto& transport : transports) {
    const Client client(demo(), transport);
    for (const Way& way : kWays) {
      INFO(way.name << ", transport " << &transport - transports);
      const Result<void> status = way.ask(client, hello(), {});
      REQUIRE_FALSE(status);
      CHECK(status.error().kind == ErrorKind::internal);
      CHECK(status.error().message.find("transport") != std::string::npos);
    }
  }
  std::remove(file.c_str());
}

TEST_CASE("a gateway without a transport answers with an error") {
  Config config;
  config.backends.push_back(
      make_backend(*find_provider("openai"), Secret("k")));
  config.routes.push_back({.name = "*", .backend = "openai", .model = "*"});
  REQUIRE(validate(config));
  Gateway gateway(config, nullptr);
  HttpRequest request;
  request.method = "POST";
  request.path = "/v1/chat/completions";
  request.body = R"({"model":"m","messages":[{"role":"user","content":"hi"}]})";
  testing::RecordingSink sink;
  gateway.handle(std::move(request), sink);
  CHECK(sink.status() >= 500);
}

TEST_CASE("a backend that lacks something is the caller's mistake") {
  struct Row {
    const char* what;
    Backend backend;
  };
  static const Provider unknown{
      .name = "acme", .dialect = "no-such", .base_url = "http://127.0.0.1:1"};
  Backend without_provider = demo();
  without_provider.provider = nullptr;
  const Row rows[] = {
      {"no base URL",
       make_backend(*find_provider("openai-compatible"), Secret("k"))},
      {"no provider", without_provider},
      {"dialect", make_backend(unknown, Secret("k"))},
  };
  for (const Row& row : rows) {
    const auto transport = std::make_shared<Counting>();
    const Client client(row.backend, transport);
    for (const Way& way : kWays) {
      INFO(row.what << " " << way.name);
      const Result<void> status = way.ask(client, hello("m"), {});
      REQUIRE_FALSE(status);
      CHECK(status.error().kind == ErrorKind::invalid_request);
      CHECK(status.error().fault == Fault::client);
      CHECK(status.error().message.find(row.what) != std::string::npos);
    }
    CHECK(transport->calls == 0);
  }
}

TEST_CASE("a provider of a dialect that is not known is refused") {
  CHECK_FALSE(register_provider({.name = "lost", .dialect = "no-such"}));
  CHECK_FALSE(register_provider({.name = "", .dialect = "claude"}));
  CHECK(find_provider("lost") == nullptr);
}

TEST_CASE("dialects are found by their vendors, too") {
  CHECK(find_dialect("anthropic") == find_dialect("claude"));
  CHECK(find_dialect("openai") == nullptr);  // which of the two?
  CHECK(find_dialect("google") == find_dialect("gemini"));
  CHECK(find_dialect("") == nullptr);
  CHECK(find_dialect("Claude") == nullptr);
}

TEST_CASE("a configuration made by hand can be checked") {
  Config config;
  CHECK(validate(config));
  config.backends.push_back(demo());
  config.routes.push_back({.name = "demo", .backend = "demo", .model = "demo"});
  CHECK(validate(config));
  config.routes.push_back({.name = "x", .backend = "nobody", .model = "x"});
  const Result<void> lost = validate(config);
  REQUIRE_FALSE(lost);
  CHECK(lost.error().fault == Fault::client);
  CHECK(lost.error().message.find("\"nobody\"") != std::string::npos);
  config.routes.pop_back();
  config.backends.push_back(demo());
  CHECK_FALSE(validate(config));
  config.backends.back().name = "two";
  CHECK(validate(config));
  config.backends.back().base_url.clear();
  CHECK_FALSE(validate(config));
}
