// The demo model: a pure function from a request to an answer. It echoes,
// counts what it was given, calls tools, uses their results, thinks when
// asked to, and honours limits and stop sequences, always in the same way.
#pragma once

#include "llmproxy/chat.h"

namespace llmproxy::demo {

/// Deterministic. `created` is left 0. One word is one token.
ChatResponse answer(const ChatRequest& request);

}  // namespace llmproxy::demo
