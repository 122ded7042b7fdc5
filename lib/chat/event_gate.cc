#include "chat/event_gate.h"

#include "chat/stream_parts.h"

namespace llmproxy {

void EventGate::on_event(const StreamEvent& event) {
  if (!wanted(event)) return;
  switch (event.kind) {
    case EventKind::started:
      return start(event);
    case EventKind::part_started:
      return start_part(event);
    case EventKind::part_delta:
    case EventKind::part_ended:
      return pass_part(event);
    case EventKind::usage:
    case EventKind::ping:
      return next_->on_event(event);
    case EventKind::finished:
      return finish(event);
    case EventKind::failed:
      ended_ = true;
      return next_->on_event(event);
  }
}

/// Nothing behind the end, and usage of an answer only.
bool EventGate::wanted(const StreamEvent& event) const {
  return !ended_ && (started_ || event.kind != EventKind::usage);
}

/// The first one counts.
void EventGate::start(const StreamEvent& event) {
  if (started_) return;
  started_ = true;
  id_ = event.id;
  next_->on_event(event);
}

/// Some upstreams forget to say that the answer begins.
void EventGate::begin() {
  if (started_) return;
  started_ = true;
  StreamEvent event;
  event.kind = EventKind::started;
  next_->on_event(event);
}

void EventGate::start_part(const StreamEvent& event) {
  if (event.part >= parts_.size()) parts_.resize(event.part + 1);
  Part& part = parts_[event.part];
  if (part.known) return;
  part.known = true;
  const bool call = is_call(event.part_kind);
  if (call && event.name.empty()) {
    dropped_call_ = true;
    return;
  }
  begin();
  called_ = called_ || call;
  refused_ = refused_ || event.part_kind == PartKind::refusal;
  part = {told_++, event.part_kind, true, true};
  StreamEvent told = event;
  told.part = part.number;
  std::string id;
  if (call) {
    id = ids_.settle(event.id, id_, told.part);
    told.id = id;
  }
  next_->on_event(told);
}

void EventGate::pass_part(const StreamEvent& event) {
  if (event.part >= parts_.size()) return;
  Part& part = parts_[event.part];
  if (!part.open || part.kind != event.part_kind) return;
  if (event.kind == EventKind::part_ended) part.open = false;
  if (part.number == event.part) return next_->on_event(event);
  StreamEvent told = event;
  told.part = part.number;
  next_->on_event(told);
}

void EventGate::finish(StreamEvent event) {
  begin();
  for (Part& part : parts_) {
    if (!part.open) continue;
    part.open = false;
    next_->on_event(part_event(EventKind::part_ended, part.kind, part.number));
  }
  ended_ = true;
  event.stop_reason =
      settled_stop(event.stop_reason, {.called = called_, .refused = refused_});
  next_->on_event(event);
}

}  // namespace llmproxy
