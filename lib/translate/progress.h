// How far a conversation is, in a few lines for the model itself.
#pragma once

#include <string>

#include "llmproxy/chat.h"

namespace llmproxy {

/// The user's turns, the tools called and how often, the failed results and
/// the last call's outcome; about 600 bytes at most. The same for the same
/// conversation, and never any text or argument of it. Results count as
/// failed where the client's dialect can say so.
std::string summarize_progress(const ChatRequest& request);

}  // namespace llmproxy
