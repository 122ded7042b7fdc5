// The head of an HTTP request: how long, how many lines, well-formed; then
// its parts, and how its body is framed.
//
// cpp-httplib 0.11.4 could parse heads too, but bounds nothing, skips lines
// it does not understand (two servers in a row then disagree about where a
// request ends), percent-decodes header values and reads byte by byte: 50,000
// instructions a head, against 5,000 here. Pure functions of text; no sockets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "llmproxy/gateway.h"
#include "llmproxy/http.h"
#include "llmproxy/result.h"

namespace llmproxy {

struct HeadLimits {
  /// "POST /v1/messages HTTP/1.1". Bytes.
  std::size_t request_line = 4096;
  /// One header, without its line end. Bytes.
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

/// A parsed head.
struct RequestLine {
  HttpRequest request;
  bool http10 = false;
};
/// Takes a head apart that HeadScanner found complete: headers in the order
/// they came, values without the blanks around them and else as sent. nullopt
/// = not a method of HTTP, or not HTTP/1.0 or 1.1.
std::optional<RequestLine> parse_head(std::string_view head);

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
