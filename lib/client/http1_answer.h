// Http1Answer: reads the answer to one request over HTTP/1.1, as its bytes
// come (RFC 9112). Strict where two readers could disagree about where an
// answer ends, lenient where servers differ in writing the same.
//
// A state machine: bytes in, calls of a sink out. No sockets, no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/internal_api.h"
#include "llmproxy/http.h"
#include "llmproxy/result.h"

LLMPROXY_INTERNAL_BEGIN
namespace llmproxy {

/// Receives what was read. False ends the reading.
class Http1Sink {
 public:
  virtual ~Http1Sink() = default;
  /// The head of the answer itself, once; not of interim ones.
  virtual bool on_head(int status, Headers headers) = 0;
  /// A piece of the body, without its framing.
  virtual bool on_body(std::string_view bytes) = 0;
};

class Http1Answer {
 public:
  /// All heads of an answer together, interim ones included, and its trailer.
  /// APIs send one or two thousand. Bytes.
  static constexpr std::size_t kMaxHeads = std::size_t{128} << 10;

  enum class State : std::uint8_t {
    head,  ///< nothing of the answer's own head was told yet
    body,
    done,
    stopped,  ///< by the sink
    /// See fault().
    broken,
  };
  enum class Fault : std::uint8_t {
    none,
    no_http,          ///< another protocol's bytes
    malformed_head,   ///< see fault_text()
    oversized_heads,  ///< more than kMaxHeads
    malformed_chunk,
    nothing,  ///< the connection was closed before the first byte
    cut,      ///< it was closed before the end
  };

  enum class Asked : bool { whole, head_only };
  /// `head_only`: the request was HEAD, no body follows.
  explicit Http1Answer(Asked asked) : asked_(asked) {}

  /// The next bytes; at most one answer's. After `done`, `stopped` and `broken`
  /// it must not be called again.
  State feed(std::string_view bytes, Http1Sink& sink);
  /// The upstream closed the connection: for some answers that is the end.
  State closed();

  State state() const { return state_; }
  Fault fault() const { return fault_; }
  /// What is wrong, as one says it; empty where fault() says all.
  std::string_view fault_text() const { return fault_text_; }
  /// A byte of an answer came.
  bool begun() const { return begun_; }
  /// How much of the body is still to come by its length; 0 = nobody knows.
  std::uint64_t missing() const {
    return framing_ == Framing::length ? left_ : 0;
  }
  /// Done, and another request may follow on the connection.
  bool keeps_connection() const { return state_ == State::done && keeps_; }

 private:
  enum class Framing : std::uint8_t { none, length, chunks, until_close };
  enum class Chunk : std::uint8_t { size, data, data_end, trailer };

  /// Takes a line off `bytes`, with what came before of it, up to its LF. False
  /// = it is not whole yet.
  bool take_line(std::string_view& bytes, std::string_view& line);
  /// The same of heads and trailers, as far as kMaxHeads lets them go: what is
  /// left of `bytes` then is too much.
  bool take_head_line(std::string_view& bytes, std::string_view& line);
  void read_heads(std::string_view& bytes, Http1Sink& sink);
  bool head_line(std::string_view line, Http1Sink& sink);
  bool status_line(std::string_view line);
  bool header_line(std::string_view line);
  bool end_of_head(Http1Sink& sink);
  bool choose_framing();
  bool read_transfer_coding();
  bool read_length();
  void read_body(std::string_view& bytes, Http1Sink& sink);
  void read_chunks(std::string_view& bytes, Http1Sink& sink);
  bool chunk_line(std::string_view raw);
  /// Tells up to left_ bytes.
  void take_counted(std::string_view& bytes, Http1Sink& sink);
  bool fail(Fault fault, std::string_view text = {});

  const Asked asked_;
  State state_ = State::head;
  Fault fault_ = Fault::none;
  std::string_view fault_text_;
  bool begun_ = false;
  bool keeps_ = true;
  bool http10_ = false;
  int status_ = 0;  ///< 0 = a status line is next
  Headers headers_;
  std::size_t head_bytes_ = 0;
  std::string line_;  ///< the beginning of one that is not whole yet
  Framing framing_ = Framing::none;
  Chunk chunk_ = Chunk::size;
  std::uint64_t left_ = 0;  ///< of the body by its length, or of the chunk
};

}  // namespace llmproxy
LLMPROXY_INTERNAL_END
