// The grammar of canonical stream events. See grammar.h.
#include "support/grammar.h"

#include "support/dump.h"

namespace llmproxy::testing {

void GrammarChecker::on_event(const StreamEvent& event) {
  const std::string wrong = check(event);
  if (mistake_.empty() && !wrong.empty()) mistake_ = wrong + ": " + dump(event);
}

std::string GrammarChecker::check(const StreamEvent& event) {
  if (ended_) return "an event after the end";
  if (event.kind == EventKind::failed) {
    ended_ = failed_ = true;
    return event.error ? "" : "failed without an error";
  }
  if (event.kind == EventKind::started) {
    if (started_) return "started twice";
    started_ = true;
    return "";
  }
  // An upstream may say that it lives before it says anything.
  if (event.kind == EventKind::ping) return "";
  if (!started_) return "an event before started";
  switch (event.kind) {
    case EventKind::usage:
      return event.usage ? "" : "usage without figures";
    case EventKind::finished:
      ended_ = true;
      for (const Part& part : parts_) {
        if (part.open) return "finished with an open part";
      }
      return "";
    case EventKind::part_started:
    case EventKind::part_delta:
    case EventKind::part_ended:
      return check_part(event);
    default:
      return "";
  }
}

std::string GrammarChecker::check_part(const StreamEvent& event) {
  if (event.kind == EventKind::part_started) {
    if (event.part != parts_.size()) return "part numbers count up from 0";
    parts_.push_back({event.part_kind, true});
    const bool call = event.part_kind == PartKind::tool_call ||
                      event.part_kind == PartKind::custom_tool_call;
    if (call && (event.id.empty() || event.name.empty())) {
      return "a tool call starts without its id or name";
    }
    return "";
  }
  if (event.part >= parts_.size()) return "a part that never started";
  Part& part = parts_[event.part];
  if (part.kind != event.part_kind) return "a part changes its kind";
  if (!part.open) return "a part that has ended";
  if (event.kind == EventKind::part_ended) part.open = false;
  return "";
}

}  // namespace llmproxy::testing
