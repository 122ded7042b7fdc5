#include "client/seat_pool.h"

#include <algorithm>
#include <climits>
#include <optional>
#include <utility>

#include "client/sigpipe.h"
#include "client/transfer_error.h"

namespace llmproxy {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// `cancelled` is asked at least four times a second (transport.h).
constexpr milliseconds kAskInterval{200};

/// libcurl does not use a connection again that was idle for longer (default
/// of CURLOPT_MAXAGE_CONN), so there is no point in keeping it open.
constexpr std::chrono::seconds kMaxIdle{118};

/// Milliseconds to wait for the network; rounded up, lest we wake too early
/// and turn in circles.
int wait_time(Clock::time_point until, bool asked) {
  milliseconds wait = asked ? kAskInterval : milliseconds(INT_MAX);
  if (until != Clock::time_point::max()) {
    const auto left = std::chrono::ceil<milliseconds>(until - Clock::now());
    wait = std::clamp(left, milliseconds(0), wait);
  }
  return static_cast<int>(wait.count());
}

Error out_of_resources(CURLMcode code) {
  return internal_error(curl_multi_strerror(code));
}

}  // namespace

std::unique_ptr<Seat> Seat::create(const CurlOptions& options) {
  std::unique_ptr<EasyHandle> handle = EasyHandle::create(options);
  CURLM* loop = handle ? curl_multi_init() : nullptr;
  if (loop == nullptr) return nullptr;
  return std::unique_ptr<Seat>(new Seat(loop, std::move(handle)));
}

Seat::Seat(CURLM* loop, std::unique_ptr<EasyHandle> handle)
    : loop_(loop), handle_(std::move(handle)) {
  curl_multi_setopt(loop_, CURLMOPT_MAXCONNECTS, 1L);
}

Seat::~Seat() {
  // The handle first: the loop owns the connection that it may still hold.
  handle_.reset();
  curl_multi_cleanup(loop_);
}

void Seat::run(const UpstreamRequest& request, Exchange& exchange,
               const Cancelled& cancelled) {
  if (Result<void> loaded = handle_->load(request, exchange); !loaded) {
    handle_->unload();
    return exchange.finish(std::move(loaded).error());
  }
  std::optional<SigpipeGuard> guard;
  if (exchange.origin().tls) guard.emplace();
  const Result<CURLcode> code = drive(exchange, cancelled);
  // A transfer that is taken out before its end loses its connection: that
  // is what tells the upstream to stop.
  curl_multi_remove_handle(loop_, handle_->get());
  handle_->unload();
  guard.reset();
  if (code) {
    exchange.finish(*code, handle_->detail());
  } else {
    exchange.finish(code.error());
  }
}

Result<CURLcode> Seat::drive(Exchange& exchange, const Cancelled& cancelled) {
  CURLMcode failed = curl_multi_add_handle(loop_, handle_->get());
  Clock::time_point ask_next = Clock::now() + kAskInterval;
  while (failed == CURLM_OK) {
    int running = 0;
    failed = curl_multi_perform(loop_, &running);
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(loop_, &left)) {
      if (message->msg == CURLMSG_DONE) return message->data.result;
    }
    if (failed != CURLM_OK) break;
    const Clock::time_point now = Clock::now();
    if (cancelled && now >= ask_next) {
      if (cancelled()) return cancelled_error();
      ask_next = now + kAskInterval;
    }
    if (const auto passed = exchange.clock().passed(now)) {
      return deadline_error(*passed, exchange.origin());
    }
    const int wait =
        wait_time(exchange.clock().next_check(now), cancelled != nullptr);
    failed = curl_multi_poll(loop_, nullptr, 0, wait, nullptr);
  }
  return out_of_resources(failed);
}

SeatPool::SeatPool(const CurlOptions& options, std::size_t max_idle)
    : options_(options), max_idle_(max_idle) {}

std::unique_ptr<Seat> SeatPool::take(const std::string& origin) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = idle_.find(origin);
    if (found != idle_.end()) {
      std::unique_ptr<Seat> seat = std::move(found->second.back().seat);
      found->second.pop_back();
      if (found->second.empty()) idle_.erase(found);
      --count_;
      return seat;
    }
  }
  return Seat::create(options_);
}

void SeatPool::give_back(const std::string& origin,
                         std::unique_ptr<Seat> seat) {
  // Closing a connection takes a while; it happens after the lock is gone.
  std::unique_ptr<Seat> evicted;
  const std::lock_guard lock(mutex_);
  const Clock::time_point now = Clock::now();
  idle_[origin].push_back({std::move(seat), now});
  ++count_;
  evicted = evict(now);
}

std::unique_ptr<Seat> SeatPool::evict(Clock::time_point now) {
  const auto oldest = std::min_element(
      idle_.begin(), idle_.end(), [](const auto& a, const auto& b) {
        return a.second.front().since < b.second.front().since;
      });
  std::vector<Idle>& seats = oldest->second;
  if (count_ <= max_idle_ && now - seats.front().since < kMaxIdle) {
    return nullptr;
  }
  std::unique_ptr<Seat> seat = std::move(seats.front().seat);
  seats.erase(seats.begin());
  if (seats.empty()) idle_.erase(oldest);
  --count_;
  return seat;
}

}  // namespace llmproxy
