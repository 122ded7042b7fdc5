// Reads the body of a request: by its length or in chunks, never more than
// allowed, never slower than allowed, taking memory only for what arrived.
//
// Used by one fiber, once per body.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "server/request_head.h"
#include "server/socket_input.h"

namespace llmproxy {

struct BodyLimits {
  std::size_t bytes = std::size_t{64} << 20;
  /// Longest silence between two pieces.
  std::chrono::milliseconds silence{30'000};
  /// Slowest average, after a grace of one `silence`. Bytes per second.
  std::size_t rate = 1024;
};

enum class BodyState : std::uint8_t {
  complete,
  too_large,  ///< 413
  malformed,  ///< 400: a chunk is not well-formed
  timeout,    ///< 408
  closed,     ///< nobody is there to answer
};

class BodyReader {
 public:
  BodyReader(SocketInput& input, const BodyLimits& limits)
      : input_(input), limits_(limits), begun_(Clock::now()) {}

  /// Fills `body`, which is empty before. After anything but `complete` the
  /// connection cannot be used for another request.
  BodyState read(const BodyFraming& framing, std::string& body);

 private:
  BodyState read_chunks(std::string& body);
  BodyState append(std::uint64_t bytes, std::string& body);
  /// A line of chunk framing without its CRLF.
  BodyState line(std::string& out);
  BodyState skip_trailers();
  Clock::time_point deadline() const;

  SocketInput& input_;
  const BodyLimits limits_;
  const Clock::time_point begun_;
  std::uint64_t received_ = 0;
};

}  // namespace llmproxy
