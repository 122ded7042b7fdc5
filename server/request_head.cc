// Reference: RFC 9112, sections 2.2 (line ends), 5 (fields), 6 (framing).
#include "server/request_head.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

namespace llmproxy {
namespace {

bool is_token_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_control(char c) {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
}

bool is_header_line(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = line.substr(colon + 1);
  return std::all_of(name.begin(), name.end(), is_token_char) &&
         std::none_of(value.begin(), value.end(), is_control);
}

// Printable ASCII, two single spaces; parse_head() reads the rest.
bool is_request_line(std::string_view line) {
  const bool visible =
      std::all_of(line.begin(), line.end(),
                  [](unsigned char c) { return c >= 0x20 && c < 0x7f; });
  return visible && std::count(line.begin(), line.end(), ' ') == 2;
}

// RFC 9110, section 9, and RFC 5789. What else comes is no request for us.
constexpr std::string_view kMethods[] = {"GET",     "HEAD",   "POST",
                                         "PUT",     "DELETE", "CONNECT",
                                         "OPTIONS", "TRACE",  "PATCH"};

bool is_method(std::string_view text) {
  return std::find(std::begin(kMethods), std::end(kMethods), text) !=
         std::end(kMethods);
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

HeadState HeadScanner::scan(std::string_view bytes) {
  for (;;) {
    const std::size_t end = bytes.find('\n', scanned_);
    if (end == std::string_view::npos) break;
    scanned_ = end + 1;
    if (end == line_start_ || bytes[end - 1] != '\r')
      return HeadState::malformed;
    const auto line = bytes.substr(line_start_, end - 1 - line_start_);
    line_start_ = end + 1;
    if (line_start_ > limits_.total && lines_ > 0) return HeadState::too_large;
    if (line.empty())
      return lines_ == 0 ? HeadState::malformed : HeadState::complete;
    const HeadState state = judge_line(line);
    if (state != HeadState::incomplete) return state;
    ++lines_;
  }
  scanned_ = bytes.size();
  // A line need not be complete to be too long.
  const std::size_t pending = bytes.size() - line_start_;
  if (lines_ == 0 && pending > limits_.request_line)
    return HeadState::request_line_too_long;
  if (lines_ > 0 &&
      (pending > limits_.header_line || bytes.size() > limits_.total))
    return HeadState::too_large;
  return HeadState::incomplete;
}

HeadState HeadScanner::judge_line(std::string_view line) {
  if (lines_ == 0) {
    if (line.size() > limits_.request_line)
      return HeadState::request_line_too_long;
    return is_request_line(line) ? HeadState::incomplete : HeadState::malformed;
  }
  if (line.size() > limits_.header_line || lines_ > limits_.headers)
    return HeadState::too_large;
  return is_header_line(line) ? HeadState::incomplete : HeadState::malformed;
}

std::optional<RequestLine> parse_head(std::string_view head) {
  const auto next_line = [&head] {
    const std::size_t end = head.find("\r\n");
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(end + 2);
    return line;
  };
  RequestLine line;
  HttpRequest& request = line.request;
  const std::string_view first = next_line();
  const std::size_t method = first.find(' ');
  const std::size_t version = first.rfind(' ');
  line.http10 = first.substr(version + 1) == "HTTP/1.0";
  if (!line.http10 && first.substr(version + 1) != "HTTP/1.1") return {};
  if (!is_method(first.substr(0, method))) return {};
  const auto target = first.substr(method + 1, version - method - 1);
  const std::size_t question = std::min(target.find('?'), target.size());
  request.method = first.substr(0, method);
  request.path = target.substr(0, question);
  request.query = target.substr(std::min(question + 1, target.size()));
  request.headers.reserve(
      static_cast<std::size_t>(std::count(head.begin(), head.end(), '\n')));
  for (std::string_view text = next_line(); !text.empty(); text = next_line()) {
    const std::size_t colon = text.find(':');
    request.headers.push_back({std::string(text.substr(0, colon)),
                               std::string(trimmed(text.substr(colon + 1)))});
  }
  return line;
}

Result<BodyFraming> body_framing(const Headers& headers) {
  BodyFraming framing;
  std::optional<std::uint64_t> length;
  for (const Header& header : headers) {
    if (same_header_name(header.name, "transfer-encoding")) {
      if (framing.chunked || !same_header_name(header.value, "chunked"))
        return invalid_request("transfer-encoding must be chunked");
      framing.chunked = true;
    }
    if (!same_header_name(header.name, "content-length")) continue;
    std::uint64_t value = 0;
    const char* end = header.value.data() + header.value.size();
    const auto parsed = std::from_chars(header.value.data(), end, value);
    if (parsed.ec != std::errc() || parsed.ptr != end)
      return invalid_request("content-length must be a number of bytes");
    if (length && *length != value)
      return invalid_request("two different content-length headers");
    length = value;
  }
  if (framing.chunked && length)
    return invalid_request(
        "both content-length and transfer-encoding; send one of them");
  framing.length = length.value_or(0);
  return framing;
}

bool header_has_token(const Headers& headers, std::string_view name,
                      std::string_view token) {
  for (const Header& header : headers) {
    if (!same_header_name(header.name, name)) continue;
    std::string_view rest = header.value;
    while (!rest.empty()) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      if (same_header_name(trimmed(rest.substr(0, comma)), token)) return true;
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  return false;
}

}  // namespace llmproxy
