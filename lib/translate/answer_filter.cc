#include "translate/answer_filter.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "base/bounded.h"
#include "chat/take_replay.h"

namespace llmproxy {

AnswerFilter::AnswerFilter(const RequestContext& context, EventSink& next)
    : context_(context),
      next_(next),
      custom_tools_(context.custom_tools.begin(), context.custom_tools.end()) {
  for (const RequestContext::Alias& alias : context.tool_aliases) {
    originals_.emplace(alias.sent, alias.original);
  }
}

bool AnswerFilter::idle(const RequestContext& context) {
  return context.tool_aliases.empty() && context.custom_tools.empty() &&
         context.json_tool.empty();
}

void AnswerFilter::on_event(const StreamEvent& event) {
  switch (event.kind) {
    case EventKind::part_started:
      return part_started(event);
    case EventKind::part_delta:
      return part_delta(event);
    case EventKind::part_ended:
      return part_ended(event);
    case EventKind::finished: {
      StreamEvent copy = event;
      // The private tool's call was the answer, not a call.
      if (answered_by_tool_ && !called_ &&
          copy.stop_reason == StopReason::tool_use) {
        copy.stop_reason = StopReason::end_turn;
      }
      return next_.on_event(copy);
    }
    default:
      return next_.on_event(event);
  }
}

void AnswerFilter::part_started(StreamEvent event) {
  if (event.part_kind != PartKind::tool_call) return next_.on_event(event);
  if (const auto found = originals_.find(event.name);
      found != originals_.end()) {
    event.name = found->second;
  }
  if (!context_.json_tool.empty() && event.name == context_.json_tool) {
    answered_by_tool_ = true;
    event.part_kind = PartKind::text;
    event.id = event.name = {};
    changed_[event.part] = PartKind::text;
    return next_.on_event(event);
  }
  called_ = true;
  if (custom_tools_.contains(event.name)) {
    event.part_kind = PartKind::custom_tool_call;
    changed_[event.part] = event.part_kind;
    custom_.try_emplace(event.part);
  }
  next_.on_event(event);
}

void AnswerFilter::part_delta(StreamEvent event) {
  const auto changed = changed_.find(event.part);
  if (changed == changed_.end()) return next_.on_event(event);
  event.part_kind = changed->second;
  const auto wrapped = custom_.find(event.part);
  if (wrapped == custom_.end()) return next_.on_event(event);
  text_.clear();
  wrapped->second.feed(event.text, text_);
  if (text_.empty()) return;
  event.text = text_;
  next_.on_event(event);
}

void AnswerFilter::part_ended(StreamEvent event) {
  const auto changed = changed_.find(event.part);
  if (changed == changed_.end()) return next_.on_event(event);
  event.part_kind = changed->second;
  if (const auto wrapped = custom_.find(event.part); wrapped != custom_.end()) {
    text_.clear();
    if (!wrapped->second.finish(text_)) {
      add_loss(losses_, {"/tool_calls",
                         "a custom tool's text was not wrapped as asked; it "
                         "was recovered",
                         LossKind::approximated});
    }
    if (!text_.empty()) {
      StreamEvent rest = event;
      rest.kind = EventKind::part_delta;
      rest.text = text_;
      next_.on_event(rest);
    }
    custom_.erase(wrapped);
  }
  next_.on_event(event);
}

ChatResponse filter_answer(ChatResponse response, const RequestContext& context,
                           Losses& losses) {
  if (AnswerFilter::idle(context)) return response;
  Accumulator accumulator;
  AnswerFilter filter(context, accumulator);
  std::vector<ContentPart> content = std::exchange(response.content, {});
  ChatResponse source = response;
  source.content = std::move(content);
  take_replay(std::move(source), filter, SIZE_MAX);
  response.content = accumulator.response().content;
  response.stop_reason = accumulator.response().stop_reason;
  for (const Loss& loss : filter.losses()) add_loss(losses, loss);
  return response;
}

}  // namespace llmproxy
