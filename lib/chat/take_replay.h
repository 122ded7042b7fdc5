// replay() for an answer that nobody else needs.
#pragma once

#include <cstddef>

#include "base/internal_api.h"
#include "llmproxy/stream.h"

LLMPROXY_INTERNAL_BEGIN
namespace llmproxy {

/// No delta is longer than `most` bytes, and each part is freed before the
/// event of its end.
void take_replay(ChatResponse response, EventSink& sink, std::size_t most);

}  // namespace llmproxy
LLMPROXY_INTERNAL_END
