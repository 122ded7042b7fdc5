// SocketInput: what a client sends, read in pieces with deadlines, and kept
// until it is used: bytes of a next, pipelined request wait here, one piece at
// most. Used bytes are forgotten before more are read, so that it holds no
// more than what its reader still looks at and one piece.
//
// A client that sends as fast as it is read does not keep the loop from other
// clients: reading gives way to them.
// Used by one fiber. Borrows the descriptor.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "llmproxy/result.h"
#include "server/request_head.h"

namespace llmproxy {

using Clock = std::chrono::steady_clock;

/// How reading came out.
enum class Input : std::uint8_t {
  ok,
  closed,   ///< the client ended its side, or the connection broke
  timeout,  ///< the deadline passed
};

class SocketInput {
 public:
  explicit SocketInput(int socket) : socket_(socket) {}

  /// Waits until a byte of a request is there. Line breaks before a request
  /// are skipped, as RFC 9112 section 2.2 asks.
  Input wait_for_first(Clock::time_point deadline);
  /// Reads more behind unread().
  Input more(Clock::time_point deadline);
  /// Reads at most `size` bytes to `to`, unread ones first; `got` of them.
  Input read(char* to, std::size_t size, Clock::time_point deadline,
             std::size_t& got);

  /// Valid until the next call that reads.
  std::string_view unread() const {
    return std::string_view(buffer_).substr(start_);
  }
  void consume(std::size_t bytes);
  /// Gives back the memory that nothing unread needs: an answer may take
  /// minutes.
  void release();

 private:
  Input receive(char* to, std::size_t size, Clock::time_point deadline,
                std::size_t& got);
  bool readable_by(Clock::time_point deadline) const;

  const int socket_;
  std::string buffer_;
  std::size_t start_ = 0;
};

}  // namespace llmproxy
