// Text as senders pack it: the content codings of HTTP.
#pragma once

#include <zlib.h>
#include <zstd.h>

#include <catch2/catch.hpp>
#include <cstdint>
#include <string>

namespace llmproxy::testing {

/// As zlib packs it: 31 = gzip, 15 = zlib, -15 = raw. Z_FULL_FLUSH instead of
/// an end: what may stand in a row.
inline std::string deflated(const std::string& text, int head,
                            int flush = Z_FINISH) {
  z_stream stream{};
  REQUIRE(::deflateInit2(&stream, 9, Z_DEFLATED, head, 8, Z_DEFAULT_STRATEGY) ==
          Z_OK);
  std::string out(::deflateBound(&stream, text.size()) + 64, '\0');
  std::string in = text;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(::deflate(&stream, flush) ==
          (flush == Z_FINISH ? Z_STREAM_END : Z_OK));
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  return out;
}

/// ZSTD_e_flush = without its end.
inline std::string zstd(const std::string& text, int window = 0,
                        ZSTD_EndDirective end = ZSTD_e_end) {
  ZSTD_CCtx* context = ::ZSTD_createCCtx();
  if (window > 0) {
    ::ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window);
    ::ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  }
  std::string out(::ZSTD_compressBound(text.size()) + 64, '\0');
  ZSTD_inBuffer in{text.data(), text.size(), 0};
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  // Once without an end, so that the size of the text is not known.
  ::ZSTD_compressStream2(context, &to, &in, ZSTD_e_continue);
  REQUIRE(::ZSTD_compressStream2(context, &to, &in, end) == 0);
  ::ZSTD_freeCCtx(context);
  out.resize(to.pos);
  return out;
}

/// Brotli has no packer here: one piece that is not compressed
/// (RFC 7932, section 9.2), 1 to 65536 bytes.
inline std::string brotli(const std::string& text) {
  // A window of 16 bits; not the last piece; 4 digits of length; as it is.
  const std::size_t length = text.size() - 1;
  const std::uint32_t bits = static_cast<std::uint32_t>(length << 4) | 1u << 20;
  std::string out;
  for (int at = 0; at < 24; at += 8) out += static_cast<char>(bits >> at);
  return out + text + '\x03';
}

}  // namespace llmproxy::testing
