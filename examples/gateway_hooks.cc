// What a host adds to a Gateway: rules of its own, an observer, and limits
// that it counts itself.
#include <atomic>
#include <iostream>

#include "llmproxy/gateway.h"
#include "llmproxy/translate.h"

using namespace llmproxy;

struct Rules : Interceptor {
  Result<void> on_request(HttpRequest& request,
                          const Dialect& dialect) override {
    LLMPROXY_ASSIGN(const auto parsed,
                    ParsedRequest::parse(dialect, request.body));
    if (parsed.model() == "forbidden") {
      Error error;
      error.kind = ErrorKind::permission_denied;
      error.message = "this model is not for you";
      return error;
    }
    request.body = parsed.with_model("demo");
    return {};
  }
};

struct Trace : Observer {
  void on_start(const RequestRecord&) override { std::cout << "start, "; }
  void on_first_byte(const RequestRecord&) override { std::cout << "byte, "; }
  void on_request(const RequestRecord& record) override {
    std::cout << record.status << ' ' << record.outcome << '\n';
  }
};

/// A store of the host's; one over Redis would be shared by its processes.
struct ThreeInAll : Limiter {
  LimitVerdict reserve(const LimitScope&, std::int64_t,
                       LimitClock::time_point) override {
    return {.allowed = ++count <= 3,
            .retry_after = std::chrono::seconds(60),
            .scope = "all",
            .metric = "requests",
            .window = "day",
            .limit = 3};
  }
  void reconcile(const LimitScope&, std::int64_t, std::int64_t,
                 LimitClock::time_point, LimitClock::time_point) override {}
  void cancel(const LimitScope&, std::int64_t, LimitClock::time_point,
              LimitClock::time_point) override {}
  std::atomic<int> count = 0;
};

struct Sink : ResponseSink {
  void start(int, const Headers&) override {}
  Written write(std::string_view) override { return Written::ok; }
  Written finish() override { return Written::ok; }
  Written drain(std::chrono::milliseconds) override { return Written::ok; }
  bool client_gone() override { return false; }
};

int main() {
  Config config;
  config.backends = {make_backend(*find_provider("demo"), Secret())};
  config.routes = {{"demo", "demo", ""}};
  config.limits.enabled = true;
  Rules rules;
  Trace trace;
  Gateway gateway(config, make_curl_transport(),
                  GatewayHooks{&trace, &rules, std::make_shared<ThreeInAll>()});
  for (const std::string model : {"any", "forbidden", "any", "any", "any"}) {
    Sink sink;
    HttpRequest request;
    request.method = "POST";
    request.path = "/v1/chat/completions";
    request.body = R"({"model": ")" + model +
                   R"(", "messages": [{"role": "user", "content": "Hi"}]})";
    gateway.handle(std::move(request), sink);
  }
}
