// Client::send and the pushing Client::stream: calls that run on the calling
// thread. The pulling one is in event_stream.cc, those that return at once in
// async.cc.
#include "llmproxy/client.h"

#include <chrono>
#include <utility>

#include "client/answer_reader.h"
#include "client/caught.h"
#include "client/no_transport.h"
#include "client/outgoing_call.h"
#include "client/transfer_error.h"
#include "client/whole_answer.h"

namespace llmproxy {
namespace {

using Clock = std::chrono::steady_clock;

/// How long an upstream may take to end its answer after the last event.
/// Waiting lets the connection be used again; upstreams that never end are
/// not waited for.
constexpr std::chrono::seconds kLinger{1};

/// Hands events to the caller's function as they come.
class PushedStream final : public ResponseHandler, private EventSink {
 public:
  PushedStream(const OutgoingCall& call, const EventCallback& on_event)
      : callback_(on_event), reader_(*call.dialect, call.context, *this) {}

  void on_head(int status, const Headers& headers) override {
    reader_.head(status, headers);
  }
  Flow on_body(std::string_view bytes) override {
    const Flow flow = reader_.body(bytes);
    if (reader_.ended() && ended_at_ == Clock::time_point::max()) {
      ended_at_ = Clock::now();
    }
    return stopped_ ? Flow::stop : flow;
  }
  void on_done(const Result<void>& result) override { reader_.done(result); }

  bool lingers() const { return Clock::now() - kLinger > ended_at_; }
  Result<void> result() const {
    if (thrown_) return *thrown_;
    if (stopped_) return cancelled_error();
    if (reader_.error()) return *reader_.error();
    return {};
  }
  Losses losses() const { return reader_.losses(); }

 private:
  void on_event(const StreamEvent& event) override {
    if (stopped_) return;
    thrown_ = caught(kCallback, [&] { stopped_ = !callback_(event); });
    if (thrown_) stopped_ = true;
  }

  const EventCallback& callback_;
  AnswerReader reader_;
  Clock::time_point ended_at_ = Clock::time_point::max();
  bool stopped_ = false;
  std::optional<Error> thrown_;
};

}  // namespace

Client::Client(Backend backend, std::shared_ptr<Transport> transport)
    : backend_(std::move(backend)), transport_(or_none(std::move(transport))) {}

Result<ChatResponse> Client::send(const ChatRequest& request,
                                  const CallOptions& options) const {
  LLMPROXY_ASSIGN(const OutgoingCall call,
                  prepare_call(backend_, request, false, options));
  Cancelled cancelled;
  if (options.stop.stop_possible()) {
    cancelled = [&] { return options.stop.stop_requested(); };
  }
  WholeAnswer answer;
  transport_->perform(call.request, answer, cancelled);
  return answer.read(call, options.losses);
}

Result<void> Client::push(const ChatRequest& request,
                          const EventCallback& on_event,
                          const CallOptions& options) const {
  const Result<OutgoingCall> call =
      prepare_call(backend_, request, true, options);
  if (!call) {
    StreamEvent failed;
    failed.kind = EventKind::failed;
    failed.error = &call.error();
    // The error of the call is the one that counts.
    (void)caught(kCallback, [&] { on_event(failed); });
    return call.error();
  }
  PushedStream stream(*call, on_event);
  transport_->perform(call->request, stream, [&] {
    return options.stop.stop_requested() || stream.lingers();
  });
  add_losses(stream.losses(), options.losses);
  return stream.result();
}

}  // namespace llmproxy
