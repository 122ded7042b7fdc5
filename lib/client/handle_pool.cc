#include "client/handle_pool.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "client/curl_poll.h"
#include "client/sigpipe.h"
#include "client/transfer_error.h"
#include "llmproxy/waiting.h"

namespace llmproxy {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// `cancelled` is asked at least four times a second (transport.h).
constexpr milliseconds kAskInterval{200};

/// Handles that are closed when one comes in: more than one, so that they
/// become fewer where few are used.
constexpr int kEvictions = 2;

Error out_of_resources(CURLMcode code) {
  return internal_error(curl_multi_strerror(code));
}

}  // namespace

std::unique_ptr<PooledHandle> PooledHandle::create(
    const CurlOptions& options, std::shared_ptr<SharedCache> cache) {
  std::unique_ptr<EasyHandle> handle =
      EasyHandle::create(options, std::move(cache));
  CURLM* loop = handle ? curl_multi_init() : nullptr;
  if (loop == nullptr) return nullptr;
  return std::unique_ptr<PooledHandle>(
      new PooledHandle(loop, std::move(handle)));
}

PooledHandle::PooledHandle(CURLM* loop, std::unique_ptr<EasyHandle> handle)
    : loop_(loop), handle_(std::move(handle)) {
  curl_multi_setopt(loop_, CURLMOPT_MAXCONNECTS, 1L);
  curl_multi_setopt(loop_, CURLMOPT_SOCKETFUNCTION, &PooledHandle::on_socket);
  curl_multi_setopt(loop_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(loop_, CURLMOPT_TIMERFUNCTION, &PooledHandle::on_timer);
  curl_multi_setopt(loop_, CURLMOPT_TIMERDATA, this);
}

PooledHandle::~PooledHandle() {
  // The handle first: the loop owns the connection that it may still hold.
  handle_.reset();
  curl_multi_cleanup(loop_);
}

void PooledHandle::run(const UpstreamRequest& request, CurlTransfer& transfer,
                       const Cancelled& cancelled, milliseconds max_idle) {
  if (Result<void> loaded = handle_->load(request, transfer, max_idle);
      !loaded) {
    handle_->unload();
    return transfer.finish(std::move(loaded).error());
  }
  std::optional<SigpipeGuard> guard;
  if (transfer.origin().tls) guard.emplace();
  const Result<CURLcode> code = drive(transfer, cancelled);
  // A transfer that is taken out before its end loses its connection: that
  // is what tells the upstream to stop.
  curl_multi_remove_handle(loop_, handle_->get());
  handle_->unload();
  guard.reset();
  if (code) {
    transfer.finish(*code, handle_->detail());
  } else {
    transfer.finish(code.error());
  }
}

int PooledHandle::on_timer(CURLM*, long delay, void* self) {
  static_cast<PooledHandle*>(self)->curl_due_ =
      delay < 0 ? Time::max() : Clock::now() + milliseconds(delay);
  return 0;
}

int PooledHandle::on_socket(CURL*, curl_socket_t socket, int what, void* self,
                            void*) {
  auto& sockets = static_cast<PooledHandle*>(self)->sockets_;
  std::erase_if(sockets,
                [&](const pollfd& known) { return known.fd == socket; });
  if (what != CURL_POLL_REMOVE) {
    sockets.push_back({socket, poll_events(what), 0});
  }
  return 0;
}

CURLMcode PooledHandle::turn(Time until) {
  int running = 0;
  CURLMcode failed = CURLM_OK;
  if (curl_due_ > Clock::now()) {
    wait_for(sockets_, std::min(until, curl_due_));
    ready_ = sockets_;  // which libcurl changes while it hears of them
    for (const pollfd& socket : ready_) {
      if (socket.revents == 0 || failed != CURLM_OK) continue;
      failed = curl_multi_socket_action(
          loop_, socket.fd,
          curl_events(static_cast<unsigned short>(socket.revents)), &running);
    }
  }
  if (failed == CURLM_OK && curl_due_ <= Clock::now()) {
    curl_due_ = Time::max();  // libcurl sets the next one during the call
    failed = curl_multi_socket_action(loop_, CURL_SOCKET_TIMEOUT, 0, &running);
  }
  return failed;
}

Result<CURLcode> PooledHandle::drive(CurlTransfer& transfer,
                                     const Cancelled& cancelled) {
  CURLMcode failed = curl_multi_add_handle(loop_, handle_->get());
  Time ask_next = Clock::now() + kAskInterval;
  Time until = Time::min();
  while (failed == CURLM_OK) {
    failed = turn(until);
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(loop_, &left)) {
      if (message->msg == CURLMSG_DONE) return message->data.result;
    }
    const Time now = Clock::now();
    if (cancelled && now >= ask_next) {
      if (cancelled()) return cancelled_error();
      ask_next = now + kAskInterval;
    }
    if (const auto passed = transfer.clock().passed(now)) {
      return deadline_error(*passed, transfer.origin());
    }
    until = transfer.clock().next_check(now);
    if (cancelled) until = std::min(until, ask_next);
  }
  return out_of_resources(failed);
}

HandlePool::HandlePool(const CurlOptions& options, std::size_t max_handles,
                       std::shared_ptr<SharedCache> cache,
                       std::shared_ptr<IdleTimes> idle_times)
    : options_(options),
      max_handles_(max_handles),
      cache_(std::move(cache)),
      idle_times_(std::move(idle_times)) {}

void HandlePool::run(const UpstreamRequest& request, CurlTransfer& transfer,
                     const Cancelled& cancelled) {
  const std::string origin = transfer.origin().key;
  std::unique_ptr<PooledHandle> handle = take(origin);
  if (handle == nullptr) return transfer.finish(CURLE_OUT_OF_MEMORY, {});
  handle->run(request, transfer, cancelled, idle_times_->of(origin));
  idle_times_->note(origin, transfer.headers());
  give_back(origin, std::move(handle));
}

std::unique_ptr<PooledHandle> HandlePool::take(const std::string& origin) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = idle_.find(origin);
    if (found != idle_.end()) {
      std::unique_ptr<PooledHandle> handle =
          std::move(found->second.back().handle);
      found->second.pop_back();
      if (found->second.empty()) idle_.erase(found);
      --count_;
      return handle;
    }
  }
  return PooledHandle::create(options_, cache_);
}

void HandlePool::give_back(const std::string& origin,
                           std::unique_ptr<PooledHandle> handle) {
  // Closing connections takes a while; it happens after the lock is gone.
  std::vector<std::unique_ptr<PooledHandle>> evicted;
  const std::lock_guard lock(mutex_);
  const Time now = Clock::now();
  idle_[origin].push_back({std::move(handle), now});
  ++count_;
  evicted = evict(now);
}

std::vector<std::unique_ptr<PooledHandle>> HandlePool::evict(Time now) {
  std::vector<std::unique_ptr<PooledHandle>> evicted;
  for (int i = 0; i < kEvictions && count_ > 0; ++i) {
    std::unique_ptr<PooledHandle> oldest = evict_oldest(now);
    if (oldest == nullptr) break;
    evicted.push_back(std::move(oldest));
  }
  return evicted;
}

std::unique_ptr<PooledHandle> HandlePool::evict_oldest(Time now) {
  const auto oldest = std::min_element(
      idle_.begin(), idle_.end(), [](const auto& a, const auto& b) {
        return a.second.front().since < b.second.front().since;
      });
  std::vector<Idle>& handles = oldest->second;
  if (count_ <= max_handles_ &&
      now - handles.front().since < idle_times_->of(oldest->first)) {
    return nullptr;
  }
  std::unique_ptr<PooledHandle> handle = std::move(handles.front().handle);
  handles.erase(handles.begin());
  if (handles.empty()) idle_.erase(oldest);
  --count_;
  return handle;
}

}  // namespace llmproxy
