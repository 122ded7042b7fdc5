// Reads the body of a request: by its length or in chunks, never more than
// allowed, never slower than allowed, taking memory only for what arrived and
// only as long as the budget of all bodies has some left.
//
// Used by one fiber, once per body.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "llmproxy/byte_budget.h"
#include "server/request_head.h"
#include "server/socket_input.h"

namespace llmproxy {

struct BodyLimits {
  std::size_t bytes = std::size_t{64} << 20;
  /// Longest silence between two pieces.
  std::chrono::milliseconds silence{30'000};
  /// Slowest pace. What comes faster earns no longer a wait than `silence`.
  /// Bytes per second.
  std::size_t rate = 1024;
};

enum class BodyState : std::uint8_t {
  complete,
  too_large,  ///< 413
  malformed,  ///< 400: a chunk is not well-formed
  timeout,    ///< 408
  no_room,    ///< 503: all bodies together hold as much as they may
  no_disk,    ///< 507: the body cannot be kept
  closed,     ///< nobody is there to answer
};

/// Where the bytes of a body go.
class BodyPlace {
 public:
  virtual ~BodyPlace() = default;
  /// Room for `size` bytes behind those that came. `promised` are all there
  /// will be; 0 = nobody knows.
  virtual char* room(std::size_t size, std::uint64_t promised) = 0;
  /// `got` of the `size` bytes came.
  virtual BodyState came(std::size_t size, std::size_t got) = 0;
};

/// In memory; `lease` grows by what arrives. Both are borrowed.
class BodyText final : public BodyPlace {
 public:
  BodyText(std::string& body, ByteLease& lease) : body_(body), lease_(lease) {}
  char* room(std::size_t size, std::uint64_t promised) override;
  BodyState came(std::size_t size, std::size_t got) override;

 private:
  std::string& body_;
  ByteLease& lease_;
};

class BodyReader {
 public:
  /// `input` is borrowed.
  BodyReader(SocketInput& input, const BodyLimits& limits)
      : input_(input),
        limits_(limits),
        deadline_(Clock::now() + limits.silence) {}

  /// Fills `body`, which is empty before. After anything but `complete` the
  /// connection cannot be used for another request.
  BodyState read(const BodyFraming& framing, BodyPlace& body);

 private:
  BodyState read_chunks(BodyPlace& body);
  BodyState append(std::uint64_t bytes, BodyPlace& body);
  /// A line of chunk framing without its CRLF.
  BodyState line(std::string& out);
  BodyState skip_trailers();
  /// Notes that so many bytes came, of the body or around it.
  BodyState count(std::size_t bytes);

  SocketInput& input_;
  const BodyLimits limits_;
  Clock::time_point deadline_;
  /// Bytes of the body.
  std::uint64_t size_ = 0;
  /// Bytes on the wire, framing included.
  std::uint64_t received_ = 0;
  /// What content-length promised; 0 = chunks.
  std::uint64_t promised_ = 0;
};

}  // namespace llmproxy
