// What stream decoders and encoders say about parts of an answer.
#pragma once

#include <cstdint>

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

}  // namespace llmproxy
