// The Transport on libcurl: perform() borrows a seat, start() posts to the
// engine.
#include <memory>
#include <utility>

#include "client/easy_handle.h"
#include "client/engine.h"
#include "client/seat_pool.h"
#include "llmproxy/transport.h"

namespace llmproxy {
namespace {

class CurlTransport final : public Transport {
 public:
  /// Each of the two ways keeps half of the idle connections.
  CurlTransport(const CurlOptions& options, std::shared_ptr<SharedCache> cache,
                std::unique_ptr<Engine> engine)
      : seats_(options, options.max_idle_connections / 2, std::move(cache)),
        engine_(std::move(engine)) {}

  void perform(const UpstreamRequest& request, ResponseHandler& handler,
               const Cancelled& cancelled) override {
    Result<Origin> origin = parse_origin(request.url);
    if (!origin) return handler.on_done(std::move(origin).error());
    const std::string key = origin->key;
    std::unique_ptr<Seat> seat = seats_.take(key);
    Exchange exchange(handler, std::move(*origin), request.deadlines,
                      Exchange::may_not_pause);
    if (seat == nullptr) return exchange.finish(CURLE_OUT_OF_MEMORY, {});
    seat->run(request, exchange, cancelled);
    seats_.give_back(key, std::move(seat));
  }

  std::shared_ptr<Transfer> start(UpstreamRequest request,
                                  ResponseHandler& handler) override {
    return engine_->start(std::move(request), handler);
  }

 private:
  SeatPool seats_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace

std::shared_ptr<Transport> make_curl_transport(const CurlOptions& options) {
  if (!init_curl()) return nullptr;
  std::shared_ptr<SharedCache> cache = SharedCache::create();
  if (cache == nullptr) return nullptr;
  std::unique_ptr<Engine> engine =
      Engine::create(options, options.max_idle_connections / 2, cache);
  if (engine == nullptr) return nullptr;
  return std::make_shared<CurlTransport>(options, std::move(cache),
                                         std::move(engine));
}

}  // namespace llmproxy
