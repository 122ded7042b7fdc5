// What the demo backend puts on the wire for one request, in the dialect it
// was asked in.
#pragma once

#include <cstdint>

#include "client/reply_transport.h"

namespace llmproxy::demo {

/// `created` stamps the answer; Unix seconds.
Reply reply_to(const UpstreamRequest& request, std::int64_t created);

}  // namespace llmproxy::demo
