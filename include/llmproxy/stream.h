// Canonical stream events: an answer while it is being written.
//
// Grammar (tests/support/grammar.h checks it in every golden case):
//
//   stream := ping* started item* (finished | failed)
//   item   := part_started(i) | part_delta(i) | part_ended(i) | usage | ping
//   part_started(i) before part_delta(i) before part_ended(i); i counts up
//   from 0 without gaps; several parts may be open at once (parallel tool
//   calls); every part is ended before `finished`. A part's id and name are
//   complete in part_started.
//
// A `failed` may come at any time, also first, and is last. A stream that
// simply stops is a `failed` with upstream_truncated: its end must be earned.
//
// Events are borrowed: the views in a StreamEvent live until on_event
// returns. OwnedStreamEvent is the copy for those who keep it. Nothing here is
// synchronised: a sink, decoder or encoder belongs to one stream.
//
//   Accumulator sum;
//   client.stream(request, [&](const StreamEvent& event) {
//     if (event.part_kind == PartKind::text) std::cout << event.text;
//     sum.on_event(event);
//   });
//   use(sum.response());
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "llmproxy/chat.h"
#include "llmproxy/export.h"
#include "llmproxy/loss.h"
#include "llmproxy/result.h"

LLMPROXY_EXPORT_BEGIN
namespace llmproxy {

/// What an event says, and which members of it count.
enum class EventKind : std::uint8_t {
  started,       ///< id, model, created, usage (what is known of the input)
  part_started,  ///< part, part_kind; id and name of a tool call; data
  part_delta,    ///< part, part_kind; text, or signature, or citation
  part_ended,    ///< part, part_kind
  usage,         ///< usage: cumulative, replaces what came before
  ping,          ///< the upstream is alive and has nothing to say
  finished,      ///< stop_reason and its details; usage if known by then
  failed,        ///< error
};

/// What a part of the answer is.
enum class PartKind : std::uint8_t {
  text,               ///< what the model says
  thinking,           ///< what it thinks; may be signed
  redacted_thinking,  ///< whole in part_started: `text` is the data
  tool_call,          ///< arguments are JSON, in fragments
  custom_tool_call,   ///< arguments are free text
  refusal,            ///< why it will not answer
  /// Whole in part_started: `text` is its JSON, `name` its type, `id` the
  /// dialect that knows it.
  opaque,
  /// Whole in part_started: `text` is its base64 data, `name` its MIME type.
  image,
};

/// One event. Views live until the sink returns.
struct StreamEvent {
  /// Says which of the members below count; the others keep their defaults.
  EventKind kind = EventKind::ping;
  /// Of part_started, part_delta, part_ended.
  PartKind part_kind = PartKind::text;
  /// Which part; counts from 0.
  std::uint32_t part = 0;

  /// Of the response (started), the tool call or the piece of thinking.
  std::string_view id = {};
  std::string_view model = {};  ///< started
  std::int64_t created = 0;     ///< started; Unix seconds, 0 = not known
  std::string_view name = {};   ///< of the tool
  /// Text, thinking, refusal; a fragment of a tool call's arguments.
  std::string_view text = {};
  /// Replaces, never appends. [claude: signature_delta]
  std::string_view signature = {};
  /// Who made the signature, or the data of redacted thinking.
  ReasoningIssuer issuer = ReasoningIssuer::unknown;
  /// One JSON object in the upstream dialect's own form.
  std::string_view citation = {};

  StopReason stop_reason = StopReason::end_turn;  ///< finished
  std::string_view stop_reason_text = {};  ///< the provider's own word for it
  std::string_view stop_sequence = {};     ///< that matched; empty = none
  std::string_view refusal_explanation = {};  ///< empty = nothing said
  std::string_view service_tier = {};         ///< started or finished

  const Usage* usage = nullptr;  ///< started, usage, finished; null = unknown
  const Error* error = nullptr;  ///< failed; else null
};

/// A StreamEvent that owns its texts.
struct OwnedStreamEvent {
  /// As the member of that name in StreamEvent; absent = null there.
  /// @{
  EventKind kind = EventKind::ping;
  PartKind part_kind = PartKind::text;
  std::uint32_t part = 0;
  std::string id, model, name, text, signature, citation;
  ReasoningIssuer issuer = ReasoningIssuer::unknown;
  std::int64_t created = 0;
  StopReason stop_reason = StopReason::end_turn;
  std::string stop_reason_text, stop_sequence, refusal_explanation,
      service_tier;
  std::optional<Usage> usage = {};
  std::optional<Error> error = {};
  /// @}

  /// An empty `ping`.
  OwnedStreamEvent() = default;
  /// Copies what the views of `event` show.
  explicit OwnedStreamEvent(const StreamEvent& event);
  /// A view of this event; lives as long as this object is not changed.
  StreamEvent view() const;
};

/// Receives events in order. Never re-entered.
class EventSink {
 public:
  virtual ~EventSink() = default;
  /// Views in `event` live until this returns.
  virtual void on_event(const StreamEvent& event) = 0;
};

/// Bytes of one upstream stream in, events out. One object per stream; not
/// thread-safe. After a `finished` or `failed` event further bytes are
/// ignored.
class StreamDecoder {
 public:
  virtual ~StreamDecoder() = default;
  /// Any pieces, cut anywhere.
  virtual void feed(std::string_view bytes, EventSink& sink) = 0;
  /// The upstream closed. Before the dialect's terminal event this emits
  /// `failed` (upstream_truncated).
  virtual void finish(EventSink& sink) = 0;
  /// Bytes of the fed stream that belong to whole, readable events so far.
  virtual std::size_t consumed() const = 0;
  /// Failed because what came is no event at all (broken JSON, a wrong
  /// checksum), so that nobody can read it; not because of what it says.
  virtual bool unreadable() const { return false; }
  /// What could not be carried so far. Lives as long as this object.
  virtual const Losses& losses() const = 0;
};

/// Events in, bytes of one client stream out. One object per stream; not
/// thread-safe. Output is appended to `out`, never cleared.
class StreamEncoder {
 public:
  virtual ~StreamEncoder() = default;
  /// Appends what says `event` in the client's dialect; may be nothing.
  virtual void on_event(const StreamEvent& event, std::string& out) = 0;
  /// Bytes that keep the connection alive and mean nothing to the client.
  /// `begun`: it has seen the begin of the answer, though perhaps not through
  /// this encoder.
  virtual void keep_alive(bool begun, std::string& out) = 0;
  /// What could not be carried so far. Lives as long as this object.
  virtual const Losses& losses() const = 0;
};

/// Adds events up to the response they stand for.
class Accumulator final : public EventSink {
 public:
  /// Adds one event; views in it are copied.
  void on_event(const StreamEvent& event) override;
  /// Valid once done(); what arrived so far before that.
  const ChatResponse& response() const { return response_; }
  /// A `finished` was seen, or a `failed`.
  bool done() const { return done_; }
  /// Set when the stream failed.
  const std::optional<Error>& error() const { return error_; }

 private:
  ChatResponse response_;
  std::optional<Error> error_;
  bool done_ = false;
};

/// Sends the events a finished response stands for. `words` cuts texts into
/// words, as a model would stream them; else each part is one delta.
void replay(const ChatResponse& response, EventSink& sink, bool words = false);

}  // namespace llmproxy
LLMPROXY_EXPORT_END
