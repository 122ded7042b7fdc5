// Paths as upstreams may read them, whatever a client makes of their spelling.
#pragma once

#include <string>
#include <string_view>

namespace llmproxy::gateway {

/// `path` with one slash where there are several, none at its end, and ":"
/// where that is percent-encoded. What a model is called stays as it is.
std::string usual_path(std::string_view path);

/// True for paths whose end is that of a chat in one of the dialects, in any
/// spelling that an upstream could take for it.
bool is_chat_path(std::string_view path);

}  // namespace llmproxy::gateway
