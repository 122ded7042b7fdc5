// application/vnd.amazon.eventstream: binary frames, each with headers, a
// payload and two checksums. Source: AWS, "Event stream encoding".
//
//   total length, u32 | headers length, u32 | CRC of these 8 bytes
//   headers: { u8 length, name, u8 type, value } ...
//   payload
//   CRC of everything before it
//
// Numbers are big-endian. CRCs are those of zlib.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "wire/framer.h"

namespace llmproxy::wire {

/// One header with a text as its value.
struct EventHeader {
  std::string_view name;   ///< at most 255 bytes
  std::string_view value;  ///< at most 32767 bytes
};

/// CRC-32 (IEEE 802.3, as in zlib).
std::uint32_t crc32(std::string_view bytes);

/// Appends one frame.
void append_event_message(std::string& out,
                          std::span<const EventHeader> headers,
                          std::string_view payload);
/// Appends an event with a JSON payload.
void append_event_frame(std::string& out, std::string_view event_type,
                        std::string_view json);
/// Appends an exception with a JSON payload.
void append_exception_frame(std::string& out, std::string_view exception_type,
                            std::string_view json);
/// Appends an event of a type that no API has: the AWS SDKs and the Anthropic
/// SDK for Bedrock skip it.
void append_keep_alive_frame(std::string& out);

/// Frames of such a stream: events under their `:event-type`, exceptions
/// under their `:exception-type` or `:error-code`.
class EventStreamDecoder final : public Framer {
 public:
  // The limits of botocore. Bytes.
  static constexpr std::size_t kMaxHeaders = std::size_t{128} << 10;
  static constexpr std::size_t kMaxPayload = std::size_t{24} << 20;

  void feed(std::string_view bytes) override;
  bool next(Frame& frame) override;
  /// Half a frame is none.
  bool last(Frame& frame) override { return next(frame); }
  std::string_view fault() const override { return fault_; }
  std::size_t consumed() const override { return consumed_; }

 private:
  bool read_prelude();
  bool read_frame(std::string_view message, Frame& frame);

  std::string buffer_;
  std::size_t start_ = 0;   // first byte of the frame that comes next
  std::size_t length_ = 0;  // of that frame; 0 = not known yet
  std::size_t headers_ = 0;
  std::size_t consumed_ = 0;
  std::string_view fault_;
};

}  // namespace llmproxy::wire
