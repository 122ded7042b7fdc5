// What stream decoders and encoders say about parts of an answer.
#pragma once

#include <cstdint>
#include <string>

#include "llmproxy/stream.h"

namespace llmproxy {

/// A call of either kind.
constexpr bool is_call(PartKind kind) {
  return kind == PartKind::tool_call || kind == PartKind::custom_tool_call;
}

/// An event about a part; what else it says is for the caller to add.
inline StreamEvent part_event(EventKind kind, PartKind part_kind,
                              std::uint32_t part) {
  StreamEvent event;
  event.kind = kind;
  event.part_kind = part_kind;
  event.part = part;
  return event;
}

/// The part that `event` begins: all that its kind says there.
ContentPart empty_part(const StreamEvent& event);
/// What comes of it in pieces; nullptr = it comes whole.
inline std::string* text_of(ContentPart& part) {
  if (auto* text = part.as<TextPart>()) return &text->text;
  if (auto* refusal = part.as<RefusalPart>()) return &refusal->text;
  if (auto* thinking = part.as<ThinkingPart>()) return &thinking->text;
  if (auto* call = part.as<ToolCallPart>()) return &call->arguments;
  return nullptr;
}

}  // namespace llmproxy
