// An allow-list: messages we wrote ourselves are logged; of all others only
// the place, the status and the code.
#include "gateway/log_text.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

namespace llmproxy::gateway {
namespace {

// Kinds whose messages the transport or the gateway wrote, unless the error
// carries the status or code of an upstream.
constexpr std::array kOwnMessages = {
    ErrorKind::unauthenticated,
    ErrorKind::request_too_large,
    ErrorKind::timeout,
    ErrorKind::cancelled,
    ErrorKind::upstream_unreachable,
    ErrorKind::upstream_truncated,
    ErrorKind::internal,
};
// Real names are far shorter; a client may send megabytes. Bytes.
constexpr std::size_t kMaxName = 200;
// A code is a word such as "insufficient_quota".
constexpr std::size_t kMaxCode = 64;

bool is_code(std::string_view text) {
  const auto is_word_char = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
  };
  return !text.empty() && text.size() <= kMaxCode &&
         std::all_of(text.begin(), text.end(), is_word_char);
}

// A JSON pointer of the library's own, but its names are the client's.
bool is_path(std::string_view text) {
  const auto is_path_char = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '/';
  };
  return !text.empty() && text.size() <= kMaxCode &&
         std::all_of(text.begin(), text.end(), is_path_char);
}

}  // namespace

std::string log_text(const Error& error) {
  const bool reported = error.status != 0 || !error.code.empty();
  const bool own = std::find(kOwnMessages.begin(), kOwnMessages.end(),
                             error.kind) != kOwnMessages.end();
  if (own && !reported) return error.message;
  std::string out(to_string(error.kind));
  if (error.status != 0) out += fmt::format(", status {}", error.status);
  if (is_code(error.code)) out += fmt::format(", code {}", error.code);
  if (is_path(error.path)) out += fmt::format(", at {}", error.path);
  return out;
}

std::string short_name(std::string_view name) {
  if (name.size() <= kMaxName) return std::string(name);
  std::size_t end = kMaxName;
  // Not inside a character: continuation bytes of UTF-8 are 10xxxxxx.
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xc0) == 0x80) {
    --end;
  }
  return std::string(name.substr(0, end)) + "...";
}

}  // namespace llmproxy::gateway
