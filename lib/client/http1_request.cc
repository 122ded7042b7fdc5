#include "client/http1_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "base/text.h"
#include "client/transfer_error.h"

namespace llmproxy {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

// Ours to write.
constexpr std::array<std::string_view, 4> kFraming = {
    "content-length", "transfer-encoding", "expect", "host"};

bool is_framing(std::string_view name) {
  return std::any_of(kFraming.begin(), kFraming.end(), [&](auto framing) {
    return same_header_name(framing, name);
  });
}

void add_line(std::string_view name, std::string_view value, std::string& out) {
  out.append(name).append(value.empty() ? ":" : ": ");
  out.append(value).append(kLineEnd);
}

/// Where the request says nothing of it; an empty value says something, too.
void add_usual(const UpstreamRequest& request, std::string_view name,
               std::string_view value, std::string& out) {
  const auto& headers = request.headers;
  const bool said =
      std::any_of(headers.begin(), headers.end(), [&](const Header& header) {
        return same_header_name(header.name, name);
      });
  if (!said) add_line(name, value, out);
}

bool has_body(const UpstreamRequest& request) {
  if (!request.body.empty() || request.large_body) return true;
  return !is_repeatable(request);  // a length of 0 is said, too
}

}  // namespace

Result<void> check_header(const Header& header) {
  if (!is_token(header.name)) {
    return internal_error("a header has a name that HTTP does not allow");
  }
  if (std::any_of(header.value.begin(), header.value.end(),
                  [](char c) { return c == '\r' || c == '\n' || c == '\0'; })) {
    return internal_error(fmt::format(
        "the value of header \"{}\" holds a line break or a NUL", header.name));
  }
  return {};
}

bool is_repeatable(const UpstreamRequest& request) {
  return request.method == "GET" || request.method == "HEAD";
}

Result<void> write_http1_head(const UpstreamRequest& request,
                              const Http1Target& target, std::string_view agent,
                              std::string& out) {
  if (!is_token(request.method)) {
    return internal_error("the request's method is none of HTTP");
  }
  out.append(request.method).append(" ").append(target.path);
  out.append(" HTTP/1.1\r\n");
  const std::string_view host = find_header(request.headers, "host");
  add_line("Host", host.empty() ? std::string_view(target.host) : host, out);
  if (!target.credentials.empty()) {
    add_usual(request, "Authorization",
              "Basic " + encode_base64(target.credentials), out);
  }
  add_usual(request, "User-Agent", agent, out);
  add_usual(request, "Accept", "*/*", out);
  if (request.unpack) add_usual(request, "Accept-Encoding", "identity", out);
  for (const Header& header : request.headers) {
    LLMPROXY_TRY(check_header(header));
    if (!is_framing(header.name)) add_line(header.name, header.value, out);
  }
  if (has_body(request)) {
    const std::uint64_t length =
        request.large_body ? request.large_body->size() : request.body.size();
    fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", length);
  }
  out.append(kLineEnd);
  return {};
}

}  // namespace llmproxy
