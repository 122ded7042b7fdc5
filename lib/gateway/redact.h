// Keeping a backend's key from its clients: some upstreams repeat the key
// they were sent in the error that refuses it.
#pragma once

#include <string>

#include "llmproxy/provider.h"

namespace llmproxy::gateway {

/// Replaces `key` wherever it stands in `text`. A key so short that it may
/// be an ordinary word is left alone: it protects nothing.
void redact(const Secret& key, std::string& text);

}  // namespace llmproxy::gateway
