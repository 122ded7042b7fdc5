// The demo as a backend: on the wire, in every dialect, and behind a Gateway.
#include <condition_variable>
#include <thread>

#include <catch2/catch.hpp>

#include "client/demo/faults.h"
#include "support/gateway_fixture.h"

using namespace llmproxy;
using namespace llmproxy::testing;

namespace {

constexpr const char* kOpenAiUrl = "demo:/chat/completions";
constexpr const char* kClaudeUrl = "demo:/messages";

UpstreamRequest demo_request(std::string url, std::string body) {
  UpstreamRequest request;
  request.url = std::move(url);
  request.body = std::move(body);
  return request;
}

// The body that a client of that dialect would send.
UpstreamRequest hello(bool openai, const std::string& model, bool stream) {
  return demo_request(openai ? kOpenAiUrl : kClaudeUrl,
                      openai ? openai_request(model, stream).body
                             : claude_request(model, stream).body);
}

/// Keeps an answer; can ask for a pause at each piece, or stop.
class Handler final : public ResponseHandler {
 public:
  void on_head(int status, const Headers& headers) override {
    const std::lock_guard lock(mutex_);
    status_ = status;
    headers_ = headers;
    thread_ = std::this_thread::get_id();
  }
  Flow on_body(std::string_view bytes) override {
    const std::lock_guard lock(mutex_);
    pieces_.emplace_back(bytes);
    return flow_;
  }
  void on_done(const Result<void>& result) override {
    const std::lock_guard lock(mutex_);
    result_ = result;
    ++done_;
    changed_.notify_all();
  }

  void set_flow(Flow flow) {
    const std::lock_guard lock(mutex_);
    flow_ = flow;
  }
  bool wait() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [this] { return done_ > 0; });
  }
  std::size_t pieces() const {
    const std::lock_guard lock(mutex_);
    return pieces_.size();
  }
  std::string body() const {
    const std::lock_guard lock(mutex_);
    std::string all;
    for (const std::string& piece : pieces_) all += piece;
    return all;
  }
  int status() const {
    const std::lock_guard lock(mutex_);
    return status_;
  }
  std::string header(std::string_view name) const {
    const std::lock_guard lock(mutex_);
    return std::string(find_header(headers_, name));
  }
  std::thread::id thread() const {
    const std::lock_guard lock(mutex_);
    return thread_;
  }
  Result<void> result() const {
    const std::lock_guard lock(mutex_);
    return result_;
  }
  int done() const {
    const std::lock_guard lock(mutex_);
    return done_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int status_ = 0;
  Headers headers_;
  std::vector<std::string> pieces_;
  std::thread::id thread_;
  Result<void> result_;
  int done_ = 0;
  Flow flow_ = Flow::go_on;
};

}  // namespace

TEST_CASE("the demo answers on the calling thread") {
  const auto transport = make_demo_transport();
  Handler openai;
  transport->perform(hello(true, "demo", false), openai);
  CHECK(openai.status() == 200);
  CHECK(openai.header("content-type") == "application/json");
  CHECK(at(openai.body(), "choices", 0, "message", "content") ==
        "You said: hi");
  CHECK(openai.thread() == std::this_thread::get_id());
  CHECK(openai.done() == 1);

  Handler claude;
  transport->perform(hello(false, "demo", false), claude);
  CHECK(claude.status() == 200);
  CHECK(at(claude.body(), "content", 0, "text") == "You said: hi");
  CHECK(at(claude.body(), "usage", "input_tokens") == "1");
}

TEST_CASE("the demo streams word by word, either way it is run") {
  const auto transport = make_demo_transport();
  for (const bool openai : {true, false}) {
    Handler performed;
    transport->perform(hello(openai, "demo", true), performed);
    CHECK(contains(performed.body(),
                   openai ? "data: [DONE]" : "event: message_stop"));
    CHECK(performed.header("content-type").starts_with("text/event-stream"));
    // One piece a word, and those around them.
    CHECK(performed.pieces() > 3);

    Handler started;
    const auto transfer =
        transport->start(hello(openai, "demo", true), started);
    REQUIRE(started.wait());
    CHECK(started.result());
    CHECK(started.thread() != std::this_thread::get_id());
    CHECK(started.pieces() == performed.pieces());
  }
}

TEST_CASE("a paused demo waits for resume") {
  const auto transport = make_demo_transport();
  Handler handler;
  handler.set_flow(Flow::pause);
  const auto transfer = transport->start(hello(true, "demo", true), handler);
  REQUIRE(eventually([&] { return handler.pieces() == 1; }));
  // Another transfer runs meanwhile, so the engine had its chance.
  Handler other;
  transport->start(hello(true, "demo", true), other);
  REQUIRE(other.wait());
  CHECK(handler.pieces() == 1);
  for (std::size_t n = 2; n <= other.pieces(); ++n) {
    transfer->resume();
    REQUIRE(eventually([&] { return handler.pieces() == n; }));
    CHECK(handler.done() == 0);
  }
  transfer->resume();
  REQUIRE(handler.wait());
  CHECK(handler.result());
  CHECK(handler.body().size() == other.body().size());
}

TEST_CASE("a demo transfer can be cancelled") {
  const auto transport = make_demo_transport();
  Handler paused;
  paused.set_flow(Flow::pause);
  const auto transfer = transport->start(hello(true, "demo", true), paused);
  REQUIRE(eventually([&] { return paused.pieces() == 1; }));
  transfer->cancel();
  REQUIRE(paused.wait());
  REQUIRE_FALSE(paused.result());
  CHECK(paused.result().error().kind == ErrorKind::cancelled);
  // Harmless when it is over.
  transfer->cancel();
  transfer->resume();

  Handler slow;
  const auto waiting = transport->start(hello(true, "demo-slow", true), slow);
  REQUIRE(eventually([&] { return slow.pieces() >= 1; }));
  waiting->cancel();
  REQUIRE(slow.wait());
  CHECK_FALSE(slow.result());

  Handler stopping;
  stopping.set_flow(Flow::stop);
  transport->start(hello(true, "demo", true), stopping);
  REQUIRE(stopping.wait());
  CHECK_FALSE(stopping.result());
  CHECK(stopping.pieces() == 1);

  Handler unwanted;
  transport->perform(hello(true, "demo-slow", true), unwanted,
                     [] { return true; });
  CHECK(unwanted.done() == 1);
  CHECK_FALSE(unwanted.result());
}

TEST_CASE("a demo transport that goes ends what it had begun") {
  auto transport = make_demo_transport();
  Handler handler;
  handler.set_flow(Flow::pause);
  const auto transfer = transport->start(hello(true, "demo", true), handler);
  REQUIRE(eventually([&] { return handler.pieces() == 1; }));
  transport.reset();
  CHECK(handler.done() == 1);
  CHECK_FALSE(handler.result());
  transfer->cancel();
}

TEST_CASE("the demo fails on demand") {
  const auto transport = make_demo_transport();
  for (const bool openai : {true, false}) {
    for (const bool stream : {true, false}) {
      Handler limited;
      transport->perform(hello(openai, "demo-error-429", stream), limited);
      CHECK(limited.status() == 429);
      CHECK(limited.header("retry-after") == "1");
      CHECK_FALSE(at(limited.body(), "error", "message").empty());

      Handler failed;
      transport->perform(hello(openai, "demo-error-500", stream), failed);
      CHECK(failed.status() == 500);

      Handler whole;
      transport->perform(hello(openai, "demo", stream), whole);
      Handler cut;
      transport->perform(hello(openai, "demo-cut", stream), cut);
      CHECK(cut.status() == 200);
      CHECK(cut.body().size() < whole.body().size());
      REQUIRE_FALSE(cut.result());
      CHECK(cut.result().error().kind == ErrorKind::upstream_truncated);
    }
  }
}

TEST_CASE("a model that the demo does not have is refused in every dialect",
          "[demo_faults]") {
  const Environment nothing = [](const std::string&) { return std::nullopt; };
  Gateway gateway(*default_config(nothing),
                  std::make_shared<ScriptedTransport>(), nullptr);
  const std::string contents =
      R"({"contents":[{"role":"user","parts":[{"text":"hi"}]}]})";
  const std::string converse =
      R"({"messages":[{"role":"user","content":[{"text":"hi"}]}]})";
  const std::string invoke =
      R"({"anthropic_version":"bedrock-2023-05-31","max_tokens":9,)"
      R"("messages":[{"role":"user","content":"hi"}]})";
  for (const std::string model : {"demo-x", "demo-error-429x"}) {
    struct Row {
      std::string target;
      std::string body;
      const char* word;  ///< of the dialect's errors
    };
    const std::string messages = R"({"model":")" + model +
                                 R"(","max_tokens":9,"messages":)"
                                 R"([{"role":"user","content":"hi"}]})";
    const Row rows[] = {
        {"/v1/chat/completions", messages, "model_not_found"},
        {"/v1/messages", messages, "not_found_error"},
        {"/v1/responses", R"({"model":")" + model + R"(","input":"hi"})",
         "model_not_found"},
        {"/v1beta/models/" + model + ":generateContent", contents, "NOT_FOUND"},
        {"/v1beta/models/" + model + ":streamGenerateContent?alt=sse", contents,
         "NOT_FOUND"},
        {"/model/" + model + "/converse", converse, "message"},
        {"/model/" + model + "/converse-stream", converse, "message"},
        {"/model/" + model + "/invoke", invoke, "message"},
    };
    for (const Row& row : rows) {
      RecordingSink sink;
      HttpRequest request = post("", row.body);
      request.set_target(row.target);
      gateway.handle(std::move(request), sink);
      INFO(row.target << "\n" << sink.body());
      CHECK(sink.status() == 404);
      CHECK(contains(sink.body(), row.word));
      CHECK(contains(sink.body(), "demo-error-429, demo-error-500"));
    }
  }
}

TEST_CASE("the demo answers with every error that it has a name for",
          "[demo_faults]") {
  const auto transport = make_demo_transport();
  for (const bool openai : {true, false}) {
    for (const demo::DemoFault& fault : demo::faults()) {
      if (fault.status == 0) continue;
      INFO(fault.model);
      Handler failed;
      transport->perform(hello(openai, std::string(fault.model), true), failed);
      // Anthropic's own word for 503.
      CHECK(failed.status() ==
            (openai && fault.status == 529 ? 503 : fault.status));
      CHECK(failed.header("retry-after") == fault.retry_after);
      CHECK_FALSE(at(failed.body(), "error", "message").empty());
      CHECK(std::string(fault.model).ends_with(std::to_string(fault.status)));
    }
  }
}

TEST_CASE("the demo refuses what its dialects refuse") {
  const auto transport = make_demo_transport();
  Handler path;
  transport->perform(demo_request("demo:/nothing", "{}"), path);
  CHECK(path.status() == 404);
  CHECK(at(path.body(), "error", "code") == "unknown_url");
  Handler query;
  transport->perform(demo_request("demo:/v1/files?key=SECRET", "{}"), query);
  CHECK_THAT(query.body(),
             Catch::Contains("/v1/files") && !Catch::Contains("SECRET"));
  Handler bare;
  transport->perform(demo_request("demo:", "{}"), bare);
  CHECK(bare.status() == 404);
  Handler broken;
  transport->perform(demo_request(kClaudeUrl, "{"), broken);
  CHECK(broken.status() == 400);
  CHECK(at(broken.body(), "type") == "error");
  Handler empty;
  transport->perform(demo_request(kOpenAiUrl, R"({"model":"demo"})"), empty);
  CHECK(empty.status() == 400);
  CHECK_FALSE(at(empty.body(), "error", "message").empty());
}

TEST_CASE("without a key the gateway answers through the demo") {
  RecordingObserver observer;
  const Environment nothing = [](const std::string&) { return std::nullopt; };
  Gateway gateway(*default_config(nothing),
                  std::make_shared<ScriptedTransport>(), &observer);
  for (const bool openai : {true, false}) {
    for (const bool stream : {true, false}) {
      RecordingSink sink;
      gateway.handle(openai ? openai_request("demo", stream)
                            : claude_request("demo", stream),
                     sink);
      CHECK(sink.status() == 200);
      CHECK(contains(sink.body(), "said"));
      CHECK(sink.finished());
      CHECK(sink.faults().empty());
      CHECK(observer.records().back().backend == "demo");
      CHECK(observer.records().back().outcome == "ok");
    }
  }
  for (const char* model : {"demo-error-429", "demo-cut"}) {
    for (const bool stream : {true, false}) {
      RecordingSink sink;
      gateway.handle(claude_request(model, stream), sink);
      CHECK(contains(sink.body(), "error"));
      CHECK(observer.records().back().outcome ==
            (model == std::string("demo-cut") ? "upstream_truncated"
                                              : "rate_limited"));
    }
  }
}

TEST_CASE("a conversation with tools through the other dialect's demo") {
  Config config;
  Backend backend = make_backend(*find_provider("demo"), {});
  backend.dialect = find_dialect("claude");
  config.backends = {backend};
  config.routes = {{"demo", "demo", ""}};
  Gateway gateway(config, std::make_shared<ScriptedTransport>());
  const std::string head =
      R"({"model":"demo","tools":[{"type":"function","function":{"name":)"
      R"("get_weather","parameters":{"type":"object","properties":{"city":)"
      R"({"type":"string"}},"required":["city"]}}}],"messages":[{"role":)"
      R"("user","content":"weather in Oslo?"})";
  RecordingSink first;
  gateway.handle(post(kOpenAiPath, head + "]}"), first);
  REQUIRE(first.status() == 200);
  const auto call = [&](auto... where) {
    return at(first.body(), "choices", 0, "message", "tool_calls", 0, where...);
  };
  CHECK(call("function", "name") == "get_weather");
  CHECK(call("function", "arguments") == R"({"city":"Oslo"})");
  CHECK(at(first.body(), "choices", 0, "finish_reason") == "tool_calls");

  RecordingSink second;
  gateway.handle(
      post(kOpenAiPath,
           head + R"(,{"role":"assistant","content":null,"tool_calls":[)" +
               call() + R"(]},{"role":"tool","tool_call_id":")" + call("id") +
               R"(","content":"7 degrees"}]})"),
      second);
  REQUIRE(second.status() == 200);
  CHECK(at(second.body(), "choices", 0, "message", "content") ==
        "get_weather said: 7 degrees");
}

TEST_CASE("the demo streams in the form that each path asks for",
          "[demo_gemini]") {
  constexpr const char* kBody =
      R"({"contents":[{"role":"user","parts":[{"text":"hi"}]}]})";
  struct Row {
    const char* url;
    const char* begin;
    const char* end;
  };
  const Row rows[] = {
      {"demo:/models/demo:streamGenerateContent?alt=sse", "data: {", "\n\n"},
      {"demo:/models/demo:streamGenerateContent?key=k&alt=sse", "data: {",
       "\n\n"},
      {"demo:/models/demo:streamGenerateContent", "[{", "]"},
      {"demo:/models/demo:streamGenerateContent?key=k", "[{", "]"},
  };
  for (const Row& row : rows) {
    Handler handler;
    make_demo_transport()->perform(demo_request(row.url, kBody), handler);
    INFO(row.url << "\n" << handler.body());
    CHECK(handler.status() == 200);
    CHECK(handler.body().starts_with(row.begin));
    CHECK(handler.body().ends_with(row.end));
    CHECK(contains(handler.body(), "said"));
  }
}

TEST_CASE("the demo streams to clients of every dialect at every path",
          "[demo_gemini]") {
  const Environment nothing = [](const std::string&) { return std::nullopt; };
  Gateway gateway(*default_config(nothing),
                  std::make_shared<ScriptedTransport>(), nullptr);
  struct Row {
    const char* target;
    const char* body;
    const char* begin;
  };
  constexpr const char* kMessages =
      R"({"model":"demo","stream":true,"max_tokens":64,"messages":)"
      R"([{"role":"user","content":"hi"}]})";
  constexpr const char* kContents =
      R"({"contents":[{"role":"user","parts":[{"text":"hi"}]}]})";
  const Row rows[] = {
      {"/v1/chat/completions", kMessages, "data: {"},
      {"/v1/chat/completions?api-version=1", kMessages, "data: {"},
      {"/v1/messages?beta=true", kMessages, "event: message_start"},
      {"/v1/responses", R"({"model":"demo","stream":true,"input":"hi"})",
       "event: response.created"},
      {"/v1beta/models/demo:streamGenerateContent?alt=sse", kContents,
       "data: {"},
      {"/v1beta/models/demo:streamGenerateContent", kContents, "[{"},
  };
  for (const Row& row : rows) {
    RecordingSink sink;
    HttpRequest request = post("", row.body);
    request.set_target(row.target);
    gateway.handle(std::move(request), sink);
    INFO(row.target << "\n" << sink.body());
    CHECK(sink.status() == 200);
    CHECK(sink.body().starts_with(row.begin));
  }
}
