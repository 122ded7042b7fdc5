// Everything between the two threads goes through one mutex, so the sink
// sees one call at a time.
#include "gateway/relay.h"

#include <utility>

namespace llmproxy::gateway {
namespace {

// How often the client is looked at where nobody tells that it left; its
// upstream must stop within a second.
constexpr std::chrono::milliseconds kTick{200};
// How long an upstream may keep its connection open behind the last event
// before it is closed for it.
constexpr std::chrono::milliseconds kGrace{250};

}  // namespace

Relay::Relay(Exchange& exchange, const Backend& backend)
    : exchange_(exchange),
      answer_(exchange.answer),
      last_sent_(Clock::now()),
      transport_(exchange.core.transport_for(backend)) {}

Relay::~Relay() {
  // Only an exception leads here with a transfer that still runs.
  Lock lock(mutex_);
  if (transfer_ && !result_) {
    cancel(lock);
    wait_until_done(lock);
  }
}

/// Hears of the client's leaving as long as run() does.
class Relay::GoneNotice {
 public:
  explicit GoneNotice(Relay& relay) : answer_(relay.answer_) {
    const bool told = answer_.on_client_gone([&relay] {
      const Lock lock(relay.mutex_);
      relay.client_gone_ = true;
      relay.changed_.notify_all();
    });
    const Lock lock(relay.mutex_);
    relay.told_when_gone_ = told;
  }
  GoneNotice(const GoneNotice&) = delete;
  GoneNotice& operator=(const GoneNotice&) = delete;
  ~GoneNotice() { answer_.on_client_gone(nullptr); }

 private:
  Answer& answer_;
};

void Relay::run(UpstreamRequest request) {
  transfer_ = transport_.start(std::move(request), *this);
  const GoneNotice notice(*this);
  Lock lock(mutex_);
  while (!result_ && !over()) {
    const auto due = next_look();
    while (!needs_attention() && Clock::now() < due) {
      changed_.wait_until(lock, due);
    }
    if (!result_) look(lock);
  }
  if (!result_) cancel(lock);
  wait_until_done(lock);
  conclude(lock);
}

Relay::Clock::time_point Relay::next_look() const {
  const auto now = Clock::now();
  if (finished_ || !told_when_gone_) return now + kTick;
  const auto due = last_sent_ + patience();
  return due > now ? due : now + patience();
}

bool Relay::needs_attention() const {
  return result_ || client_gone_ || blocked_;
}

bool Relay::over() const {
  return client_gone_ || (finished_ && Clock::now() - *finished_ >= kGrace);
}

void Relay::look(Lock& lock) {
  if (answer_.client_gone()) client_gone_ = true;
  if (client_gone_ || finished_) return;
  if (blocked_) return drain(lock);
  wait_quietly();
}

void Relay::drain(Lock& lock) {
  // The engine does not write while blocked_ is set.
  lock.unlock();
  const Written drained = answer_.drain(kTick);
  lock.lock();
  if (drained == Written::gone) client_gone_ = true;
  if (drained != Written::ok) return;
  write();
  if (blocked_ || client_gone_) return;
  lock.unlock();
  transfer_->resume();
  lock.lock();
}

void Relay::cancel(Lock& lock) {
  // Not under the lock: the transport may hold one of its own that it also
  // holds while it calls us.
  lock.unlock();
  transfer_->cancel();
  lock.lock();
}

void Relay::wait_until_done(Lock& lock) {
  changed_.wait(lock, [this] { return result_.has_value(); });
}

void Relay::on_head(int status, const Headers& headers) {
  const Lock lock(mutex_);
  upstream_.status = status;
  upstream_.headers = headers;
  last_sent_ = Clock::now();
  take_head();
}

Flow Relay::on_body(std::string_view bytes) {
  const Lock lock(mutex_);
  if (client_gone_) return Flow::stop;
  return take(bytes);
}

void Relay::on_done(const Result<void>& result) {
  // Told under the lock: once it is free, this object may be gone.
  const Lock lock(mutex_);
  result_ = result;
  changed_.notify_all();
}

Flow Relay::send() {
  // A keep-alive may have filled the client's buffer since the last call.
  if (blocked_) return Flow::pause;
  write();
  if (client_gone_) return Flow::stop;
  return blocked_ ? Flow::pause : Flow::go_on;
}

void Relay::write() {
  Written written = Written::ok;
  look_at_output();
  if (!out_.empty()) {
    written = answer_.write(out_);
    out_.clear();
    last_sent_ = Clock::now();
  }
  blocked_ = written == Written::not_now;
  client_gone_ = client_gone_ || written == Written::gone;
  if (written != Written::ok) return changed_.notify_all();
  if (!complete() || finished_) return;
  finished_ = Clock::now();
  answer_.finish();
}

void Relay::conclude(Lock& lock) {
  if (!client_gone_ && !finished_) {
    end();
    while (blocked_ && !client_gone_) drain(lock);
  }
  account();
  if (client_gone_ && !finished_) answer_.note_client_gone();
}

}  // namespace llmproxy::gateway
