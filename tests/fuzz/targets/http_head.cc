// Heads of HTTP requests, as they arrive piece by piece.
#include <algorithm>

#include "fuzz/kit/target.h"
#include "server/request_head.h"

namespace llmproxy::fuzz {
namespace {

constexpr std::string_view kTokenMarks = "!#$%&'*+-.^_`|~";

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return letter || (c >= '0' && c <= '9') ||
           kTokenMarks.find(c) != std::string_view::npos;
  });
}

bool is_line(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) ==
         std::string_view::npos;
}

HeadLimits choose_limits(Input& input) {
  HeadLimits limits;
  if (input.flag()) {
    limits.request_line = 64;
    limits.header_line = 48;
    limits.headers = 4;
    limits.total = 160;
  }
  return limits;
}

struct Verdict {
  HeadState state = HeadState::incomplete;
  std::size_t size = 0;
  /// Bytes that were there when it fell.
  std::size_t seen = 0;
};

Verdict scan(const HeadLimits& limits, std::string_view bytes,
             std::size_t step) {
  HeadScanner scanner(limits);
  Verdict verdict;
  for (std::size_t end = std::min(step, bytes.size());;
       end = std::min(end + step, bytes.size())) {
    verdict.state = scanner.scan(bytes.substr(0, end));
    verdict.seen = end;
    if (verdict.state != HeadState::incomplete || end == bytes.size()) break;
  }
  if (verdict.state == HeadState::complete) verdict.size = scanner.size();
  return verdict;
}

void expect_parsed(std::string_view head) {
  RequestLine line;
  const auto parsed = parse_head(head, "127.0.0.1:8080", line);
  if (!parsed) {
    return expect(parsed.error().fault == Fault::client &&
                      !parsed.error().message.empty(),
                  "who asks is told why", parsed.error().message);
  }
  const HttpRequest& request = line.request;
  expect(is_token(request.method), "the method is a token", request.method);
  expect(is_line(request.path) && is_line(request.query),
         "the target is one line", request.path);
  expect(request.path.find('?') == std::string::npos, "the query is apart",
         request.path);
  for (const Header& header : request.headers) {
    expect(is_token(header.name), "a header's name is a token", header.name);
    expect(is_line(header.value), "a header's value is one line", header.value);
  }
  expect(request.path.starts_with('/') || request.path == "*" ||
             request.method == "CONNECT",
         "a path begins with a slash", request.path);
  expect(!line.framing.chunked || line.framing.length == 0,
         "a chunked body has no length");
  header_has_token(request.headers, "connection", "close");
}

void run(Input& input) {
  const HeadLimits limits = choose_limits(input);
  const std::size_t step = 1 + input.byte() % 61;
  const std::string_view bytes = input.rest();
  const Verdict whole = scan(limits, bytes, bytes.size() + 1);
  const Verdict pieces = scan(limits, bytes, step);
  expect(whole.state == pieces.state && whole.size == pieces.size,
         "cuts mean nothing", bytes);
  expect(pieces.state != HeadState::incomplete ||
             bytes.size() <= limits.total + step,
         "a head has a largest size", bytes);
  if (whole.state != HeadState::complete) return;
  expect(whole.size <= bytes.size() && whole.size <= limits.total,
         "a head keeps the limits", bytes);
  expect(bytes.substr(0, whole.size).ends_with("\r\n\r\n"),
         "a head ends in a blank line", bytes);
  expect_parsed(bytes.substr(0, whole.size));
}

const Registered kRegistered({"http_head", Form::lines, 4096, run});

}  // namespace
}  // namespace llmproxy::fuzz
