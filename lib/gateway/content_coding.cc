// The only file that includes zlib, Brotli and Zstandard. A row per coding.
#include "gateway/content_coding.h"

#include <brotli/decode.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "gateway/upstream_answer.h"

namespace llmproxy::gateway {
namespace {

// More than one is rare, and each is as much work as a body may be large.
constexpr std::size_t kMostCodings = 3;
constexpr std::size_t kPiece = std::size_t{32} << 10;
// The largest window that HTTP lets senders use (RFC 9659, section 3). Bits.
constexpr int kZstdWindow = 23;
constexpr std::size_t kLongestName = 40;
constexpr int kUnsupported = 415;

/// Takes what becomes of a body, up to its limit.
class Output {
 public:
  Output(std::size_t limit, ByteLease& lease) : limit_(limit), lease_(lease) {}

  Result<void> append(std::size_t bytes) {
    if (bytes > limit_ - text_.size()) {
      Error error;
      error.kind = ErrorKind::request_too_large;
      error.fault = Fault::client;
      error.message =
          fmt::format("the decompressed body is larger than {} bytes", limit_);
      return error;
    }
    if (!lease_.grow(bytes)) return no_room();
    text_.append(piece_.data(), bytes);
    return {};
  }
  /// Where the next piece is written, before append().
  std::vector<char>& piece() { return piece_; }
  std::string take() { return std::move(text_); }

 private:
  const std::size_t limit_;
  ByteLease& lease_;
  std::vector<char> piece_ = std::vector<char>(kPiece);
  std::string text_;
};

Error not_packed_so(std::string_view coding) {
  return invalid_request(fmt::format(
      "the body is not complete {} data, as its content-encoding says",
      coding));
}

// --- gzip and deflate ------------------------------------------------------

// What inflateInit2 takes: the size of the window, and which head to expect.
constexpr int kGzip = 15 + 16;
constexpr int kZlib = 15;
constexpr int kRaw = -15;

struct InflateEnd {
  void operator()(z_stream* stream) const { ::inflateEnd(stream); }
};

Result<void> inflate_all(std::string_view packed, int head,
                         std::string_view coding, Output& out) {
  z_stream stream{};
  if (packed.size() > std::numeric_limits<uInt>::max() ||
      ::inflateInit2(&stream, head) != Z_OK) {
    return not_packed_so(coding);
  }
  const std::unique_ptr<z_stream, InflateEnd> end(&stream);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  for (;;) {
    std::vector<char>& piece = out.piece();
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    const int state = ::inflate(&stream, Z_NO_FLUSH);
    LLMPROXY_TRY(out.append(piece.size() - stream.avail_out));
    if (state == Z_OK) continue;
    if (state != Z_STREAM_END) return not_packed_so(coding);
    if (stream.avail_in == 0) return {};
    // gzip files may be joined (RFC 1952, section 2.2); the others may not.
    if (head != kGzip || ::inflateReset(&stream) != Z_OK) {
      return not_packed_so(coding);
    }
  }
}

Result<void> unpack_gzip(std::string_view packed, Output& out) {
  return inflate_all(packed, kGzip, "gzip", out);
}

/// The standard means zlib's head; many leave it out.
Result<void> unpack_deflate(std::string_view packed, Output& out) {
  const auto byte = [&](std::size_t at) {
    return static_cast<unsigned>(static_cast<unsigned char>(packed[at]));
  };
  const bool zlib = packed.size() >= 2 && (byte(0) & 0x0f) == Z_DEFLATED &&
                    ((byte(0) << 8) | byte(1)) % 31 == 0;
  return inflate_all(packed, zlib ? kZlib : kRaw, "deflate", out);
}

// --- Brotli ----------------------------------------------------------------

struct BrotliEnd {
  void operator()(BrotliDecoderState* state) const {
    ::BrotliDecoderDestroyInstance(state);
  }
};

Result<void> unpack_brotli(std::string_view packed, Output& out) {
  const std::unique_ptr<BrotliDecoderState, BrotliEnd> decoder(
      ::BrotliDecoderCreateInstance(nullptr, nullptr, nullptr));
  if (!decoder) return not_packed_so("br");
  const auto* next = reinterpret_cast<const std::uint8_t*>(packed.data());
  std::size_t left = packed.size();
  for (;;) {
    std::vector<char>& piece = out.piece();
    auto* to = reinterpret_cast<std::uint8_t*>(piece.data());
    std::size_t room = piece.size();
    const BrotliDecoderResult state = ::BrotliDecoderDecompressStream(
        decoder.get(), &left, &next, &room, &to, nullptr);
    LLMPROXY_TRY(out.append(piece.size() - room));
    if (state == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT) continue;
    if (state == BROTLI_DECODER_RESULT_SUCCESS && left == 0) return {};
    return not_packed_so("br");
  }
}

// --- Zstandard -------------------------------------------------------------

struct ZstdEnd {
  void operator()(ZSTD_DCtx* context) const { ::ZSTD_freeDCtx(context); }
};

Result<void> unpack_zstd(std::string_view packed, Output& out) {
  const std::unique_ptr<ZSTD_DCtx, ZstdEnd> decoder(::ZSTD_createDCtx());
  if (!decoder) return not_packed_so("zstd");
  ::ZSTD_DCtx_setParameter(decoder.get(), ZSTD_d_windowLogMax, kZstdWindow);
  ZSTD_inBuffer in{packed.data(), packed.size(), 0};
  for (;;) {
    std::vector<char>& piece = out.piece();
    ZSTD_outBuffer to{piece.data(), piece.size(), 0};
    const std::size_t before = in.pos;
    const std::size_t state = ::ZSTD_decompressStream(decoder.get(), &to, &in);
    if (::ZSTD_isError(state) != 0) return not_packed_so("zstd");
    LLMPROXY_TRY(out.append(to.pos));
    // 0: a frame is over. Another may follow it.
    if (state == 0 && in.pos == in.size) return {};
    if (in.pos == before && to.pos == 0) return not_packed_so("zstd");
  }
}

// --- The table -------------------------------------------------------------

struct Coding {
  std::string_view name;
  /// Null = it changes nothing.
  Result<void> (*unpack)(std::string_view packed, Output& out);
};
constexpr std::array kCodings = {
    Coding{"gzip", unpack_gzip},       Coding{"x-gzip", unpack_gzip},
    Coding{"deflate", unpack_deflate}, Coding{"br", unpack_brotli},
    Coding{"zstd", unpack_zstd},       Coding{"identity", nullptr}};

const Coding* find_coding(std::string_view name) {
  const auto* row =
      std::find_if(kCodings.begin(), kCodings.end(), [&](const Coding& coding) {
        return same_header_name(coding.name, name);
      });
  return row == kCodings.end() ? nullptr : row;
}

std::vector<std::string_view> codings_of(const Headers& headers) {
  std::vector<std::string_view> names;
  for (const Header& header : headers) {
    if (!same_header_name(header.name, "content-encoding")) continue;
    std::string_view rest = header.value;
    while (!rest.empty()) {
      const std::string_view item = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(item.size() + 1, rest.size()));
      const std::string_view name = trimmed(item);
      if (!name.empty()) names.push_back(name);
    }
  }
  return names;
}

/// As it may be said in an answer.
std::string printable(std::string_view name) {
  std::string out(name.substr(0, kLongestName));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return out;
}

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
    if (find_coding(name) != nullptr) continue;
    return unsupported(fmt::format(
        "the content-encoding {} is not supported; supported are {}",
        printable(name), kTakenCodings));
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
    const Coding& coding = *find_coding(names.back());
    if (coding.unpack == nullptr) continue;
    Output out(limit, lease);
    LLMPROXY_TRY(coding.unpack(body, out));
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
