// What is said at the start: to a terminal all that somebody needs for a first
// request, to a log where it listens and one command to try.
#pragma once

#include <string>

#include "llmproxy/config.h"

namespace llmproxy {

/// For a terminal. Keys are masked.
std::string welcome(const Config& config, int port);

/// For everything else: two lines.
std::string start_lines(const Config& config, int port);

/// What may be shown of a key: its last letters, where many are left.
std::string masked(const Secret& key);

}  // namespace llmproxy
