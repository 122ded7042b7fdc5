// Client: ask a model from C++, whichever dialect its provider speaks.
//
// send() waits for the whole answer. stream() hands out canonical events
// (stream.h) while it is being written: pushed to a function on the calling
// thread, or pulled from a range while the transport's engine receives.
// send_async() and stream_async() return at once: any number of calls run on
// the one thread of the transport's engine, which also calls the callbacks.
//
// A Client is a plain value over a shared Transport; its functions may be
// called from any number of threads at once. Calls hold the Transport, not
// the Client.
//
//   Client client(make_backend(*find_provider("anthropic"), Secret(key)),
//                 make_curl_transport());
//   ChatRequest request;
//   request.model = "claude-sonnet-4-5";
//   request.messages.push_back(user_message("What is the time in Oslo?"));
//   for (const OwnedStreamEvent& event : client.stream(request))
//     std::cout << event.text << std::flush;
#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <future>
#include <iterator>
#include <memory>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>

#include "llmproxy/chat.h"
#include "llmproxy/export.h"
#include "llmproxy/loss.h"
#include "llmproxy/provider.h"
#include "llmproxy/result.h"
#include "llmproxy/stream.h"
#include "llmproxy/transport.h"

LLMPROXY_EXPORT_BEGIN
namespace llmproxy {

/// What a single call may be told.
struct CallOptions {
  /// In place of the backend's.
  std::optional<Deadlines> deadlines = {};
  /// Ends the call with `cancelled` soon after a stop is requested, from any
  /// thread, also while the upstream is silent.
  std::stop_token stop = {};
  /// Where to add what could not be carried, of the request and of the
  /// answer; written before the call returns, or, where it returns at once,
  /// before on_answer or the last event: it must live until then. May be
  /// null. (An EventStream has losses() of its own and writes here those of
  /// the request only.)
  Losses* losses = nullptr;
};

/// A stream to be pulled: a range over the events of one answer. The last
/// event is always `finished` or `failed`.
///
/// Events wait in a queue of bounded size; when it is full the upstream is
/// made to wait. next() and the iterators belong to one thread, cancel() may
/// be called from any. Destruction cancels what still runs, without waiting.
class EventStream {
 public:
  class Iterator;

  /// What was moved from may only be destroyed or assigned to.
  EventStream(EventStream&&) noexcept;
  /// Cancels, as destruction does, what still ran here.
  EventStream& operator=(EventStream&&) noexcept;
  /// Cancels what still runs, without waiting.
  ~EventStream();

  /// Waits for the next event; null after the last one. The event lives
  /// until the next call.
  const OwnedStreamEvent* next();
  /// For range-for, once.
  Iterator begin();
  /// The end of the range.
  std::default_sentinel_t end() const { return {}; }

  /// Makes a `failed` (cancelled) follow the events that arrived already.
  void cancel();
  /// The error of the `failed` event; success when the answer is complete,
  /// or nothing has failed up to the event last returned.
  Result<void> status() const;
  /// What could not be carried: of the request, and (once the last event was
  /// returned) of the answer.
  Losses losses() const;

 private:
  friend class Client;
  class State;
  explicit EventStream(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Input iterator over an EventStream.
class EventStream::Iterator {
 public:
  /// As std::input_iterator asks.
  using value_type = OwnedStreamEvent;
  /// As std::input_iterator asks.
  using difference_type = std::ptrdiff_t;

  /// Waits for the first event. `stream` must outlive it.
  explicit Iterator(EventStream* stream)
      : stream_(stream), event_(stream->next()) {}
  /// The current event; lives until the iterator moves on.
  const OwnedStreamEvent& operator*() const { return *event_; }
  /// The same.
  const OwnedStreamEvent* operator->() const { return event_; }
  /// Waits for the next event.
  Iterator& operator++() {
    event_ = stream_->next();
    return *this;
  }
  /// The same; an input iterator has no way back.
  void operator++(int) { ++*this; }
  bool operator==(std::default_sentinel_t) const { return event_ == nullptr; }

 private:
  EventStream* stream_;
  const OwnedStreamEvent* event_;
};

inline EventStream::Iterator EventStream::begin() { return Iterator(this); }

/// A call that runs on the transport's engine: what send_async() and
/// stream_async() return. Small and copyable; all copies mean the same call.
/// Dropping it lets the call go on.
///
/// Thread-safe: its functions may be called from anywhere, the call's own
/// callback included, as often as one likes, and do nothing once the call is
/// over. None of them waits.
class Call {
 public:
  Call() = default;  ///< of no call; over already

  /// Ends the call soon with `cancelled`, and closes its connection.
  void cancel() const;
  /// Goes on after an event callback said Flow::pause. Not lost when it comes
  /// before that callback has returned.
  void resume() const;
  /// True once the callback has been called for the last time and destroyed.
  bool done() const;

 private:
  friend class Client;
  class State;
  class Answer;
  class Stream;
  explicit Call(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

/// Takes one event; false = enough, end the call. What it throws ends the call
/// with an error (cancelled, of Fault::client) that says what it was.
using EventCallback = std::function<bool(const StreamEvent&)>;
/// The same, for calls that can also be paused.
using FlowCallback = std::function<Flow(const StreamEvent&)>;
/// Takes the answer. What it throws is dropped: the call is over.
using AnswerCallback = std::function<void(Result<ChatResponse>)>;

/// A backend and the transport that leads there: what models are asked by.
/// Copyable; see the top of this file for threads and lifetime.
class Client {
 public:
  /// `transport` is what serves the backend's base URL: make_demo_transport()
  /// for the demo provider, make_curl_transport() for all others. A backend
  /// without a dialect is spoken to in the request's own, or in the first of
  /// dialects().
  Client(Backend backend, std::shared_ptr<Transport> transport);

  /// The whole answer. `request.stream` is not looked at. Errors: what the
  /// upstream reported, what the transport reports (transport.h),
  /// invalid_request and unsupported for what the dialect cannot carry,
  /// upstream_malformed for an answer that cannot be read.
  Result<ChatResponse> send(const ChatRequest& request,
                            const CallOptions& options = {}) const;

  /// Calls `on_event` on this thread for every event, the last one being
  /// `finished` or `failed`, and returns the error of the latter.
  /// `on_event` takes a const StreamEvent& and returns nothing, or a bool:
  /// false ends the call with `cancelled` and without further events. So does
  /// what it throws; the error says what that was.
  template <class OnEvent>
  requires std::invocable<OnEvent&, const StreamEvent&> Result<void> stream(
      const ChatRequest& request, OnEvent&& on_event,
      const CallOptions& options = {})
  const {
    using Answer = std::invoke_result_t<OnEvent&, const StreamEvent&>;
    if constexpr (std::is_void_v<Answer>) {
      return push(
          request,
          [&](const StreamEvent& event) {
            std::invoke(on_event, event);
            return true;
          },
          options);
    } else {
      return push(request, std::ref(on_event), options);
    }
  }

  /// Starts the call and returns at once; see EventStream. Errors, also of
  /// the request, come as the stream's `failed` event.
  EventStream stream(const ChatRequest& request,
                     const CallOptions& options = {}) const;

  // --- Calls that return at once --------------------------------------------
  //
  // Callbacks are called on the transport's engine thread, one at a time, and
  // never from within these functions, whatever fails. All transfers of the
  // transport wait meanwhile: a callback should hand over what takes long, and
  // must not wait for another call of the same transport. It is destroyed on
  // that thread too, after its last call. What it throws ends the call: the
  // `failed` event that follows, which is the last, says what it was. What is
  // thrown out of the end itself is dropped.
  //
  // The end comes exactly once: the answer or error of send_async(), the
  // `finished` or `failed` event of stream_async(). It comes also when the
  // call is cancelled, or a deadline passes. The Client may be destroyed
  // meanwhile: calls keep the transport until they are over. Before main()
  // returns, let them end, or cancel them and wait.

  /// The whole answer, or the errors of send(). Waiting for it in a callback
  /// of the same transport would never end.
  std::future<Result<ChatResponse>> send_async(
      const ChatRequest& request, const CallOptions& options = {}) const;

  /// The same for `on_answer`, which takes a Result<ChatResponse>. It is
  /// moved, never copied.
  template <class OnAnswer>
  requires std::invocable<OnAnswer&, Result<ChatResponse>> Call
  send_async(const ChatRequest& request, OnAnswer on_answer,
             const CallOptions& options = {})
  const {
    auto shared = std::make_shared<OnAnswer>(std::move(on_answer));
    return start_send(
        request,
        [shared](Result<ChatResponse> answer) {
          std::invoke(*shared, std::move(answer));
        },
        options);
  }

  /// Calls `on_event` for every event, the last one being `finished` or
  /// `failed`. It takes a const StreamEvent&, which lives until it returns
  /// (OwnedStreamEvent is the copy to keep), and returns nothing, a bool
  /// (false = enough) or a Flow. After `false` or Flow::stop it is not called
  /// again, and the upstream's connection is closed. Flow::pause makes the
  /// upstream wait for Call::resume(); events that have arrived already are
  /// still told. It is moved, never copied.
  template <class OnEvent>
  requires std::invocable<OnEvent&, const StreamEvent&> Call
  stream_async(const ChatRequest& request, OnEvent on_event,
               const CallOptions& options = {})
  const {
    using Wants = std::invoke_result_t<OnEvent&, const StreamEvent&>;
    auto shared = std::make_shared<OnEvent>(std::move(on_event));
    return start_stream(
        request,
        [shared](const StreamEvent& event) {
          if constexpr (std::is_void_v<Wants>) {
            std::invoke(*shared, event);
            return Flow::go_on;
          } else if constexpr (std::is_same_v<Wants, Flow>) {
            return std::invoke(*shared, event);
          } else {
            return std::invoke(*shared, event) ? Flow::go_on : Flow::stop;
          }
        },
        options);
  }

  /// What it was made with. Lives as long as this object.
  const Backend& backend() const { return backend_; }

 private:
  Call start_send(const ChatRequest& request, AnswerCallback on_answer,
                  const CallOptions& options) const;
  Call start_stream(const ChatRequest& request, FlowCallback on_event,
                    const CallOptions& options) const;
  Result<void> push(const ChatRequest& request, const EventCallback& on_event,
                    const CallOptions& options) const;

  Backend backend_;
  std::shared_ptr<Transport> transport_;
};

}  // namespace llmproxy
LLMPROXY_EXPORT_END
