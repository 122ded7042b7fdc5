// StreamReader: what all stream decoders share. Frames the bytes, parses each
// event's JSON, knows whether the stream's end was earned.
//
// A decoder reads what its dialect can say with members of these names, those
// that it has in this order, and has its own helpers behind them:
//
//   read_started, read_part_started, read_text, read_thinking, read_refusal,
//   read_tool_call, read_signature, read_citation, read_part_ended, read_usage,
//   read_finished, read_failed
//
// All have read_started, read_text, read_thinking, read_tool_call, read_usage
// and read_finished.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
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

/// A part of the answer while it is read.
struct ReadPart {
  static constexpr std::uint32_t kNone = UINT32_MAX;
  std::uint32_t number = kNone;
  PartKind kind = PartKind::text;
  bool begun() const { return number != kNone; }
  /// It has begun, and is of that kind.
  bool is(PartKind other) const { return begun() && kind == other; }
};

/// The member of a decoder that reads what is of some type; for tables.
template <class Member>
struct ReadRow {
  std::string_view type;
  Member read;
};
/// Null for other types: new ones may come at any time and must not be fatal.
template <class Member, std::size_t N>
const ReadRow<Member>* find_row(const ReadRow<Member> (&rows)[N],
                                std::string_view type) {
  for (const ReadRow<Member>& row : rows) {
    if (row.type == type) return &row;
  }
  return nullptr;
}

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
  /// Data that is no JSON but legal in this dialect: true when it was that.
  /// Some servers send "[DONE]" in dialects where it means nothing.
  virtual bool on_sentinel(std::string_view data, EventSink& sink);
  /// The upstream closed without a failure so far. Returns true when the
  /// answer was complete (and `finished` has been sent); most dialects have an
  /// event that says so, and end with it alone.
  virtual bool on_close(EventSink&) { return false; }

  /// Of events that name their type: the JSON's own counts, the event line is
  /// for readers without JSON.
  static std::string_view type_of(std::string_view name, json::Value data) {
    const json::Value type = data["type"];
    return type.is_string() ? type.string() : name;
  }

  /// Sends `failed`; nothing is read afterwards.
  void fail(const Error& error, EventSink& sink);
  /// Fails where an answer has more parts than any model's, so that looking
  /// for one among them costs little: those that were sent are counted here,
  /// `waiting` are those that were not. True when it failed.
  bool crowded(std::size_t waiting, EventSink& sink);
  void lose(std::string path, std::string what,
            LossKind kind = LossKind::dropped);
  /// What the upstream said and no event can say.
  void lose_thing(std::string path, std::string_view thing);
  /// Members of the object at `path` that only this dialect has.
  void lose_others(std::string_view path, const Extensions& others);
  /// The same of those that are not `known`.
  void lose_others(std::string_view path, json::Value object,
                   std::span<const std::string_view> known);

  // What was read, as events.

  bool started() const { return started_; }
  /// Parts that have been numbered.
  std::uint32_t parts() const { return next_part_; }
  /// The next part.
  ReadPart number_part(PartKind kind) { return {next_part_++, kind}; }

  /// `started`, with what it says; once.
  void send_started(StreamEvent event, EventSink& sink);
  /// `part_started`, with what it says.
  static void send_begin(const ReadPart& part, StreamEvent event,
                         EventSink& sink);
  /// A piece of the part; nothing without text.
  static void send_text(const ReadPart& part, std::string_view text,
                        EventSink& sink);
  static void send_signature(const ReadPart& part, std::string_view signature,
                             ReasoningIssuer issuer, EventSink& sink);
  /// What such a signature is: `issuer`'s own, or another's that a proxy like
  /// this one between us and the model sealed. Nothing without one.
  static void send_unsealed(const ReadPart& part, std::string_view signature,
                            ReasoningIssuer issuer, EventSink& sink);
  static void send_citation(const ReadPart& part, std::string_view citation,
                            EventSink& sink);
  static void send_end(const ReadPart& part, EventSink& sink);
  /// The part that grows by pieces, if one does: ends the one before.
  void open_part(PartKind kind, std::string_view id, EventSink& sink);
  void close_part(EventSink& sink);
  /// All of a part that came in one piece, as the next one.
  void send_whole(const ContentPart& part, EventSink& sink);
  static void send_usage(const Usage& usage, EventSink& sink);
  static void send_ping(EventSink& sink);
  /// `finished`, with what it says; nothing is read afterwards.
  void send_finished(StreamEvent event, EventSink& sink);

  ReadPart open_;  ///< see open_part()

 private:
  void on_frame(const wire::Frame& frame, EventSink& sink);
  Result<json::Value> parse(std::string_view data);
  bool is_told(std::string_view path) const;
  void lose_other(std::string_view path, std::string_view name);
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
  std::uint32_t next_part_ = 0;
  bool started_ = false;
  bool unreadable_ = false;
  bool closed_ = false;
};

}  // namespace llmproxy
