#include "chat/stream_writer.h"

#include <fmt/format.h>

#include <utility>

#include "base/bounded.h"
#include "chat/losses.h"
#include "chat/stream_parts.h"

namespace llmproxy {

void StreamWriter::on_event(const StreamEvent& event, std::string& out) {
  out_ = &out;
  if (order_ == PartOrder::interleaved) {
    on_event(event);
  } else {
    sequencer_.on_event(event);
  }
  out_ = nullptr;
}

void StreamWriter::on_event(const StreamEvent& event) {
  if (ended_) return;
  note(event);
  switch (event.kind) {
    case EventKind::started:
      return on_started(event);
    case EventKind::part_started:
      return part_started(event);
    case EventKind::part_delta:
      return part_delta(event);
    case EventKind::part_ended:
      return close_part(event);
    case EventKind::usage:
      return;  // told at the end
    case EventKind::ping:
      return keep_alive(begun_, *out_);
    case EventKind::finished:
      return on_finished(event);
    case EventKind::failed:
      return on_failed(*event.error);
  }
}

void StreamWriter::note(const StreamEvent& event) {
  if (event.usage != nullptr) usage_ = *event.usage;
  if (!event.service_tier.empty()) service_tier_ = event.service_tier;
  begun_ = begun_ || event.kind == EventKind::started;
  ended_ = event.kind == EventKind::finished || event.kind == EventKind::failed;
}

void StreamWriter::part_started(const StreamEvent& event) {
  part_open_ = false;
  switch (event.part_kind) {
    case PartKind::text:
      return open_text(event);
    case PartKind::thinking:
      return open_thinking(event);
    case PartKind::redacted_thinking:
      return open_redacted_thinking(event);
    case PartKind::refusal:
      return open_refusal(event);
    case PartKind::tool_call:
    case PartKind::custom_tool_call:
      return open_tool_call(event);
    case PartKind::image:
      return open_image(event);
    case PartKind::opaque:
      return open_opaque(event);
  }
}

void StreamWriter::part_delta(const StreamEvent& event) {
  if (!event.citation.empty()) on_citation(event);
  if (!event.text.empty()) {
    switch (event.part_kind) {
      case PartKind::text:
        return on_text(event);
      case PartKind::refusal:
        return on_refusal(event);
      case PartKind::tool_call:
      case PartKind::custom_tool_call:
        return on_tool_call(event);
      case PartKind::thinking:
        on_thinking(event);
        break;
      default:
        return;  // came whole
    }
  }
  const bool thinking = event.part_kind == PartKind::thinking;
  if (thinking && !event.signature.empty()) on_signature(event);
}

void StreamWriter::begin_object() {
  data_.clear();
  w_.reset(data_);
  w_.begin_object();
}

void StreamWriter::lose(std::string_view path, std::string_view thing) {
  Losses told;
  llmproxy::lose(told, std::string(path), title_, thing);
  lose(std::move(told.front()));
}

void StreamWriter::lose(std::string_view path, std::string_view thing,
                        std::string_view became) {
  Losses told;
  llmproxy::lose(told, std::string(path), title_, thing, became);
  lose(std::move(told.front()));
}

void StreamWriter::lose(Loss loss) {
  for (const Loss& told : losses_) {
    if (told.path == loss.path && told.what == loss.what) return;
  }
  add_loss(losses_, std::move(loss));
}

void StreamWriter::lose_part(const StreamEvent& event) {
  constexpr std::string_view kPath = "/content";
  switch (event.part_kind) {
    case PartKind::redacted_thinking:
      return lose(kPath, "encrypted thinking");
    case PartKind::image:
      return lose(kPath, "images in answers");
    default:
      return lose(kPath, fmt::format("{} parts", event.name));
  }
}

std::string StreamWriter::rest_of(StreamedInput& input, PartKind kind) {
  if (!is_call(kind)) return {};
  bool wrapped = false;
  std::string rest = input.rest(wrapped);
  if (kind == PartKind::custom_tool_call) {
    lose("/content", "calls with free text", "the text became an object");
  } else if (wrapped) {
    lose({"/content", std::string(kWrappedArguments), LossKind::approximated});
  }
  return rest;
}

}  // namespace llmproxy
