#include "client/reply_transport.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "client/caught.h"
#include "client/per_process.h"
#include "client/transfer_error.h"
#include "llmproxy/waiting.h"

namespace llmproxy {
namespace {

using Clock = std::chrono::steady_clock;

// How long a waiting perform() sleeps between two questions.
constexpr std::chrono::milliseconds kAsk{100};

std::optional<Error> tell_head(const Reply& reply, ResponseHandler& handler) {
  return caught(kHandler,
                [&] { handler.on_head(reply.status, reply.headers); });
}

std::optional<Error> tell_body(std::string_view piece, ResponseHandler& handler,
                               Flow& flow) {
  return caught(kHandler, [&] { flow = handler.on_body(piece); });
}

/// Flags that any thread may set and the engine reads. Shared, as a handle
/// may outlive both the transfer and the transport.
class Signals {
 public:
  std::mutex mutex;
  std::condition_variable changed;
};

class ReplyTransfer final : public Transfer {
 public:
  ReplyTransfer(std::shared_ptr<Signals> signals, UpstreamRequest request,
                ResponseHandler& handler)
      : signals_(std::move(signals)),
        request_(std::move(request)),
        handler_(handler) {}

  void cancel() override {
    const std::lock_guard lock(signals_->mutex);
    cancelled_ = true;
    signals_->changed.notify_all();
  }
  void resume() override {
    const std::lock_guard lock(signals_->mutex);
    paused_ = false;
    signals_->changed.notify_all();
  }

  // The rest is the engine's alone; those marked need the mutex held.

  /// Mutex held. When there is something to do; max() = not until told.
  Clock::time_point due() const {
    if (cancelled_) return Clock::time_point::min();
    return paused_ ? Clock::time_point::max() : due_;
  }
  /// Mutex held. Call before step(): a resume that comes while the handler
  /// asks for a pause must not be lost.
  bool prepare_step() {
    paused_ = true;
    return !cancelled_;
  }
  /// Mutex held. Call after step().
  void finish_step(Flow flow) {
    if (flow == Flow::go_on) paused_ = false;
    if (flow == Flow::stop) cancelled_ = true;
  }

  /// Gives the handler one thing. True when that was the last.
  bool step(const Replier& reply, bool go_on, Flow& flow) {
    flow = Flow::go_on;
    if (!go_on) return done(cancelled_error());
    if (!started_) {
      started_ = true;
      reply_ = reply(request_);
      if (reply_.status == 0) return done(reply_.end);
      const auto thrown = tell_head(reply_, handler_);
      return thrown && done(*thrown);
    }
    if (next_ == reply_.pieces.size()) return done(reply_.end);
    const auto thrown = tell_body(reply_.pieces[next_++], handler_, flow);
    if (thrown) return done(*thrown);
    due_ = Clock::now() + reply_.pace;
    return false;
  }

 private:
  bool done(const Result<void>& result) {
    tell_done(handler_, result);
    return true;
  }

  const std::shared_ptr<Signals> signals_;
  const UpstreamRequest request_;
  ResponseHandler& handler_;
  Reply reply_;
  std::size_t next_ = 0;
  bool started_ = false;
  Clock::time_point due_ = Clock::time_point::min();
  bool cancelled_ = false;
  bool paused_ = false;
};

/// What the engine's thread runs. Shared with that thread, which may outlive
/// the transport: a handler may drop the last reference to it.
class ReplyEngine {
 public:
  explicit ReplyEngine(Replier reply) : reply_(std::move(reply)) {}

  std::shared_ptr<Transfer> start(UpstreamRequest request,
                                  ResponseHandler& handler) {
    auto transfer =
        std::make_shared<ReplyTransfer>(signals_, std::move(request), handler);
    const std::lock_guard lock(signals_->mutex);
    transfers_.push_back(transfer);
    signals_->changed.notify_all();
    return transfer;
  }

  /// run() ends once all transfers are over, which this cancels.
  void stop() {
    const std::lock_guard lock(signals_->mutex);
    stopping_ = true;
    signals_->changed.notify_all();
  }

  // Takes the first transfer that is due, lets it make one step, and puts it
  // at the end of the queue.
  void run() {
    std::unique_lock lock(signals_->mutex);
    while (true) {
      const auto transfer = take_due(lock);
      if (!transfer) return;
      const bool go_on = transfer->prepare_step();
      lock.unlock();
      Flow flow = Flow::go_on;
      const bool over = transfer->step(reply_, go_on, flow);
      lock.lock();
      transfer->finish_step(flow);
      if (!over) transfers_.push_back(transfer);
    }
  }

 private:
  // Waits for one; null once the transport stops and none is left.
  std::shared_ptr<ReplyTransfer> take_due(std::unique_lock<std::mutex>& lock) {
    while (true) {
      if (stopping_ && transfers_.empty()) return nullptr;
      Clock::time_point first = Clock::time_point::max();
      const Clock::time_point now = Clock::now();
      for (auto it = transfers_.begin(); it != transfers_.end(); ++it) {
        if (stopping_) (*it)->finish_step(Flow::stop);
        first = std::min(first, (*it)->due());
        if ((*it)->due() > now) continue;
        auto transfer = *it;
        transfers_.erase(it);
        return transfer;
      }
      if (first == Clock::time_point::max()) {
        signals_->changed.wait(lock);
      } else {
        signals_->changed.wait_until(lock, first);
      }
    }
  }

  const Replier reply_;
  const std::shared_ptr<Signals> signals_ = std::make_shared<Signals>();
  std::deque<std::shared_ptr<ReplyTransfer>> transfers_;
  bool stopping_ = false;
};

/// An engine and its thread, which belong to one process.
class ReplyWorks {
 public:
  explicit ReplyWorks(const Replier& reply)
      : engine_(std::make_shared<ReplyEngine>(reply)),
        thread_([engine = engine_] { engine->run(); }) {}
  ~ReplyWorks() {
    engine_->stop();
    if (thread_.get_id() == std::this_thread::get_id()) {
      thread_.detach();
    } else {
      thread_.join();
    }
  }
  ReplyWorks(const ReplyWorks&) = delete;
  ReplyWorks& operator=(const ReplyWorks&) = delete;

  ReplyEngine& engine() { return *engine_; }

 private:
  const std::shared_ptr<ReplyEngine> engine_;
  std::thread thread_;
};

class ReplyTransport final : public Transport {
 public:
  explicit ReplyTransport(Replier reply)
      : reply_(std::move(reply)),
        works_(std::make_unique<ReplyWorks>(reply_), [reply = reply_] {
          return std::make_unique<ReplyWorks>(reply);
        }) {}

  void perform(const UpstreamRequest& request, ResponseHandler& handler,
               const Cancelled& cancelled) override {
    const auto gone = [&] { return cancelled && cancelled(); };
    if (gone()) return tell_done(handler, cancelled_error());
    const Reply reply = reply_(request);
    if (reply.status == 0) return tell_done(handler, reply.end);
    auto thrown = tell_head(reply, handler);
    if (thrown) return tell_done(handler, *std::move(thrown));
    for (const std::string& piece : reply.pieces) {
      const Clock::time_point due = Clock::now() + reply.pace;
      while (!gone() && Clock::now() < due) {
        wait_for({}, std::min(due, Clock::now() + kAsk));
      }
      Flow flow = Flow::stop;
      if (!gone()) thrown = tell_body(piece, handler, flow);
      if (thrown) return tell_done(handler, *std::move(thrown));
      if (flow != Flow::go_on) return tell_done(handler, cancelled_error());
    }
    tell_done(handler, reply.end);
  }

  std::shared_ptr<Transfer> start(UpstreamRequest request,
                                  ResponseHandler& handler) override {
    return works_.get()->engine().start(std::move(request), handler);
  }

 private:
  const Replier reply_;
  PerProcess<ReplyWorks> works_;
};

}  // namespace

std::shared_ptr<Transport> make_reply_transport(Replier reply) {
  return std::make_shared<ReplyTransport>(std::move(reply));
}

}  // namespace llmproxy
