// Our reader of heads beside Boost.Beast's, with equal limits:
//
//   parser_driver heads WHOSE WHICH COUNT    for callgrind; WHOSE: ours, beast
//   parser_driver judge                      what Beast makes of bytes
//
// `judge` reads lines of hexadecimal digits and writes a line for each: how
// many requests Beast takes, and what it says to the rest.
#include <boost/beast/http.hpp>

#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

#include "server/request_head.h"

namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

struct Head {
  std::string_view name;
  std::string_view text;
};
// What the agents and SDKs send, cut to what does not identify anybody.
constexpr Head kHeads[] = {
    {"claude-code",
     "POST /v1/messages?beta=true HTTP/1.1\r\n"
     "Host: 127.0.0.1:8080\r\n"
     "Connection: keep-alive\r\n"
     "Accept: application/json\r\n"
     "X-Stainless-Retry-Count: 0\r\n"
     "X-Stainless-Timeout: 600\r\n"
     "X-Stainless-Lang: js\r\n"
     "X-Stainless-Package-Version: 0.70.0\r\n"
     "X-Stainless-OS: Linux\r\n"
     "X-Stainless-Arch: x64\r\n"
     "X-Stainless-Runtime: node\r\n"
     "X-Stainless-Runtime-Version: v22.21.1\r\n"
     "anthropic-dangerous-direct-browser-access: true\r\n"
     "anthropic-version: 2023-06-01\r\n"
     "x-api-key: sk-ant-api03-0123456789abcdef0123456789abcdef\r\n"
     "x-app: cli\r\n"
     "User-Agent: claude-cli/2.1.332 (external, cli)\r\n"
     "content-type: application/json\r\n"
     "anthropic-beta: claude-code-20250219,interleaved-thinking-2025-05-14,"
     "fine-grained-tool-streaming-2025-05-14\r\n"
     "accept-language: *\r\n"
     "sec-fetch-mode: cors\r\n"
     "accept-encoding: gzip, deflate, br\r\n"
     "content-length: 0\r\n"
     "\r\n"},
    {"openai-python",
     "POST /v1/chat/completions HTTP/1.1\r\n"
     "Host: 127.0.0.1:8080\r\n"
     "Accept-Encoding: gzip, deflate\r\n"
     "Connection: keep-alive\r\n"
     "Accept: application/json\r\n"
     "Content-Type: application/json\r\n"
     "User-Agent: OpenAI/Python 2.8.1\r\n"
     "X-Stainless-Lang: python\r\n"
     "X-Stainless-Package-Version: 2.8.1\r\n"
     "X-Stainless-OS: Linux\r\n"
     "X-Stainless-Arch: x64\r\n"
     "X-Stainless-Runtime: CPython\r\n"
     "X-Stainless-Runtime-Version: 3.11.2\r\n"
     "Authorization: Bearer sk-proj-0123456789abcdef0123456789abcdef\r\n"
     "X-Stainless-Async: false\r\n"
     "x-stainless-retry-count: 0\r\n"
     "x-stainless-read-timeout: 600\r\n"
     "Content-Length: 0\r\n"
     "\r\n"},
    {"curl",
     "POST /v1/messages HTTP/1.1\r\n"
     "Host: localhost:8080\r\n"
     "User-Agent: curl/7.88.1\r\n"
     "Accept: */*\r\n"
     "Content-Length: 0\r\n"
     "Content-Type: application/x-www-form-urlencoded\r\n"
     "\r\n"},
};

using Parser = http::request_parser<http::string_body>;

/// With the limits of ours; Beast bounds neither lines nor their number.
void limit(Parser& parser) {
  const llmproxy::HeadLimits limits;
  parser.header_limit(static_cast<std::uint32_t>(limits.total));
  parser.body_limit(std::uint64_t{64} << 20);
  parser.eager(true);
}

/// Both end with everything a gateway needs: method, target, fields in their
/// order, how the body is framed.
std::size_t read_ours(std::string_view text) {
  llmproxy::HeadScanner scanner{llmproxy::HeadLimits{}};
  if (scanner.scan(text) != llmproxy::HeadState::complete) std::abort();
  llmproxy::RequestLine line;
  if (!llmproxy::parse_head(text.substr(0, scanner.size()), "127.0.0.1", line))
    std::abort();
  return line.request.headers.size();
}

std::size_t read_by_beast(std::string_view text) {
  Parser parser;
  limit(parser);
  beast::error_code error;
  parser.put(boost::asio::buffer(text.data(), text.size()), error);
  if (error || !parser.is_done()) std::abort();
  const Parser::value_type& request = parser.get();
  std::size_t fields = 0;
  for (const auto& field : request) fields += field.value().empty() ? 0 : 1;
  return fields + request.target().size() + (request.keep_alive() ? 1 : 0);
}

/// A server that uses Beast, on these bytes.
void judge(std::string_view bytes) {
  int requests = 0;
  beast::error_code error;
  while (!bytes.empty()) {
    Parser parser;
    limit(parser);
    while (!bytes.empty() && !parser.is_done() && !error) {
      const std::size_t used =
          parser.put(boost::asio::buffer(bytes.data(), bytes.size()), error);
      bytes.remove_prefix(used);
      if (error == http::error::need_more) {
        std::cout << requests << " need more\n";
        return;
      }
    }
    if (error) {
      std::cout << requests << ' ' << error.message() << '\n';
      return;
    }
    if (!parser.is_done()) {
      std::cout << requests << " need more\n";
      return;
    }
    ++requests;
  }
  std::cout << requests << " done\n";
}

std::string unhex(std::string_view digits) {
  std::string out;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    const std::string pair(digits.substr(i, 2));
    out += static_cast<char>(std::strtol(pair.c_str(), nullptr, 16));
  }
  return out;
}

int count_heads(std::string_view whose, std::string_view which, int count) {
  std::size_t sum = 0;
  for (const Head& head : kHeads) {
    if (head.name != which) continue;
    for (int i = 0; i < count; ++i) {
      sum += whose == "ours" ? read_ours(head.text) : read_by_beast(head.text);
    }
  }
  return sum > 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view mode = argc > 1 ? argv[1] : "";
  if (mode == "heads" && argc == 5) {
    return count_heads(argv[2], argv[3], std::atoi(argv[4]));
  }
  if (mode == "judge") {
    for (std::string line; std::getline(std::cin, line);) judge(unhex(line));
    return 0;
  }
  std::cerr << "usage: parser_driver heads WHOSE WHICH COUNT | judge\n";
  return 2;
}
