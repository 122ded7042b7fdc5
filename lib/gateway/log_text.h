// What of an error may stand in a log.
#pragma once

#include <string>

#include "llmproxy/result.h"

namespace llmproxy::gateway {

/// A line about `error` without any text that came from the client or from
/// an upstream: such text repeats prompts, and some upstreams repeat keys.
std::string log_text(const Error& error);

}  // namespace llmproxy::gateway
