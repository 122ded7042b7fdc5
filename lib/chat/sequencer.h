// Sequencer: for dialects that allow one open block at a time. Lets the first
// open part through as it comes and holds the others back until it has ended,
// so that interleaved parallel tool calls come out one after the other.
#pragma once

#include <cstdint>
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
  void release();

  static constexpr std::uint32_t kNone = UINT32_MAX;
  EventSink& next_;
  std::uint32_t open_ = kNone;          // the part that is let through
  std::vector<OwnedStreamEvent> held_;  // events of later parts, in order
};

}  // namespace llmproxy
