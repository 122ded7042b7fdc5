#include "gateway/upstream_answer.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "client/origin.h"

namespace llmproxy::gateway {
namespace {

constexpr std::string_view kBom = "\xEF\xBB\xBF";
constexpr std::string_view kGzip = "\x1f\x8b";
constexpr std::string_view kZstd = "\x28\xb5\x2f\xfd";

/// What the head announces, if that is not too much to believe.
std::size_t announced_length(const Headers& headers, std::size_t max_bytes) {
  const std::string_view text = find_header(headers, "content-length");
  std::size_t length = 0;
  std::from_chars(text.data(), text.data() + text.size(), length);
  return std::min(length, max_bytes);
}

/// Text of the upstream's for a message: short, and nothing but ASCII.
std::string printable(std::string_view text) {
  constexpr std::size_t kLongest = 100;
  std::string out(text.substr(0, kLongest));
  for (char& c : out) {
    if (c < ' ' || c > '~') c = '?';
  }
  return out;
}

/// "https://login.example.com", or "another path"; nothing that may hold a key.
std::string target_of(std::string_view location) {
  if (location.empty()) return "nowhere";
  const Result<Origin> origin = parse_origin(location);
  return origin ? printable(origin->key) : "another path of the same host";
}

std::string type_of(const Headers& headers) {
  const std::string_view type = find_header(headers, "content-type");
  return type.empty() ? "no content-type"
                      : fmt::format("content-type {}", printable(type));
}

}  // namespace

Flow collect(std::string_view bytes, std::size_t max_bytes,
             UpstreamAnswer& answer) {
  std::string& body = answer.body;
  const bool error = answer.status != 0 && !is_success(answer.status);
  const std::size_t most = error ? std::min(kMaxError, max_bytes) : max_bytes;
  if (body.empty()) body.reserve(announced_length(answer.headers, most));
  answer.cut = bytes.size() > most - body.size();
  bytes = bytes.substr(0, most - body.size());
  answer.no_room = !answer.lease.grow(bytes.size());
  if (answer.no_room) return Flow::stop;
  body.append(bytes);
  return answer.cut ? Flow::stop : Flow::go_on;
}

void remove_bom(std::string& body) {
  if (body.starts_with(kBom)) body.erase(0, kBom.size());
}

BodyForm form_of(std::string_view body) {
  for (const std::string_view mark : {kBom, kGzip, kZstd}) {
    if (body.size() < mark.size() && mark.starts_with(body)) {
      return BodyForm::unknown;
    }
  }
  if (body.starts_with(kBom)) body.remove_prefix(kBom.size());
  if (body.starts_with(kGzip) || body.starts_with(kZstd)) {
    return BodyForm::packed;
  }
  const std::size_t first = body.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return BodyForm::unknown;
  if (body[first] == '{') return BodyForm::json;
  return body[first] == '<' ? BodyForm::page : BodyForm::other;
}

Error no_room() {
  Error error;
  error.kind = ErrorKind::overloaded;
  error.fault = Fault::proxy;
  error.message =
      "the memory for requests in flight is used up; try again soon";
  error.retry_after = "1";
  return error;
}

Error too_large_answer(std::size_t max_bytes) {
  return upstream_malformed(
      fmt::format("the upstream's answer is larger than {} bytes", max_bytes));
}

Error no_answer(const UpstreamAnswer& answer) {
  std::string text =
      fmt::format("the upstream answered with status {}", answer.status);
  if (answer.status / 100 == 3) {
    text += fmt::format(
        ", a redirect to {}; it is not followed: is the base URL right?",
        target_of(find_header(answer.headers, "location")));
  }
  return upstream_malformed(std::move(text));
}

Error unreadable_answer(BodyForm form, const Headers& headers, Error error) {
  if (form == BodyForm::page) {
    return upstream_malformed(
        fmt::format("the upstream answered with a web page ({}), not with an "
                    "answer of its API: is the base URL right?",
                    type_of(headers)));
  }
  if (form == BodyForm::packed) {
    return upstream_malformed(fmt::format(
        "the upstream's answer is compressed, but has no content-encoding "
        "header ({})",
        type_of(headers)));
  }
  if (form == BodyForm::unknown) {
    return upstream_malformed("the upstream's answer is empty");
  }
  return error;
}

}  // namespace llmproxy::gateway
