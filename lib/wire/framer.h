// Framer: how a stream of bytes is cut into events. One implementation per
// wire framing; stream decoders use whichever their dialect has.
#pragma once

#include <cstddef>
#include <string_view>

namespace llmproxy::wire {

/// One event. Views live until the next call of the framer.
struct Frame {
  std::string_view name;  ///< the event's type as the framing says; or empty
  std::string_view data;  ///< its JSON
  /// The framing itself says that this is a failure, of type `name`; `data`
  /// may then be anything.
  bool exception = false;
  /// Where it begins in the fed stream: behind the events before it and what
  /// stands between.
  std::size_t begin = 0;
};

/// Bytes in any pieces in, whole events out. Linear in the bytes fed,
/// however small the pieces; buffered bytes are bounded. Not thread-safe.
class Framer {
 public:
  /// An event larger than this makes the stream unusable. Bytes.
  static constexpr std::size_t kMaxEvent = std::size_t{64} << 20;

  virtual ~Framer() = default;
  /// Adds bytes; then call next() until it says false.
  virtual void feed(std::string_view bytes) = 0;
  /// The next complete event.
  virtual bool next(Frame& frame) = 0;
  /// Everything was fed: an event that lacks only its end mark counts.
  virtual bool last(Frame& frame) = 0;
  /// Why the stream cannot be read any further; empty = it can.
  virtual std::string_view fault() const = 0;
  /// How many bytes of the fed stream the events given out so far, and what
  /// stands between them, took: whole events only.
  virtual std::size_t consumed() const = 0;
};

}  // namespace llmproxy::wire
