// Gateway: hands each request to its endpoint and tells the observer.
#include "llmproxy/gateway.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#include "gateway/client_answer.h"
#include "gateway/core.h"
#include "gateway/dispatch.h"

namespace llmproxy {

HttpRequest HttpRequest::from_target(std::string method,
                                     std::string_view target, Headers headers,
                                     std::string body, std::string peer) {
  HttpRequest request;
  request.method = std::move(method);
  request.set_target(target);
  request.headers = std::move(headers);
  request.body = std::move(body);
  request.peer = std::move(peer);
  return request;
}

void HttpRequest::set_target(std::string_view target) {
  const std::size_t end = std::min(target.find('?'), target.size());
  query = target.substr(std::min(end + 1, target.size()));
  path = target.substr(0, end);
}

class Gateway::State {
 public:
  State(Config config, std::shared_ptr<Transport> transport, GatewayHooks hooks)
      : core(std::move(config), std::move(transport), std::move(hooks)) {}

  gateway::Core core;
};

Gateway::Gateway(Config config, std::shared_ptr<Transport> transport,
                 Observer* observer)
    : Gateway(std::move(config), std::move(transport),
              GatewayHooks{observer, nullptr, nullptr}) {}

Gateway::Gateway(Config config, std::shared_ptr<Transport> transport,
                 GatewayHooks hooks)
    : state_(std::make_unique<State>(std::move(config), std::move(transport),
                                     std::move(hooks))) {}

Gateway::~Gateway() = default;

bool Gateway::admit(const HttpRequest& head, ResponseSink& sink) {
  if (gateway::may_come_in(state_->core, head)) return true;
  handle(head, sink);
  return false;
}

bool Gateway::takes_large_body(const HttpRequest& head) const {
  return gateway::takes_large_body(state_->core, head);
}

ByteBudget& Gateway::budget() { return state_->core.budget(); }

void Gateway::shut_down() { state_->core.ending().begin(); }

void Gateway::handle(HttpRequest request, ResponseSink& sink) {
  using gateway::ClientAnswer;
  const auto begin = ClientAnswer::Clock::now();
  gateway::Core& core = state_->core;
  // Some hosts put the whole target there; a path itself holds no "?".
  if (request.path.find('?') != std::string::npos) {
    request.set_target(std::string(request.path));
  }
  RequestRecord record;
  record.request_id = core.next_request_id();
  record.method = request.method;
  record.path = request.path;
  record.peer = request.peer;
  record.outcome = "ok";
  ClientAnswer answer(sink, record, begin, core.hooks(),
                      core.config().server.write_stall);
  Observer* const observer = core.hooks().observer;
  if (observer != nullptr) observer->on_start(record);
  // The library reports by value; what is left is memory that ran out.
  try {
    gateway::dispatch(core, std::move(request), answer);
  } catch (const std::exception&) {
    Error error;
    error.kind = ErrorKind::internal;
    error.message = "the proxy failed to handle this request";
    answer.note(error);
    if (!answer.started()) answer.send_error(*dialects().front(), error);
  }
  // What was cut off at the end was not for the client to decide.
  if (record.status == gateway::kClientGone && core.ending().begun()) {
    record.outcome = gateway::kShutdown;
    record.error = gateway::Ending::error().message;
  }
  record.total = std::chrono::duration_cast<std::chrono::microseconds>(
      ClientAnswer::Clock::now() - begin);
  core.health().note(record);
  if (observer != nullptr) observer->on_request(record);
}

const Config& Gateway::config() const { return state_->core.config(); }

}  // namespace llmproxy
