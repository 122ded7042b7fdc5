// Gateway: hands each request to its endpoint and tells the observer.
#include "llmproxy/gateway.h"

#include <chrono>
#include <exception>
#include <utility>

#include "gateway/answer.h"
#include "gateway/core.h"
#include "gateway/endpoints.h"

namespace llmproxy {

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

void Gateway::handle(HttpRequest request, ResponseSink& sink) {
  using gateway::Answer;
  const auto begin = Answer::Clock::now();
  gateway::Core& core = state_->core;
  RequestRecord record;
  record.request_id = core.next_request_id();
  record.method = request.method;
  record.path = request.path;
  record.peer = request.peer;
  record.outcome = "ok";
  Answer answer(sink, record, begin, core.hooks());
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
  record.total = std::chrono::duration_cast<std::chrono::microseconds>(
      Answer::Clock::now() - begin);
  core.health().note(record);
  if (observer != nullptr) observer->on_request(record);
}

const Config& Gateway::config() const { return state_->core.config(); }

}  // namespace llmproxy
