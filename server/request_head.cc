// Reference: RFC 9112, sections 2.2 (line ends), 5 (fields), 6 (framing).
#include "server/request_head.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <optional>
#include <string_view>

#include "server/request_target.h"

namespace llmproxy {
namespace {

/// A table, as each character of each head is looked up.
constexpr std::array<bool, 256> kTokenChars = [] {
  std::array<bool, 256> out{};
  for (unsigned char c = 'a'; c <= 'z'; ++c) out[c] = true;
  for (unsigned char c = 'A'; c <= 'Z'; ++c) out[c] = true;
  for (unsigned char c = '0'; c <= '9'; ++c) out[c] = true;
  for (const unsigned char c : std::string_view("!#$%&'*+-.^_`|~")) {
    out[c] = true;
  }
  return out;
}();

/// May not stand in a value.
constexpr std::array<bool, 256> kControls = [] {
  std::array<bool, 256> out{};
  for (std::size_t c = 0; c < ' '; ++c) out[c] = c != '\t';
  out[0x7f] = true;
  return out;
}();

bool is_token_char(char c) {
  return kTokenChars[static_cast<unsigned char>(c)];
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
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

/// Takes the next line off `rest`, which holds one.
std::string_view next_line(std::string_view& rest) {
  const std::size_t end = rest.find("\r\n");
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 2);
  return line;
}

bool wants_keep_alive(const Headers& headers, bool http10) {
  if (header_has_token(headers, "connection", "close")) return false;
  return !http10 || header_has_token(headers, "connection", "keep-alive");
}

void parse_headers(std::string_view rest, Headers& headers) {
  headers.reserve(
      static_cast<std::size_t>(std::count(rest.begin(), rest.end(), '\n')));
  for (std::string_view text = next_line(rest); !text.empty();
       text = next_line(rest)) {
    const std::size_t colon = text.find(':');
    Header& header = headers.emplace_back();
    header.name = text.substr(0, colon);
    header.value = trimmed(text.substr(colon + 1));
  }
}

}  // namespace

bool is_control(char c) { return kControls[static_cast<unsigned char>(c)]; }

std::string_view other_protocol(std::string_view bytes) {
  struct ProtocolRow {
    std::string_view begins;
    std::string_view told;
  };
  constexpr ProtocolRow kProtocols[] = {
      {"\x16\x03",
       "this looks like TLS, which is not spoken here; write http:// instead "
       "of https://"},
      {"PRI * HTTP/2",
       "this is HTTP/2, which is not spoken here; use HTTP/1.1"},
      {"PROXY TCP",
       "this is the PROXY protocol, which is not spoken here; switch it off "
       "in the load balancer"},
      {"PROXY UNKNOWN",
       "this is the PROXY protocol, which is not spoken here; switch it off "
       "in the load balancer"},
      {std::string_view("\r\n\r\n\0\r\nQUIT\n", 12),
       "this is the PROXY protocol, which is not spoken here; switch it off "
       "in the load balancer"},
      {"\x05\x01", "this looks like SOCKS; give the URL as the API's address"},
      {"SSH-", "this looks like SSH; this port speaks HTTP/1.1"}};
  for (const ProtocolRow& row : kProtocols) {
    if (bytes.starts_with(row.begins)) return row.told;
  }
  return {};
}

bool is_header_line(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = line.substr(colon + 1);
  return std::all_of(name.begin(), name.end(), is_token_char) &&
         std::none_of(value.begin(), value.end(), is_control);
}

HeadState HeadScanner::scan(std::string_view bytes) {
  for (;;) {
    const std::size_t end = bytes.find('\n', scanned_);
    if (end == std::string_view::npos) break;
    scanned_ = end + 1;
    std::string_view line = bytes.substr(line_start_, end - line_start_);
    // Before anything else, as it may have been the verdict on half of it.
    HeadState state = judge_size(line, scanned_);
    if (state != HeadState::incomplete) return state;
    if (!line.ends_with('\r')) return HeadState::malformed;
    line.remove_suffix(1);
    line_start_ = scanned_;
    if (line.empty())
      return lines_ == 0 ? HeadState::malformed : HeadState::complete;
    state = judge_line(line);
    if (state != HeadState::incomplete) return state;
    ++lines_;
  }
  scanned_ = bytes.size();
  // A line need not be complete to be too long.
  return judge_size(bytes.substr(line_start_), bytes.size());
}

HeadState HeadScanner::judge_size(std::string_view line,
                                  std::size_t total) const {
  // Of the line's end, perhaps.
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (lines_ == 0) {
    return line.size() > limits_.request_line ? HeadState::request_line_too_long
                                              : HeadState::incomplete;
  }
  const bool large = line.size() > limits_.header_line || total > limits_.total;
  return large ? HeadState::too_large : HeadState::incomplete;
}

HeadState HeadScanner::judge_line(std::string_view line) const {
  if (lines_ == 0) {
    return is_request_line(line) ? HeadState::incomplete : HeadState::malformed;
  }
  if (lines_ > limits_.headers) return HeadState::too_large;
  return is_header_line(line) ? HeadState::incomplete : HeadState::malformed;
}

Result<void> parse_head(std::string_view head, std::string_view own_host,
                        RequestLine& line) {
  HttpRequest& request = line.request;
  const std::string_view first = next_line(head);
  const std::size_t blank = first.find(' ');
  const std::size_t last = first.rfind(' ');
  const std::string_view version = first.substr(last + 1);
  const std::string_view text = first.substr(blank + 1, last - blank - 1);
  line.http10 = version == "HTTP/1.0";
  if (!line.http10 && version != "HTTP/1.1") {
    const std::string_view told = other_protocol(first);
    return invalid_request(told.empty() ? "this is not HTTP/1.1"
                                        : std::string(told));
  }
  if (!is_method(first.substr(0, blank)))
    return invalid_request("there is no such method");
  request.method = first.substr(0, blank);
  if (is_refused_method(request.method)) {
    request.path = text;
    return {};
  }
  const auto target = parse_target(request.method, text);
  if (!target)
    return invalid_request(
        "the request target must be a path, or a URL "
        "without a fragment");
  request.path = target->path;
  request.query = target->query;
  parse_headers(head, request.headers);
  line.keep_alive = wants_keep_alive(request.headers, line.http10);
  line.expects_continue =
      !line.http10 &&
      header_has_token(request.headers, "expect", "100-continue");
  LLMPROXY_TRY(settle_host(*target, line.http10, own_host, request.headers));
  LLMPROXY_ASSIGN(line.framing, body_framing(request.headers, line.http10));
  drop_connection_headers(request.headers);
  return {};
}

Result<BodyFraming> body_framing(const Headers& headers, bool http10) {
  BodyFraming framing;
  std::optional<std::uint64_t> length;
  for (const Header& header : headers) {
    if (same_header_name(header.name, "transfer-encoding")) {
      if (framing.chunked || !same_header_name(header.value, "chunked"))
        return invalid_request("transfer-encoding must be chunked");
      // RFC 9112, section 6.1: who speaks 1.0 does not know what it means.
      if (http10) return invalid_request("transfer-encoding needs HTTP/1.1");
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
  bool found = false;
  for (const Header& header : headers) {
    if (!same_header_name(header.name, name)) continue;
    each_list_item(header.value, [&](std::string_view item) {
      found = found || same_header_name(item, token);
    });
  }
  return found;
}

}  // namespace llmproxy
