#include "gateway/content_coding.h"

#include <array>
#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "gateway/upstream_answer.h"

namespace llmproxy::gateway {
namespace {

constexpr int kUnsupported = 415;

/// Takes what becomes of a body, up to its limit.
class Output {
 public:
  Output(std::size_t limit, ByteLease& lease) : limit_(limit), lease_(lease) {}

  Result<void> append(std::string_view piece) {
    if (piece.size() > limit_ - text_.size()) {
      Error error;
      error.kind = ErrorKind::request_too_large;
      error.fault = Fault::client;
      error.message =
          fmt::format("the decompressed body is larger than {} bytes", limit_);
      return error;
    }
    if (!lease_.grow(piece.size())) return no_room();
    text_.append(piece);
    return {};
  }
  std::string take() { return std::move(text_); }

 private:
  const std::size_t limit_;
  ByteLease& lease_;
  std::string text_;
};

Error not_packed_so(std::string_view coding) {
  return invalid_request(fmt::format(
      "the body is not complete {} data, as its content-encoding says",
      coding));
}

Result<void> unpack_all(std::string_view packed, Unpacker& unpacker,
                        Output& out) {
  Result<void> taken;
  const Unpacker::State state =
      unpacker.feed(packed, [&](std::string_view piece) {
        taken = out.append(piece);
        return taken.has_value();
      });
  LLMPROXY_TRY(std::move(taken));
  if (state != Unpacker::State::complete) return not_packed_so(unpacker.name());
  return {};
}

// --- Which codings ---------------------------------------------------------

Error unsupported(std::string message) {
  Error error = invalid_request(std::move(message));
  error.status = kUnsupported;
  return error;
}

Result<void> check_names(const std::vector<std::string_view>& names) {
  if (names.size() > kMostCodings) {
    return unsupported(
        fmt::format("the body has {} content codings; at most {} are supported",
                    names.size(), kMostCodings));
  }
  for (const std::string_view name : names) {
    if (is_known_coding(name)) continue;
    return unsupported(fmt::format(
        "the content-encoding {} is not supported; supported are {}",
        printable_coding(name), kTakenCodings));
  }
  return {};
}

// --- What the text is in ---------------------------------------------------

/// How a text in another form of Unicode than UTF-8 begins, with a byte order
/// mark or, as JSON begins with ASCII, with its zeros.
struct Beginning {
  std::string_view form;
  std::array<int, 4> bytes;  ///< kAny = any but 0, kNone = what follows too
};
constexpr int kAny = -1;
constexpr int kNone = -2;
constexpr std::array kBeginnings = {
    Beginning{"UTF-32", {0xff, 0xfe, 0, 0}},
    Beginning{"UTF-32", {0, 0, 0xfe, 0xff}},
    Beginning{"UTF-32", {kAny, 0, 0, 0}},
    Beginning{"UTF-32", {0, 0, 0, kAny}},
    Beginning{"UTF-16", {0xff, 0xfe, kNone, kNone}},
    Beginning{"UTF-16", {0xfe, 0xff, kNone, kNone}},
    Beginning{"UTF-16", {kAny, 0, kNone, kNone}},
    Beginning{"UTF-16", {0, kAny, kNone, kNone}},
};
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

bool begins_so(std::string_view text, const Beginning& row) {
  for (std::size_t i = 0; i < row.bytes.size(); ++i) {
    if (row.bytes[i] == kNone) return true;
    if (i >= text.size()) return false;
    const int byte = static_cast<unsigned char>(text[i]);
    if (row.bytes[i] == kAny ? byte == 0 : byte != row.bytes[i]) return false;
  }
  return true;
}

Result<std::string> in_utf8(std::string text) {
  // As nearly all do; no row begins so.
  if (text.size() > 1 && text[0] == '{' && text[1] != '\0') return text;
  for (const Beginning& row : kBeginnings) {
    if (!begins_so(text, row)) continue;
    return invalid_request(
        fmt::format("the body is {}; JSON is sent in UTF-8", row.form));
  }
  if (text.starts_with(kByteOrderMark)) text.erase(0, kByteOrderMark.size());
  return text;
}

}  // namespace

Result<void> check_codings(const Headers& headers) {
  return check_names(codings_of(headers));
}

Result<std::string> unpack(const Headers& headers, std::string body,
                           std::size_t limit, ByteLease& lease) {
  std::vector<std::string_view> names = codings_of(headers);
  LLMPROXY_TRY(check_names(names));
  for (; !names.empty() && !body.empty(); names.pop_back()) {
    const std::unique_ptr<Unpacker> unpacker = make_unpacker(names.back());
    if (!unpacker) continue;  // "identity"
    Output out(limit, lease);
    LLMPROXY_TRY(unpack_all(body, *unpacker, out));
    body = out.take();
  }
  return body;
}

Result<std::string> readable_body(const Headers& headers, std::string body,
                                  std::size_t limit, ByteLease& lease) {
  LLMPROXY_ASSIGN(body, unpack(headers, std::move(body), limit, lease));
  return in_utf8(std::move(body));
}

}  // namespace llmproxy::gateway
