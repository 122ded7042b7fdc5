#include "client/connection_pool.h"

#include <algorithm>
#include <utility>

#include "client/http1_exchange.h"

namespace llmproxy {
namespace {

using Clock = std::chrono::steady_clock;

/// Connections that are closed when one comes in: more than one, so that they
/// become fewer where few are used.
constexpr int kEvictions = 2;

}  // namespace

ConnectionPool::ConnectionPool(const CurlOptions& options,
                               std::size_t max_connections,
                               std::shared_ptr<SharedCache> cache,
                               std::shared_ptr<IdleTimes> idle_times)
    : options_(options),
      max_connections_(max_connections),
      cache_(std::move(cache)),
      idle_times_(std::move(idle_times)) {}

void ConnectionPool::run(const UpstreamRequest& request, CurlTransfer& transfer,
                         const Cancelled& cancelled) {
  const std::string origin = transfer.origin().key;
  std::unique_ptr<CurlConnection> connection = take(origin);
  if (connection == nullptr) return transfer.finish(CURLE_OUT_OF_MEMORY, {});
  const auto max_idle = idle_times_->of(origin);
  // Where HTTP/2 may be spoken libcurl speaks it.
  if (options_.http2 && transfer.origin().tls) {
    connection->run(request, transfer, cancelled, max_idle);
  } else {
    Http1Exchange(*connection, request, transfer, cancelled).run(max_idle);
  }
  idle_times_->note(origin, transfer.headers());
  give_back(origin, std::move(connection));
}

std::unique_ptr<CurlConnection> ConnectionPool::take(
    const std::string& origin) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = idle_.find(origin);
    if (found != idle_.end()) {
      std::unique_ptr<CurlConnection> connection =
          std::move(found->second.back().connection);
      found->second.pop_back();
      if (found->second.empty()) idle_.erase(found);
      --count_;
      return connection;
    }
  }
  return CurlConnection::create(options_, cache_);
}

void ConnectionPool::give_back(const std::string& origin,
                               std::unique_ptr<CurlConnection> connection) {
  // Closing connections takes a while; it happens after the lock is gone.
  std::vector<std::unique_ptr<CurlConnection>> evicted;
  const std::lock_guard lock(mutex_);
  const Time now = Clock::now();
  idle_[origin].push_back({std::move(connection), now});
  ++count_;
  evicted = evict(now);
}

std::vector<std::unique_ptr<CurlConnection>> ConnectionPool::evict(Time now) {
  std::vector<std::unique_ptr<CurlConnection>> evicted;
  for (int i = 0; i < kEvictions && count_ > 0; ++i) {
    std::unique_ptr<CurlConnection> oldest = evict_oldest(now);
    if (oldest == nullptr) break;
    evicted.push_back(std::move(oldest));
  }
  return evicted;
}

std::unique_ptr<CurlConnection> ConnectionPool::evict_oldest(Time now) {
  const auto oldest = std::min_element(
      idle_.begin(), idle_.end(), [](const auto& a, const auto& b) {
        return a.second.front().since < b.second.front().since;
      });
  std::vector<Idle>& connections = oldest->second;
  if (count_ <= max_connections_ &&
      now - connections.front().since < idle_times_->of(oldest->first)) {
    return nullptr;
  }
  std::unique_ptr<CurlConnection> connection =
      std::move(connections.front().connection);
  connections.erase(connections.begin());
  if (connections.empty()) idle_.erase(oldest);
  --count_;
  return connection;
}

}  // namespace llmproxy
