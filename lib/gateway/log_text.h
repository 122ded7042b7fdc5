// What of an error may stand in a log.
#pragma once

#include <string>
#include <string_view>

#include "llmproxy/result.h"

namespace llmproxy::gateway {

/// A line about `error` without any text that came from the client or from
/// an upstream: such text repeats prompts, and some upstreams repeat keys.
std::string log_text(const Error& error);

/// A name a client chose, cut to a length that a log line can bear.
std::string short_name(std::string_view name);

}  // namespace llmproxy::gateway
