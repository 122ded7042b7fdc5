#include "chat/sequencer.h"

#include <algorithm>

namespace llmproxy {

void Sequencer::on_event(const StreamEvent& event) {
  switch (event.kind) {
    case EventKind::part_started:
      if (open_ != kNone) {
        held_.emplace_back(event);
        return;
      }
      open_ = event.part;
      next_.on_event(event);
      return;
    case EventKind::part_delta:
      if (event.part != open_) {
        held_.emplace_back(event);
        return;
      }
      next_.on_event(event);
      return;
    case EventKind::part_ended:
      if (event.part != open_) {
        held_.emplace_back(event);
        return;
      }
      open_ = kNone;
      next_.on_event(event);
      release();
      return;
    default:
      next_.on_event(event);
  }
}

/// Lets the next held part through, and those after it that are complete.
void Sequencer::release() {
  while (open_ == kNone && !held_.empty()) {
    const std::uint32_t part = held_.front().part;
    open_ = part;
    for (OwnedStreamEvent& event : held_) {
      if (event.part != part) continue;
      next_.on_event(event.view());
      if (event.kind == EventKind::part_ended) open_ = kNone;
    }
    std::erase_if(held_, [part](const OwnedStreamEvent& event) {
      return event.part == part;
    });
  }
}

}  // namespace llmproxy
