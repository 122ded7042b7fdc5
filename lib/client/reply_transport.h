// A Transport that answers by itself, from a function: what the demo and the
// replay of recordings have in common. Started transfers share one engine
// thread, which gives each its next piece in turn, as a network engine would.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "llmproxy/transport.h"

namespace llmproxy {

/// One answer, as it comes over the wire.
struct Reply {
  /// 0 = the transfer ends before any head.
  int status = 200;
  Headers headers;
  /// The body, in the pieces it is sent in.
  std::vector<std::string> pieces;
  /// Wait before each piece.
  std::chrono::milliseconds pace{0};
  /// How the transfer ends.
  Result<void> end;
};

/// Called once a transfer, from any thread and from several at once.
using Replier = std::function<Reply(const UpstreamRequest&)>;

std::shared_ptr<Transport> make_reply_transport(Replier reply);

}  // namespace llmproxy
