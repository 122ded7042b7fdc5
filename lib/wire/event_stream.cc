#include "wire/event_stream.h"

#include <array>
#include <optional>

namespace llmproxy::wire {
namespace {

constexpr std::size_t kPrelude = 12;  // two lengths and their CRC
constexpr std::size_t kCrc = 4;
constexpr std::uint8_t kString = 7;

constexpr std::array<std::uint32_t, 256> crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) {
      value = (value & 1) != 0 ? (value >> 1) ^ 0xEDB88320u : value >> 1;
    }
    table[i] = value;
  }
  return table;
}
constexpr std::array<std::uint32_t, 256> kCrcTable = crc_table();

std::uint32_t byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

std::uint32_t read_u32(std::string_view bytes, std::size_t at) {
  return byte_at(bytes, at) << 24 | byte_at(bytes, at + 1) << 16 |
         byte_at(bytes, at + 2) << 8 | byte_at(bytes, at + 3);
}

void append_byte(std::string& out, std::size_t value) {
  out += static_cast<char>(static_cast<unsigned char>(value));
}

void append_u16(std::string& out, std::size_t value) {
  append_byte(out, value >> 8);
  append_byte(out, value & 255);
}

void append_u32(std::string& out, std::size_t value) {
  append_u16(out, value >> 16);
  append_u16(out, value & 65535);
}

/// Bytes of a header's value behind its type, or nullopt for types that do
/// not exist. Texts and byte arrays have their length in front.
std::optional<std::size_t> fixed_size(std::uint32_t type) {
  constexpr std::size_t kLengthInFront = 2;
  constexpr std::array<std::size_t, 10> kSizes = {
      0, 0, 1, 2, 4, 8, kLengthInFront, kLengthInFront, 8, 16};
  if (type >= kSizes.size()) return std::nullopt;
  return kSizes[type];
}

/// Walks over the headers of one frame.
class HeaderReader {
 public:
  explicit HeaderReader(std::string_view bytes) : bytes_(bytes) {}

  /// The next one whose value is a text; others are skipped.
  bool next(EventHeader& header) {
    while (!bytes_.empty() && !broken_) {
      std::uint32_t type = 0;
      if (read(header, type) && type == kString) return true;
    }
    return false;
  }
  bool broken() const { return broken_; }

 private:
  bool take(std::size_t size, std::string_view& out) {
    if (bytes_.size() < size) {
      broken_ = true;
      return false;
    }
    out = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return true;
  }

  bool read(EventHeader& header, std::uint32_t& type) {
    std::string_view bytes;
    if (!take(1, bytes) || !take(byte_at(bytes, 0), header.name) ||
        !take(1, bytes)) {
      return false;
    }
    type = byte_at(bytes, 0);
    const auto size = fixed_size(type);
    broken_ = !size;
    if (!size || !take(*size, header.value)) return false;
    if (type != kString && type != kString - 1) return true;
    const std::size_t length =
        byte_at(header.value, 0) << 8 | byte_at(header.value, 1);
    return take(length, header.value);
  }

  std::string_view bytes_;
  bool broken_ = false;
};

void append_json_message(std::string& out, std::string_view message_type,
                         std::string_view type_header, std::string_view type,
                         std::string_view json) {
  const std::array headers = {EventHeader{type_header, type},
                              EventHeader{":content-type", "application/json"},
                              EventHeader{":message-type", message_type}};
  append_event_message(out, headers, json);
}

}  // namespace

std::uint32_t crc32(std::string_view bytes) {
  std::uint32_t value = 0xFFFFFFFFu;
  for (const char c : bytes) {
    value = (value >> 8) ^
            kCrcTable[(value ^ static_cast<unsigned char>(c)) & 255u];
  }
  return value ^ 0xFFFFFFFFu;
}

void append_event_message(std::string& out,
                          std::span<const EventHeader> headers,
                          std::string_view payload) {
  std::size_t length = 0;
  for (const EventHeader& header : headers) {
    length += 1 + header.name.size() + 1 + 2 + header.value.size();
  }
  const std::size_t start = out.size();
  append_u32(out, kPrelude + length + payload.size() + kCrc);
  append_u32(out, length);
  append_u32(out, crc32(std::string_view(out).substr(start)));
  for (const EventHeader& header : headers) {
    append_byte(out, header.name.size());
    out += header.name;
    append_byte(out, kString);
    append_u16(out, header.value.size());
    out += header.value;
  }
  out += payload;
  append_u32(out, crc32(std::string_view(out).substr(start)));
}

void append_event_frame(std::string& out, std::string_view event_type,
                        std::string_view json) {
  append_json_message(out, "event", ":event-type", event_type, json);
}

void append_exception_frame(std::string& out, std::string_view exception_type,
                            std::string_view json) {
  append_json_message(out, "exception", ":exception-type", exception_type,
                      json);
}

void append_keep_alive_frame(std::string& out) {
  append_event_frame(out, "ping", "{}");
}

void EventStreamDecoder::feed(std::string_view bytes) {
  if (!fault_.empty()) return;
  // Drop what was taken before growing; amortised linear because at least
  // half of the buffer goes each time.
  if (start_ > 0 && start_ >= buffer_.size() / 2) {
    buffer_.erase(0, start_);
    start_ = 0;
  }
  buffer_.append(bytes);
}

/// Lengths are believed only once their own checksum is right.
bool EventStreamDecoder::read_prelude() {
  const std::string_view rest = std::string_view(buffer_).substr(start_);
  if (rest.size() < kPrelude) return false;
  const std::size_t length = read_u32(rest, 0);
  const std::size_t headers = read_u32(rest, 4);
  if (crc32(rest.substr(0, 8)) != read_u32(rest, 8)) {
    fault_ = "the upstream's stream is not made of event stream messages";
  } else if (headers > kMaxHeaders || length < kPrelude + headers + kCrc) {
    fault_ = "a message of the upstream's stream has an impossible length";
  } else if (length - headers > kMaxPayload + kPrelude + kCrc) {
    fault_ = "an event of the upstream's stream is too large";
  }
  if (!fault_.empty()) return false;
  length_ = length;
  headers_ = headers;
  return true;
}

bool EventStreamDecoder::read_frame(std::string_view message, Frame& frame) {
  frame = {};
  frame.data = message.substr(kPrelude + headers_,
                              message.size() - kPrelude - headers_ - kCrc);
  HeaderReader reader(message.substr(kPrelude, headers_));
  EventHeader header;
  std::string_view kind;
  std::string_view error_text;
  while (reader.next(header)) {
    if (header.name == ":message-type") kind = header.value;
    if (header.name == ":event-type" || header.name == ":exception-type" ||
        header.name == ":error-code") {
      frame.name = header.value;
    }
    if (header.name == ":error-message") error_text = header.value;
  }
  if (reader.broken()) {
    fault_ = "a message of the upstream's stream has broken headers";
    return false;
  }
  if (kind == "error" && frame.data.empty()) frame.data = error_text;
  frame.exception = kind == "exception" || kind == "error";
  if (kind != "event" && !frame.exception) {
    fault_ = "a message of the upstream's stream is of an unknown kind";
    return false;
  }
  return true;
}

bool EventStreamDecoder::next(Frame& frame) {
  if (!fault_.empty()) return false;
  if (length_ == 0 && !read_prelude()) return false;
  if (buffer_.size() - start_ < length_) return false;
  const std::string_view message =
      std::string_view(buffer_).substr(start_, length_);
  const std::string_view body = message.substr(0, length_ - kCrc);
  if (crc32(body) != read_u32(message, body.size())) {
    fault_ = "a message of the upstream's stream has a wrong checksum";
    return false;
  }
  if (!read_frame(message, frame)) return false;
  frame.begin = consumed_;
  start_ += length_;
  consumed_ += length_;
  length_ = 0;
  return true;
}

}  // namespace llmproxy::wire
