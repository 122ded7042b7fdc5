// StreamReader: what all stream decoders share. Frames the bytes, parses each
// event's JSON, knows whether the stream's end was earned.
#pragma once

#include <memory>
#include <string_view>
#include <utility>

#include "json/json.h"
#include "llmproxy/stream.h"
#include "wire/sse.h"

namespace llmproxy {

/// A dialect's decoder derives from this and reads one event at a time.
class StreamReader : public StreamDecoder {
 public:
  /// The framing; server-sent events by default.
  explicit StreamReader(std::unique_ptr<wire::Framer> framer =
                            std::make_unique<wire::SseDecoder>())
      : framer_(std::move(framer)) {}
  void feed(std::string_view bytes, EventSink& sink) final;
  void finish(EventSink& sink) final;
  std::size_t consumed() const final { return framer_->consumed(); }
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

  /// Sends `failed`, once; nothing is read afterwards.
  void fail(const Error& error, EventSink& sink);
  /// Marks the stream as complete; nothing is read afterwards.
  void close() { closed_ = true; }
  bool closed() const { return closed_; }
  void lose(std::string path, std::string what,
            LossKind kind = LossKind::dropped);

 private:
  void on_frame(const wire::Frame& frame, EventSink& sink);

  std::unique_ptr<wire::Framer> framer_;
  json::Document document_;
  Losses losses_;
  bool closed_ = false;
};

}  // namespace llmproxy
