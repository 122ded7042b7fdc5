// Everything between the two threads goes through one mutex, so the sink
// sees one call at a time.
#include "gateway/relay.h"

#include <utility>

#include "client/answer_reader.h"

namespace llmproxy::gateway {
namespace {

// How often the client is looked at where nobody tells that it left; its
// upstream must stop within a second.
constexpr std::chrono::milliseconds kTick{200};
// How long an upstream may keep its connection open behind the last event
// before it is closed for it.
constexpr std::chrono::milliseconds kGrace{250};
// What a client that is to be cut off gets to take what was written before.
constexpr std::chrono::milliseconds kLastMoment{1000};

}  // namespace

Relay::Relay(Exchange& exchange, const Backend& backend)
    : exchange_(exchange),
      answer_(exchange.answer),
      last_sent_(Clock::now()),
      transport_(exchange.core.transport_for(backend)),
      stall_(exchange.core.config().server.write_stall),
      held_(&exchange.core.budget()) {
  upstream_.lease = ByteLease(&exchange.core.budget());
}

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
  ClientAnswer& answer_;
};

void Relay::run(UpstreamRequest request) {
  transfer_ = transport_.start(std::move(request), *this);
  const GoneNotice notice(*this);
  const Ending::Notice ending(exchange_.core.ending(), [this] {
    const Lock lock(mutex_);
    shut_down_ = true;
    changed_.notify_all();
  });
  Lock lock(mutex_);
  while (!result_ && !over()) {
    const auto due = next_look();
    const bool finished = finished_.has_value();
    while (!needs_attention() && finished == finished_.has_value() &&
           Clock::now() < due) {
      changed_.wait_until(lock, due);
    }
    if (!result_) look(lock);
  }
  if (!result_) cancel(lock);
  wait_until_done(lock);
  if (shut_down_ && !finished_) result_ = Ending::error();
  if (no_room_ && !finished_) result_ = no_room();
  conclude(lock);
}

Relay::Clock::time_point Relay::next_look() const {
  const auto now = Clock::now();
  if (finished_) return *finished_ + kGrace;
  if (!told_when_gone_) return now + kTick;
  const auto due = last_sent_ + patience();
  return due > now ? due : now + patience();
}

bool Relay::needs_attention() const {
  return result_ || client_gone_ || blocked_ || shut_down_;
}

bool Relay::over() const {
  if (client_gone_ || shut_down_) return true;
  return finished_ && (failed() || Clock::now() - *finished_ >= kGrace);
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
  const std::uint64_t taken = answer_.taken();
  lock.lock();
  if (drained == Written::gone) client_gone_ = true;
  if (drained == Written::not_now && stall_.passed(taken, Clock::now())) {
    give_client_up();
  }
  if (drained != Written::ok) return;
  stall_.reset();
  blocked_ = false;
  in_sink_ = 0;
  write();
  if (blocked_ || client_gone_) return;
  lock.unlock();
  transfer_->resume();
  lock.lock();
}

void Relay::give_client_up() { given_up_ = client_gone_ = true; }

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
  if (complete()) {
    trailing_ += bytes.size();
    return trailing_ > kMaxTrailing ? Flow::stop : Flow::go_on;
  }
  const Flow flow = take(bytes);
  return failed() || no_room_ ? Flow::stop : flow;
}

void Relay::on_done(const Result<void>& result) {
  // Told under the lock: once it is free, this object may be gone.
  const Lock lock(mutex_);
  result_ = result;
  changed_.notify_all();
}

Flow Relay::send() {
  write();
  if (client_gone_) return Flow::stop;
  return blocked_ ? Flow::pause : Flow::go_on;
}

void Relay::write() {
  // A keep-alive may have filled the client's buffer since the last call.
  if (blocked_) return static_cast<void>(keep());
  if (out_.size() > kPiece) keep();
  look_at_output();
  const Written written = write_output();
  blocked_ = written == Written::not_now;
  client_gone_ = client_gone_ || written == Written::gone;
  keep();
  if (written != Written::ok) return changed_.notify_all();
  if (!complete() || finished_) return;
  finished_ = Clock::now();
  changed_.notify_all();
  if (!breaks_off() && !cut_off_) answer_.finish();
}

void Relay::write_and_wait(Lock& lock) {
  write();
  while (blocked_ && !client_gone_) drain(lock);
}

Written Relay::write_output() {
  const Written written = write_queue();
  if (written != Written::ok || out_.empty()) return written;
  if (out_.size() > kPiece) {
    queue_.swap(out_);
    return write_queue();
  }
  const Written last = write_piece(out_);
  out_.clear();
  return last;
}

Written Relay::write_queue() {
  while (!queue_.empty()) {
    const std::string_view piece =
        std::string_view(queue_).substr(queue_sent_, kPiece);
    const Written written = write_piece(piece);
    queue_sent_ += piece.size();
    if (queue_sent_ == queue_.size()) {
      std::string().swap(queue_);
      queue_sent_ = 0;
    }
    if (written != Written::ok) return written;
  }
  return Written::ok;
}

Written Relay::write_piece(std::string_view piece) {
  const Written written = answer_.write(piece);
  last_sent_ = Clock::now();
  if (written == Written::not_now) in_sink_ = piece.size();
  return written;
}

bool Relay::lease_waiting() {
  const std::size_t waiting =
      in_sink_ + queue_.size() - queue_sent_ + out_.size();
  if (waiting == held_.bytes()) return true;
  if (waiting > held_.bytes()) return held_.grow(waiting - held_.bytes());
  held_.shrink(held_.bytes() - waiting);
  return true;
}

bool Relay::keep() {
  if (cut_off_ || lease_waiting()) return !no_room_;
  // What is small stays: it is here already, and so is the end.
  const bool small = out_.size() <= kPiece;
  const bool last = no_room_ || complete();
  if (small && last) return !no_room_;
  // Whole events, of which nothing has left.
  if (!small) std::string().swap(out_);
  no_room_ = true;
  changed_.notify_all();
  cut_off_ = last;
  if (last) return false;
  tell(no_room());
  // An error may repeat the answer so far.
  return out_.size() > kPiece ? keep() : false;
}

void Relay::conclude(Lock& lock) {
  if (!client_gone_ && !finished_) {
    end(lock);
    while (blocked_ && !client_gone_) drain(lock);
  }
  account();
  end_connection(lock);
}

void Relay::end_connection(Lock& lock) {
  const bool left = client_gone_ && !finished_;
  if (cut_off_) answer_.note(no_room());
  const bool breaks = !client_gone_ && (cut_off_ || breaks_off());
  lock.unlock();  // nobody else is left, and this may take a while
  if (given_up_) {
    answer_.abandon(std::chrono::milliseconds(0));
    answer_.note_client_stalled(stall_.limit());
  } else if (left) {
    answer_.note_client_gone();
  } else if (breaks) {
    answer_.abandon(kLastMoment);
  }
  lock.lock();
}

}  // namespace llmproxy::gateway
