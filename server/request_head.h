// The head of an HTTP request, judged before anything parses it: how long,
// how many lines, well-formed, and how its body is framed.
//
// cpp-httplib 0.11.4 bounds none of this and skips lines it does not
// understand, which lets two servers in a row disagree about where a request
// ends. Pure functions of text; no sockets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "llmproxy/http.h"
#include "llmproxy/result.h"

namespace llmproxy {

struct HeadLimits {
  /// "POST /v1/messages HTTP/1.1". Bytes.
  std::size_t request_line = 4096;
  /// One header. cpp-httplib refuses more than 8192 with its line end.
  std::size_t header_line = 8000;
  std::size_t headers = 100;
  /// Everything up to the blank line. Bytes.
  std::size_t total = std::size_t{64} << 10;
};

enum class HeadState : std::uint8_t {
  incomplete,
  complete,
  malformed,              ///< 400
  request_line_too_long,  ///< 414
  too_large,              ///< 431
};

/// Judges a head as its bytes arrive; looks at each byte once.
class HeadScanner {
 public:
  explicit HeadScanner(const HeadLimits& limits) : limits_(limits) {}
  /// `bytes` is everything received so far, from the request line on.
  HeadState scan(std::string_view bytes);
  /// Length of the head with its blank line, once complete.
  std::size_t size() const { return line_start_; }

 private:
  HeadState judge_line(std::string_view line);

  const HeadLimits limits_;
  std::size_t line_start_ = 0;
  std::size_t scanned_ = 0;
  std::size_t lines_ = 0;
};

/// How many bytes of body follow a head.
struct BodyFraming {
  bool chunked = false;
  std::uint64_t length = 0;  ///< when not chunked
};
/// Errors: invalid_request where the headers contradict each other or are
/// not understood; guessing there is how requests get smuggled.
Result<BodyFraming> body_framing(const Headers& headers);

/// True when the comma-separated list in the headers `name` holds `token`.
bool header_has_token(const Headers& headers, std::string_view name,
                      std::string_view token);

}  // namespace llmproxy
