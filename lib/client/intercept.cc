#include "llmproxy/intercept.h"

#include <optional>
#include <utility>

#include "client/caught.h"
#include "client/no_transport.h"

namespace llmproxy {
namespace {

constexpr std::string_view kInterceptor = "the interceptor";

/// What the interceptor makes of a request.
Result<void> ask(UpstreamInterceptor& interceptor, UpstreamRequest& request) {
  Result<void> allowed;
  auto thrown =
      failed(kInterceptor, [&] { allowed = interceptor.on_request(request); });
  if (thrown) return *std::move(thrown);
  return allowed;
}

/// Listens to one transfer.
class Listener final : public ResponseHandler {
 public:
  Listener(std::shared_ptr<UpstreamInterceptor> interceptor,
           const UpstreamRequest& request, ResponseHandler& next)
      : interceptor_(std::move(interceptor)), request_(request), next_(next) {}

  /// A request that was refused: whatever comes, it ends so.
  void refuse(Error error) { refused_ = std::move(error); }
  /// Lives until on_done.
  void own(std::unique_ptr<Listener> self) { self_ = std::move(self); }

  void on_head(int status, const Headers& headers) override {
    if (refused_) return;
    refused_ = failed(kInterceptor, [&] {
      interceptor_->on_answer(request_, status, headers);
    });
    if (!refused_) next_.on_head(status, headers);
  }
  Flow on_body(std::string_view bytes) override {
    return refused_ ? Flow::stop : next_.on_body(bytes);
  }
  void on_done(const Result<void>& result) override {
    const std::unique_ptr<Listener> self = std::move(self_);
    next_.on_done(refused_ ? Result<void>(*refused_) : result);
  }

 private:
  const std::shared_ptr<UpstreamInterceptor> interceptor_;
  const UpstreamRequest request_;
  ResponseHandler& next_;
  std::optional<Error> refused_;
  std::unique_ptr<Listener> self_;
};

class InterceptingTransport final : public Transport {
 public:
  InterceptingTransport(std::shared_ptr<Transport> inner,
                        std::shared_ptr<UpstreamInterceptor> interceptor)
      : inner_(std::move(inner)), interceptor_(std::move(interceptor)) {}

  void perform(const UpstreamRequest& request, ResponseHandler& handler,
               const Cancelled& cancelled) override {
    UpstreamRequest own = request;
    const Result<void> allowed = ask(*interceptor_, own);
    if (!allowed) return handler.on_done(allowed);
    Listener listener(interceptor_, own, handler);
    inner_->perform(own, listener, cancelled);
  }

  std::shared_ptr<Transfer> start(UpstreamRequest request,
                                  ResponseHandler& handler) override {
    // Goes nowhere: see transport.h.
    if (request.url.empty()) return inner_->start(std::move(request), handler);
    Result<void> allowed = ask(*interceptor_, request);
    auto listener = std::make_unique<Listener>(interceptor_, request, handler);
    Listener& stays = *listener;
    stays.own(std::move(listener));
    if (!allowed) {
      // It fails on the engine's thread, where its caller expects it.
      stays.refuse(std::move(allowed).error());
      request = {};
    }
    return inner_->start(std::move(request), stays);
  }

 private:
  const std::shared_ptr<Transport> inner_;
  const std::shared_ptr<UpstreamInterceptor> interceptor_;
};

}  // namespace

std::shared_ptr<Transport> make_intercepting_transport(
    std::shared_ptr<Transport> inner,
    std::shared_ptr<UpstreamInterceptor> interceptor) {
  inner = or_none(std::move(inner));
  if (interceptor == nullptr) return inner;
  return std::make_shared<InterceptingTransport>(std::move(inner),
                                                 std::move(interceptor));
}

}  // namespace llmproxy
