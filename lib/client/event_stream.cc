// EventStream: a bounded queue between the transport's engine, which decodes
// into it, and the thread that pulls. Both sides wait on conditions; a full
// queue pauses the transfer, which in turn stops the upstream.
#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include "client/answer_reader.h"
#include "client/outgoing_call.h"
#include "llmproxy/client.h"

namespace llmproxy {
namespace {

/// Bytes of waiting events at which the upstream is paused, and at which it
/// goes on. One piece of the body (16 KiB) may come on top.
constexpr std::size_t kFull = std::size_t{256} << 10;
constexpr std::size_t kHalf = kFull / 2;

std::size_t cost(const OwnedStreamEvent& event) {
  return sizeof(event) + event.text.size() + event.signature.size() +
         event.citation.size();
}

/// The engine's side: a handler that lives until on_done, and longer if the
/// EventStream does.
class EventQueue final : public ResponseHandler, private EventSink {
 public:
  explicit EventQueue(Losses request_losses)
      : losses_(std::move(request_losses)) {}

  /// `self` keeps this object alive until on_done.
  void expect_answer(const OutgoingCall& call,
                     std::shared_ptr<EventQueue> self) {
    reader_.emplace(*call.dialect, call.context,
                    static_cast<EventSink&>(*this));
    self_ = std::move(self);
  }
  void fail(const Error& error) {
    StreamEvent event;
    event.kind = EventKind::failed;
    event.error = &error;
    on_event(event);
  }

  void on_head(int status, const Headers& headers) override {
    reader_->head(status, headers);
  }
  Flow on_body(std::string_view bytes) override {
    reader_->body(bytes);
    const std::lock_guard lock(mutex_);
    // After the last event nobody pulls; the rest goes by.
    paused_ = size_ > kFull && !ended_ && !abandoned_;
    return paused_ ? Flow::pause : Flow::go_on;
  }
  void on_done(const Result<void>& result) override {
    const std::shared_ptr<EventQueue> self = std::move(self_);
    reader_->done(result);
  }

  /// False after the last event. `resume` is set when the transfer is to go
  /// on.
  bool take(OwnedStreamEvent& event, bool& resume) {
    std::unique_lock lock(mutex_);
    if (ended_ && events_.empty()) return false;
    arrived_.wait(lock, [this] { return !events_.empty(); });
    event = std::move(events_.front());
    events_.pop_front();
    size_ -= cost(event);
    resume = paused_ && size_ <= kHalf;
    if (resume) paused_ = false;
    return true;
  }
  /// Nobody pulls any more. True when the transfer has to be cancelled.
  bool abandon() {
    const std::lock_guard lock(mutex_);
    abandoned_ = true;
    return !ended_;
  }
  Losses losses() const {
    const std::lock_guard lock(mutex_);
    return losses_;
  }

 private:
  void on_event(const StreamEvent& event) override {
    OwnedStreamEvent owned(event);
    const bool last =
        event.kind == EventKind::finished || event.kind == EventKind::failed;
    const std::lock_guard lock(mutex_);
    if (abandoned_) return;
    if (last && reader_) {
      const Losses answer = reader_->losses();
      losses_.insert(losses_.end(), answer.begin(), answer.end());
    }
    ended_ = last;
    size_ += cost(owned);
    events_.push_back(std::move(owned));
    arrived_.notify_one();
  }

  // The engine's alone:
  std::optional<AnswerReader> reader_;
  std::shared_ptr<EventQueue> self_;

  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<OwnedStreamEvent> events_;
  std::size_t size_ = 0;
  Losses losses_;
  bool paused_ = false;
  bool ended_ = false;
  bool abandoned_ = false;
};

}  // namespace

/// The puller's side.
class EventStream::State {
 public:
  explicit State(std::shared_ptr<EventQueue> events)
      : queue(std::move(events)) {}
  ~State() {
    if (queue->abandon()) cancel();
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void start(UpstreamRequest request, std::shared_ptr<Transport> by,
             const std::stop_token& stop) {
    transport = std::move(by);
    transfer = transport->start(std::move(request), *queue);
    on_stop.emplace(stop, Canceller{transfer});
  }
  void cancel() {
    if (transfer != nullptr) transfer->cancel();
  }

  struct Canceller {
    std::shared_ptr<Transfer> transfer;
    void operator()() const { transfer->cancel(); }
  };

  std::shared_ptr<EventQueue> queue;
  std::shared_ptr<Transport> transport;
  std::shared_ptr<Transfer> transfer;  ///< null when it never started
  std::optional<std::stop_callback<Canceller>> on_stop;
  OwnedStreamEvent event;
  Result<void> status;
};

EventStream::EventStream(std::unique_ptr<State> state)
    : state_(std::move(state)) {}
EventStream::EventStream(EventStream&&) noexcept = default;
EventStream& EventStream::operator=(EventStream&&) noexcept = default;
EventStream::~EventStream() = default;

const OwnedStreamEvent* EventStream::next() {
  bool resume = false;
  if (!state_->queue->take(state_->event, resume)) return nullptr;
  if (resume) state_->transfer->resume();
  if (state_->event.error) state_->status = *state_->event.error;
  return &state_->event;
}

void EventStream::cancel() { state_->cancel(); }

Result<void> EventStream::status() const { return state_->status; }

Losses EventStream::losses() const { return state_->queue->losses(); }

EventStream Client::stream(const ChatRequest& request,
                           const CallOptions& options) const {
  Result<OutgoingCall> call = prepare_call(backend_, request, true, options);
  auto queue = std::make_shared<EventQueue>(call ? call->losses : Losses());
  auto state = std::make_unique<EventStream::State>(queue);
  if (call) {
    queue->expect_answer(*call, queue);
    state->start(std::move(call->request), transport_, options.stop);
  } else {
    queue->fail(call.error());
  }
  return EventStream(std::move(state));
}

}  // namespace llmproxy
