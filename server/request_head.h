// The head of an HTTP request: how long, how many lines, well-formed; then
// its parts, and how its body is framed.
//
// cpp-httplib 0.11.4 could parse heads too, but bounds nothing, skips lines
// it does not understand (two servers in a row then disagree about where a
// request ends), percent-decodes header values and reads byte by byte: 50,000
// instructions a head, against 5,000 here. Pure functions of text; no sockets.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
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
  /// `line` may not be complete; `total` counts its bytes, too.
  HeadState judge_size(std::string_view line, std::size_t total) const;
  HeadState judge_line(std::string_view line) const;

  const HeadLimits limits_;
  std::size_t line_start_ = 0;
  std::size_t scanned_ = 0;
  std::size_t lines_ = 0;
};

/// How many bytes of body follow a head.
struct BodyFraming {
  bool chunked = false;
  std::uint64_t length = 0;  ///< when not chunked

  bool empty() const { return !chunked && length == 0; }
};
/// Errors: invalid_request where the headers contradict each other or are
/// not understood; guessing there is how requests get smuggled.
Result<BodyFraming> body_framing(const Headers& headers, bool http10);

/// A parsed head.
struct RequestLine {
  HttpRequest request;
  bool http10 = false;
  bool keep_alive = false;        ///< the client wants to ask again
  bool expects_continue = false;  ///< and sends no body before it is told to
  BodyFraming framing;
};
/// What to tell who speaks another protocol, as the first bytes show; ""
/// where they do not.
std::string_view other_protocol(std::string_view bytes);

/// Takes a head apart that HeadScanner found complete: headers in the order
/// they came, values without the blanks around them and else as sent, but
/// those that belong to the connection taken out. `own_host` is what the
/// server listens on. On an error (invalid_request) `line` holds what was
/// understood before it: method and path first of all. Of refused methods
/// (request_target.h) it holds no more than these.
Result<void> parse_head(std::string_view head, std::string_view own_host,
                        RequestLine& line);

/// One header with a name of HTTP's and a value without control characters.
bool is_header_line(std::string_view line);
/// Neither blanks nor printable: what must not stand in a line of HTTP.
bool is_control(char c);

/// True when the comma-separated list in the headers `name` holds `token`.
bool header_has_token(const Headers& headers, std::string_view name,
                      std::string_view token);

/// Calls `use` with every item of a comma-separated list, without the blanks
/// around it.
template <class Use>
void each_list_item(std::string_view list, const Use& use) {
  constexpr std::string_view kBlanks = " \t";
  while (!list.empty()) {
    const std::string_view item = list.substr(0, list.find(','));
    list.remove_prefix(std::min(item.size() + 1, list.size()));
    const std::size_t first = item.find_first_not_of(kBlanks);
    if (first == std::string_view::npos) continue;
    use(item.substr(first, item.find_last_not_of(kBlanks) - first + 1));
  }
}

}  // namespace llmproxy
