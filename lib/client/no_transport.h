// What stands for a transport that is not there: make_curl_transport() has none
// to give where libcurl or the threads for it cannot be had.
#pragma once

#include <memory>

#include "base/internal_api.h"
#include "llmproxy/transport.h"

LLMPROXY_INTERNAL_BEGIN
namespace llmproxy {

/// `transport`, or, where that is null, one whose every call ends with an
/// error (internal) that says so.
std::shared_ptr<Transport> or_none(std::shared_ptr<Transport> transport);

}  // namespace llmproxy
LLMPROXY_INTERNAL_END
