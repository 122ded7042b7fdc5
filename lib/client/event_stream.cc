// EventStream: a bounded queue between the transport's engine, which decodes
// into it, and the thread that pulls. Both sides wait on conditions; a full
// queue pauses the transfer, which in turn stops the upstream.
#include <deque>
#include <mutex>
#include <utility>
#include <vector>

#include "client/answer_reader.h"
#include "client/outgoing_call.h"
#include "client/signal.h"
#include "llmproxy/client.h"

namespace llmproxy {
namespace {

/// Bytes of waiting events at which the upstream is paused. The events of one
/// piece of the body (16 KiB) may come on top, and as much again is with the
/// thread that pulls.
constexpr std::size_t kFull = std::size_t{256} << 10;

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
    publish();
  }

  void on_head(int status, const Headers& headers) override {
    reader_->head(status, headers);
  }
  Flow on_body(std::string_view bytes) override {
    const Flow read = reader_->body(bytes);
    const bool behind = publish();
    if (read == Flow::stop) return Flow::stop;
    return behind ? Flow::pause : Flow::go_on;
  }
  void on_done(const Result<void>& result) override {
    const std::shared_ptr<EventQueue> self = std::move(self_);
    reader_->done(result);
    publish();
  }

  /// Waits for events and takes all there are; none = there will be no more.
  /// True when the transfer is to be resumed.
  bool take(std::deque<OwnedStreamEvent>& events) {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [this] { return !events_.empty() || ended_; });
    events.swap(events_);
    size_ = 0;
    return std::exchange(paused_, false);
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
    fresh_.emplace_back(event);
    last_ =
        event.kind == EventKind::finished || event.kind == EventKind::failed;
  }

  /// Hands the fresh events over. True when the puller is behind.
  bool publish() {
    const std::lock_guard lock(mutex_);
    if (!fresh_.empty()) arrived_.notify_one();
    for (OwnedStreamEvent& event : fresh_) {
      size_ += cost(event);
      events_.push_back(std::move(event));
    }
    fresh_.clear();
    if (last_ && !ended_ && reader_) {
      const Losses answer = reader_->losses();
      losses_.insert(losses_.end(), answer.begin(), answer.end());
    }
    ended_ = last_;
    // After the last event nobody pulls; what still comes goes by.
    paused_ = size_ > kFull && !ended_ && !abandoned_;
    return paused_;
  }

  // The engine's alone:
  std::optional<AnswerReader> reader_;
  std::shared_ptr<EventQueue> self_;
  std::vector<OwnedStreamEvent> fresh_;
  bool last_ = false;

  mutable std::mutex mutex_;
  Signal arrived_;
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
  explicit State(std::shared_ptr<EventQueue> event_queue)
      : queue(std::move(event_queue)) {}
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
  std::deque<OwnedStreamEvent> events;  ///< taken; the first was returned
  Result<void> status;
};

EventStream::EventStream(std::unique_ptr<State> state)
    : state_(std::move(state)) {}
EventStream::EventStream(EventStream&&) noexcept = default;
EventStream& EventStream::operator=(EventStream&&) noexcept = default;
EventStream::~EventStream() = default;

const OwnedStreamEvent* EventStream::next() {
  State& s = *state_;
  if (!s.events.empty()) s.events.pop_front();
  if (s.events.empty() && s.queue->take(s.events)) s.transfer->resume();
  if (s.events.empty()) return nullptr;
  const OwnedStreamEvent& event = s.events.front();
  if (event.error) s.status = *event.error;
  return &event;
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
