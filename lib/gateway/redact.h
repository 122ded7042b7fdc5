// Keeping a backend's secrets from its clients: some upstreams repeat the key
// they were sent in the error that refuses it.
#pragma once

#include <string>

#include "llmproxy/provider.h"

namespace llmproxy::gateway {

/// Replaces the backend's key, its AWS secrets and the values of its own
/// headers wherever they stand in `text`. A value so short that it may be an
/// ordinary word is left alone: it protects nothing.
void redact(const Backend& backend, std::string& text);

}  // namespace llmproxy::gateway
