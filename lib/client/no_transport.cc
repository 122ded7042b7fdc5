#include "client/no_transport.h"

#include <system_error>
#include <thread>
#include <utility>

#include "client/caught.h"
#include "client/transfer_error.h"

namespace llmproxy {
namespace {

Error no_transport() {
  return internal_error("no transport is configured to send requests with");
}

class NoTransfer final : public Transfer {
 public:
  void cancel() override {}
  void resume() override {}
};

class NoTransport final : public Transport {
 public:
  void perform(const UpstreamRequest&, ResponseHandler& handler,
               const Cancelled&) override {
    tell_done(handler, no_transport());
  }

  // Not from within start(), as its callers are promised: on a thread of its
  // own, as there is no engine.
  std::shared_ptr<Transfer> start(UpstreamRequest,
                                  ResponseHandler& handler) override {
    try {
      std::thread([&handler] { tell_done(handler, no_transport()); }).detach();
    } catch (const std::system_error&) {
      tell_done(handler, no_transport());  // no thread either
    }
    return std::make_shared<NoTransfer>();
  }
};

}  // namespace

std::shared_ptr<Transport> or_none(std::shared_ptr<Transport> transport) {
  if (transport != nullptr) return transport;
  return std::make_shared<NoTransport>();
}

}  // namespace llmproxy
