// The Transport on libcurl: perform() borrows a connection, start() posts to
// the engine.
#include <memory>
#include <utility>

#include "client/caught.h"
#include "client/connection_pool.h"
#include "client/easy_handle.h"
#include "client/engine.h"
#include "client/no_transport.h"
#include "client/per_process.h"
#include "llmproxy/transport.h"

namespace llmproxy {
namespace {

/// All that belongs to one process: the connections, and the engine's thread.
class CurlWorks {
 public:
  /// Null when the process has no descriptor, memory or thread left. Each of
  /// the two ways keeps half of the idle connections.
  static std::unique_ptr<CurlWorks> create(const CurlOptions& options) {
    std::shared_ptr<SharedCache> cache = SharedCache::create();
    if (cache == nullptr) return nullptr;
    auto idle_times = std::make_shared<IdleTimes>(options.max_idle);
    std::unique_ptr<Engine> engine = Engine::create(
        options, options.max_idle_connections / 2, cache, idle_times);
    if (engine == nullptr) return nullptr;
    return std::unique_ptr<CurlWorks>(new CurlWorks(
        options, std::move(cache), std::move(idle_times), std::move(engine)));
  }

  ConnectionPool& connections() { return connections_; }
  Engine& engine() { return *engine_; }

 private:
  CurlWorks(const CurlOptions& options, std::shared_ptr<SharedCache> cache,
            std::shared_ptr<IdleTimes> idle_times,
            std::unique_ptr<Engine> engine)
      : connections_(options, options.max_idle_connections / 2,
                     std::move(cache), std::move(idle_times)),
        engine_(std::move(engine)) {}

  ConnectionPool connections_;
  std::unique_ptr<Engine> engine_;
};

class CurlTransport final : public Transport {
 public:
  CurlTransport(std::unique_ptr<CurlWorks> works, const CurlOptions& options)
      : works_(std::move(works),
               [options] { return CurlWorks::create(options); }) {}

  void perform(const UpstreamRequest& request, ResponseHandler& handler,
               const Cancelled& cancelled) override {
    // Before a connection is made, or another one's is used.
    if (cancelled && cancelled()) return tell_done(handler, cancelled_error());
    Result<Origin> origin = parse_origin(request.url);
    if (!origin) return tell_done(handler, std::move(origin).error());
    CurlWorks* works = works_.get();
    if (works == nullptr) return or_none({})->perform(request, handler, {});
    CurlTransfer transfer(handler, std::move(*origin), request.deadlines,
                          CurlTransfer::may_not_pause);
    works->connections().run(request, transfer, cancelled);
  }

  std::shared_ptr<Transfer> start(UpstreamRequest request,
                                  ResponseHandler& handler) override {
    CurlWorks* works = works_.get();
    if (works == nullptr)
      return or_none({})->start(std::move(request), handler);
    return works->engine().start(std::move(request), handler);
  }

 private:
  PerProcess<CurlWorks> works_;
};

}  // namespace

std::shared_ptr<Transport> make_curl_transport(const CurlOptions& options) {
  if (!init_curl()) return nullptr;
  std::unique_ptr<CurlWorks> works = CurlWorks::create(options);
  if (works == nullptr) return nullptr;
  return std::make_shared<CurlTransport>(std::move(works), options);
}

}  // namespace llmproxy
