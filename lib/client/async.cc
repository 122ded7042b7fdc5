// Calls that return at once and run on the transport's engine: send_async()
// and stream_async(). The pulling Client::stream is in event_stream.cc.
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "client/answer_reader.h"
#include "client/caught.h"
#include "client/outgoing_call.h"
#include "client/transfer_error.h"
#include "client/whole_answer.h"
#include "llmproxy/client.h"

namespace llmproxy {

/// One call: the transport's handler, which keeps itself alive until on_done.
/// The mutex guards nothing but the handle to the transfer, which start() may
/// return after the engine has begun to call us, or even ended.
class Call::State : public ResponseHandler {
 public:
  /// A call that was refused is started all the same, without a URL: every
  /// transport lets that fail, and on the engine, where callbacks belong.
  static Call start(const std::shared_ptr<State>& state,
                    UpstreamRequest request,
                    const std::shared_ptr<Transport>& transport,
                    const std::stop_token& stop) {
    state->self_ = state;
    state->transport_ = transport;
    state->on_stop_.emplace(stop, Canceller{*state});
    state->know(transport->start(std::move(request), *state));
    return Call(state);
  }

  using Order = void (Transfer::*)();
  void tell(Order order) {
    std::shared_ptr<Transfer> transfer;
    {
      const std::lock_guard lock(mutex_);
      transfer = transfer_;
      if (!transfer && !over_) early_.push_back(order);
    }
    if (transfer) (*transfer.*order)();
  }
  bool over() const { return over_; }

  void on_done(const Result<void>& result) final {
    const std::shared_ptr<State> self = std::move(self_);
    conclude(result);
    on_stop_.reset();
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
      transfer_.reset();
    }
    transport_.reset();
  }

 private:
  struct Canceller {
    State& state;
    void operator()() const { state.tell(&Transfer::cancel); }
  };

  /// Makes the last calls of the callback and destroys it.
  virtual void conclude(const Result<void>& result) = 0;

  void know(const std::shared_ptr<Transfer>& transfer) {
    std::vector<Order> early;
    {
      const std::lock_guard lock(mutex_);
      if (over_) return;
      transfer_ = transfer;
      early.swap(early_);
    }
    for (const Order order : early) (*transfer.*order)();
  }

  // Set before the transfer starts, then the engine's:
  std::shared_ptr<State> self_;
  std::shared_ptr<Transport> transport_;
  std::optional<std::stop_callback<Canceller>> on_stop_;

  std::mutex mutex_;
  std::shared_ptr<Transfer> transfer_;
  std::vector<Order> early_;  ///< from before the transfer was known
  std::atomic<bool> over_ = false;
};

class Call::Answer final : public Call::State {
 public:
  Answer(Result<OutgoingCall> call, AnswerCallback on_answer, Losses* losses)
      : call_(std::move(call)),
        on_answer_(std::move(on_answer)),
        losses_(losses) {}

  void on_head(int status, const Headers& headers) override {
    answer_.on_head(status, headers);
  }
  Flow on_body(std::string_view bytes) override {
    return answer_.on_body(bytes);
  }

 private:
  void conclude(const Result<void>& result) override {
    answer_.on_done(result);
    const AnswerCallback on_answer = std::move(on_answer_);
    Result<ChatResponse> answer = call_ ? answer_.read(*call_, losses_)
                                        : Result<ChatResponse>(call_.error());
    // The call is over: nobody is left to be told what it throws.
    (void)caught(kCallback, [&] { on_answer(std::move(answer)); });
  }

  const Result<OutgoingCall> call_;
  AnswerCallback on_answer_;
  Losses* const losses_;
  WholeAnswer answer_;
};

class Call::Stream final : public Call::State, private EventSink {
 public:
  Stream(const Result<OutgoingCall>& call, FlowCallback on_event,
         Losses* losses)
      : on_event_(std::move(on_event)), losses_(losses) {
    if (call) {
      reader_.emplace(*call->dialect, call->context,
                      static_cast<EventSink&>(*this));
    } else {
      refused_ = call.error();
    }
  }

  void on_head(int status, const Headers& headers) override {
    if (reader_) reader_->head(status, headers);
  }
  Flow on_body(std::string_view bytes) override {
    if (!reader_) return Flow::stop;
    const bool had_ended = reader_->ended();
    flow_ = Flow::go_on;
    const Flow read = reader_->body(bytes);
    if (stopped_ || read == Flow::stop) return Flow::stop;
    if (!reader_->ended()) return flow_;
    if (!had_ended) tell(&Transfer::linger);
    return Flow::go_on;
  }

 private:
  void on_event(const StreamEvent& event) override {
    if (stopped_) return;
    ended_ =
        event.kind == EventKind::finished || event.kind == EventKind::failed;
    if (ended_ && reader_) add_losses(reader_->losses(), losses_);
    Flow flow = Flow::stop;
    thrown_ = caught(kCallback, [&] { flow = on_event_(event); });
    stopped_ = flow == Flow::stop;
    if (flow == Flow::pause) flow_ = flow;
  }

  void fail(const Error& error) {
    StreamEvent failed;
    failed.kind = EventKind::failed;
    failed.error = &error;
    on_event(failed);
  }

  void conclude(const Result<void>& result) override {
    if (reader_) {
      reader_->done(result);
    } else {
      fail(refused_);
    }
    // Who waits for the end must be told of it, the own mistake too.
    if (thrown_ && !ended_) {
      const Error thrown = *thrown_;
      stopped_ = false;
      fail(thrown);
    }
    on_event_ = nullptr;
  }

  std::optional<AnswerReader> reader_;  ///< none when the call was refused
  Error refused_;
  FlowCallback on_event_;
  Losses* const losses_;
  Flow flow_ = Flow::go_on;
  bool stopped_ = false;
  bool ended_ = false;  ///< the last event was told
  std::optional<Error> thrown_;
};

void Call::cancel() const {
  if (state_) state_->tell(&Transfer::cancel);
}

void Call::resume() const {
  if (state_) state_->tell(&Transfer::resume);
}

bool Call::done() const { return !state_ || state_->over(); }

namespace {

Result<OutgoingCall> prepare(const Backend& backend, const ChatRequest& request,
                             bool stream, const CallOptions& options) {
  if (options.stop.stop_requested()) return cancelled_error();
  return prepare_call(backend, request, stream, options);
}

UpstreamRequest take_request(Result<OutgoingCall>& call) {
  return call ? std::move(call->request) : UpstreamRequest();
}

}  // namespace

Call Client::start_send(const ChatRequest& request, AnswerCallback on_answer,
                        const CallOptions& options) const {
  Result<OutgoingCall> call = prepare(backend_, request, false, options);
  UpstreamRequest outgoing = take_request(call);
  return Call::State::start(
      std::make_shared<Call::Answer>(std::move(call), std::move(on_answer),
                                     options.losses),
      std::move(outgoing), transport_, options.stop);
}

Call Client::start_stream(const ChatRequest& request, FlowCallback on_event,
                          const CallOptions& options) const {
  Result<OutgoingCall> call = prepare(backend_, request, true, options);
  auto state =
      std::make_shared<Call::Stream>(call, std::move(on_event), options.losses);
  return Call::State::start(state, take_request(call), transport_,
                            options.stop);
}

std::future<Result<ChatResponse>> Client::send_async(
    const ChatRequest& request, const CallOptions& options) const {
  std::promise<Result<ChatResponse>> promise;
  std::future<Result<ChatResponse>> future = promise.get_future();
  send_async(
      request,
      [promise = std::move(promise)](Result<ChatResponse> answer) mutable {
        promise.set_value(std::move(answer));
      },
      options);
  return future;
}

}  // namespace llmproxy
