// replay() for an answer that nobody else needs, and for one part of it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/internal_api.h"
#include "llmproxy/stream.h"

LLMPROXY_INTERNAL_BEGIN
namespace llmproxy {

/// No delta is longer than `most` bytes, and each part is freed before the
/// event of its end.
void take_replay(ChatResponse response, EventSink& sink, std::size_t most);
/// The events of one part alone, whose number is `index`.
void replay_part(const ContentPart& part, std::uint32_t index, EventSink& sink);

}  // namespace llmproxy
LLMPROXY_INTERNAL_END
