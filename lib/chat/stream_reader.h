// StreamReader: what all stream decoders share. Frames the bytes, parses each
// event's JSON, knows whether the stream's end was earned.
#pragma once

#include <memory>
#include <string_view>
#include <utility>

#include "chat/event_gate.h"
#include "json/json.h"
#include "llmproxy/stream.h"
#include "wire/sse.h"

namespace llmproxy {

/// How a dialect reads a failure that the framing itself tells (Frame::
/// exception).
using ReadException = Error (*)(std::string_view name, std::string_view data);

/// A dialect's decoder derives from this and reads one event at a time.
class StreamReader : public StreamDecoder {
 public:
  /// The framing, server-sent events by default, and what reads the failures
  /// that it tells; nullptr where it tells none.
  explicit StreamReader(std::unique_ptr<wire::Framer> framer =
                            std::make_unique<wire::SseDecoder>(),
                        ReadException read_exception = nullptr)
      : framer_(std::move(framer)), read_exception_(read_exception) {}
  void feed(std::string_view bytes, EventSink& sink) final;
  void finish(EventSink& sink) final;
  std::size_t consumed() const final { return consumed_; }
  bool unreadable() const final { return unreadable_; }
  const Losses& losses() const final { return losses_; }

 protected:
  /// One event whose data is a JSON object; `name` as the framing says.
  virtual void on_object(std::string_view name, json::Value data,
                         EventSink& sink) = 0;
  /// Data that is no JSON but legal in this dialect ("[DONE]"): true when
  /// it was that.
  virtual bool on_sentinel(std::string_view data, EventSink& sink) = 0;
  /// The upstream closed without a failure so far. Returns true when the
  /// answer was complete (and `finished` has been sent).
  virtual bool on_close(EventSink& sink) = 0;

  /// Sends `failed`; nothing is read afterwards.
  void fail(const Error& error, EventSink& sink);
  /// Fails where an answer has more parts than any model's, so that looking
  /// for one among them costs little: those that were sent are counted here,
  /// `waiting` are those that were not. True when it failed.
  bool crowded(std::size_t waiting, EventSink& sink);
  /// Marks the stream as complete; nothing is read afterwards.
  void close() { closed_ = true; }
  bool closed() const { return closed_; }
  void lose(std::string path, std::string what,
            LossKind kind = LossKind::dropped);

 private:
  void on_frame(const wire::Frame& frame, EventSink& sink);
  void on_last_frame(const wire::Frame& frame);
  /// The same for what is no event.
  void fail_unread(const Error& error, EventSink& sink);

  class Counted;

  std::unique_ptr<wire::Framer> framer_;
  ReadException read_exception_;
  EventGate gate_;
  json::Document document_;
  Losses losses_;
  std::size_t parts_ = 0;     // sent so far
  std::size_t consumed_ = 0;  // whole events that can be read
  bool unreadable_ = false;
  bool closed_ = false;
};

}  // namespace llmproxy
