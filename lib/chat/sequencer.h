// Sequencer: for dialects that allow one open block at a time. Lets the first
// open part through as it comes and holds the others back until it has ended,
// so that interleaved parallel tool calls come out one after the other.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "llmproxy/stream.h"

namespace llmproxy {

/// Events in any legal order in; at most one part open at a time out.
/// Nothing is held back, and nothing allocated, while parts come in turn.
class Sequencer final : public EventSink {
 public:
  explicit Sequencer(EventSink& next) : next_(next) {}
  void on_event(const StreamEvent& event) override;

 private:
  struct Held {
    OwnedStreamEvent event;
    /// Of deltas that are nothing but text: their sizes.
    std::vector<std::uint32_t> pieces;
  };

  static bool is_text(const StreamEvent& event);
  void hold(const StreamEvent& event);
  void send(const Held& held);
  void release();

  static constexpr std::uint32_t kNone = UINT32_MAX;
  EventSink& next_;
  std::uint32_t open_ = kNone;  // the part that is let through
  /// Events of later parts, and in which order those began.
  std::map<std::uint32_t, std::vector<Held>> held_;
  std::deque<std::uint32_t> order_;
};

}  // namespace llmproxy
