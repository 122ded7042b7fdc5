// What a host adds to a Gateway: an interceptor, an observer, a limiter.
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "host.h"
#include "llmproxy/limits.h"
#include "llmproxy/translate.h"

namespace host {
namespace {

constexpr const char* kPath = "/v1/messages";

/// The host's own authentication and routing.
struct Rules final : Interceptor {
  Result<void> on_request(HttpRequest& request,
                          const Dialect& dialect) override {
    if (find_header(request.headers, "x-ticket").empty()) {
      Error error;
      error.kind = ErrorKind::unauthenticated;
      error.fault = Fault::client;
      error.message = "no ticket";
      return error;
    }
    RequestHead head;
    head.path = request.path;
    LLMPROXY_ASSIGN(const ParsedRequest parsed,
                    ParsedRequest::parse(dialect, request.body, head));
    request.body = parsed.with_model("demo-error-429");
    return {};
  }
  void on_answer(const RequestRecord& record, int status,
                 Headers& headers) override {
    headers.push_back(
        {"x-seen", record.request_id + ":" + std::to_string(status)});
  }
};

TEST_CASE("an interceptor refuses in the client's dialect") {
  Rules rules;
  Gateway gateway(demo_config(), nullptr, GatewayHooks{.interceptor = &rules});
  Sink sink;
  gateway.handle(post(kPath, kClaudeBody), sink);
  CHECK(sink.status == 401);
  CHECK(sink.body.find(R"("type":"authentication_error")") !=
        std::string::npos);
  CHECK(sink.body.find("no ticket") != std::string::npos);
  CHECK(find_header(sink.headers, "x-seen").ends_with(":401"));
}

TEST_CASE("an interceptor changes the model and sees the answer's head") {
  Rules rules;
  Gateway gateway(demo_config(), nullptr, GatewayHooks{.interceptor = &rules});
  HttpRequest request = post(kPath, kClaudeBody);
  request.headers = {{"x-ticket", "1"}};
  Sink sink;
  gateway.handle(std::move(request), sink);
  CHECK(sink.status == 429);
  CHECK(find_header(sink.headers, "x-seen").ends_with(":429"));
}

/// Keeps what is sent upstream.
struct Upstream final : Transport {
  void perform(const UpstreamRequest& request, ResponseHandler& handler,
               const Cancelled&) override {
    bodies.push_back(request.body);
    Error error;
    error.kind = ErrorKind::upstream_unreachable;
    handler.on_done(error);
  }
  std::shared_ptr<Transfer> start(UpstreamRequest, ResponseHandler&) override {
    return nullptr;
  }
  std::vector<std::string> bodies;
};

TEST_CASE("an interceptor that changes nothing leaves every byte") {
  struct Idle final : Interceptor {
  } idle;
  Config config;
  config.backends = {
      make_backend(*find_provider("anthropic"), Secret("k"), "http://h")};
  config.routes = {{"*", "anthropic", ""}};
  const auto upstream = std::make_shared<Upstream>();
  Sink sink;
  Gateway(config, upstream).handle(post(kPath, kClaudeBody), sink);
  Gateway(config, upstream, GatewayHooks{.interceptor = &idle})
      .handle(post(kPath, kClaudeBody), sink);
  REQUIRE(upstream->bodies.size() == 2);
  CHECK(upstream->bodies[0] == kClaudeBody);
  CHECK(upstream->bodies[1] == kClaudeBody);
}

TEST_CASE("an observer is told of begin, first byte and end, in order") {
  struct Trace final : Observer {
    void on_start(const RequestRecord& record) override {
      seen.push_back("start " + record.path);
      id = record.request_id;
    }
    void on_first_byte(const RequestRecord& record) override {
      if (record.first_byte) seen.push_back("byte " + record.backend);
      same = same && record.request_id == id;
    }
    void on_request(const RequestRecord& record) override {
      seen.push_back("end " + record.outcome);
      same = same && record.request_id == id;
    }
    std::vector<std::string> seen;
    std::string id;
    bool same = true;
  } trace;
  Gateway gateway(demo_config(), nullptr, &trace);
  Sink sink;
  gateway.handle(post(kPath, kClaudeBody), sink);
  CHECK(trace.seen ==
        std::vector<std::string>{"start /v1/messages", "byte demo", "end ok"});
  CHECK(trace.same);
  CHECK_FALSE(trace.id.empty());
}

TEST_CASE("several gateways share one limiter") {
  Config config = demo_config();
  config.limits.enabled = true;
  LimitRules rules = config.limits;
  rules.limits.requests_per_day = 2;
  const std::shared_ptr<Limiter> shared = make_memory_limiter(rules);
  Gateway first(config, nullptr, GatewayHooks{.limiter = shared});
  Gateway second(config, nullptr, GatewayHooks{.limiter = shared});
  std::vector<int> statuses;
  for (Gateway* gateway : {&first, &second, &first, &second}) {
    Sink sink;
    gateway->handle(post(kPath, kClaudeBody), sink);
    statuses.push_back(sink.status);
  }
  CHECK(statuses == std::vector<int>{200, 200, 429, 429});
}

}  // namespace
}  // namespace host
