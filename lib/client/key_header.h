// Where a backend's key is written, and where it may go.
#pragma once

#include <string>
#include <string_view>

#include "base/internal_api.h"
#include "llmproxy/provider.h"

LLMPROXY_INTERNAL_BEGIN
namespace llmproxy {

/// Name of the header that the backend's key goes in; empty = in none. Lives
/// as long as `backend`.
std::string_view key_header(const Backend& backend);

/// Where the backend answers `path` ("/embeddings"), its own query included;
/// as upstream_request() has it.
std::string upstream_url(const Backend& backend, std::string_view path);

/// True when `url` leads to the scheme, host and port of the backend's base
/// URL, and nowhere else however it is read.
bool leads_to(const Backend& backend, std::string_view url);

}  // namespace llmproxy
LLMPROXY_INTERNAL_END
