#include "chat/sequencer.h"

namespace llmproxy {

void Sequencer::on_event(const StreamEvent& event) {
  switch (event.kind) {
    case EventKind::part_started:
      if (open_ != kNone) return hold(event);
      open_ = event.part;
      return next_.on_event(event);
    case EventKind::part_delta:
      if (event.part != open_) return hold(event);
      return next_.on_event(event);
    case EventKind::part_ended:
      if (event.part != open_) return hold(event);
      open_ = kNone;
      next_.on_event(event);
      return release();
    default:
      next_.on_event(event);
  }
}

/// A delta of nothing but text.
bool Sequencer::is_text(const StreamEvent& event) {
  return event.kind == EventKind::part_delta && event.signature.empty() &&
         event.citation.empty();
}

/// Pieces of a text are kept as one: an event takes many times what a token
/// does.
void Sequencer::hold(const StreamEvent& event) {
  const auto [place, is_new] = held_.try_emplace(event.part);
  if (is_new) order_.push_back(event.part);
  std::vector<Held>& events = place->second;
  if (!is_text(event)) {
    events.push_back({OwnedStreamEvent(event), {}});
    return;
  }
  if (events.empty() || events.back().pieces.empty()) {
    events.push_back({OwnedStreamEvent(event), {}});
  } else {
    events.back().event.text.append(event.text);
  }
  events.back().pieces.push_back(static_cast<std::uint32_t>(event.text.size()));
}

/// As it came: piece by piece.
void Sequencer::send(const Held& held) {
  StreamEvent event = held.event.view();
  if (held.pieces.empty()) return next_.on_event(event);
  std::string_view left = event.text;
  for (const std::uint32_t size : held.pieces) {
    event.text = left.substr(0, size);
    left.remove_prefix(size);
    next_.on_event(event);
  }
}

/// Lets the next held part through, and those after it that are complete.
void Sequencer::release() {
  while (open_ == kNone && !order_.empty()) {
    open_ = order_.front();
    order_.pop_front();
    const auto part = held_.extract(open_);
    for (const Held& held : part.mapped()) {
      send(held);
      if (held.event.kind == EventKind::part_ended) open_ = kNone;
    }
  }
}

}  // namespace llmproxy
