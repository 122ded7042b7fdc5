// Reply: what the demo backend puts on the wire for one request, in the
// dialect it was asked in.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "llmproxy/transport.h"

namespace llmproxy::demo {

struct Reply {
  int status = 200;
  Headers headers;
  /// The body, in the pieces it is sent in.
  std::vector<std::string> pieces;
  /// Wait before each piece.
  std::chrono::milliseconds pace{0};
  /// How the transfer ends.
  Result<void> end;
};

/// `created` stamps the answer; Unix seconds.
Reply reply_to(const UpstreamRequest& request, std::int64_t created);

}  // namespace llmproxy::demo
