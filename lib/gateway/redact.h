// Keeping secrets out of errors: some upstreams repeat the key they were sent
// in the error that refuses it.
#pragma once

#include <string>

#include "llmproxy/gateway.h"
#include "llmproxy/provider.h"

namespace llmproxy::gateway {

/// Replaces in `text` the backend's key, its AWS secrets, the values of its own
/// headers and query, and the credentials the client sent. A value so short
/// that it may be an ordinary word is left alone: it protects nothing.
void redact(const Backend& backend, const HttpRequest& client,
            std::string& text);

}  // namespace llmproxy::gateway
