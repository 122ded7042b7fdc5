#include "support/event_stream_text.h"

#include <array>

#include "chat/media.h"
#include "json/json.h"
#include "wire/event_stream.h"

namespace llmproxy::testing {
namespace {

// The only dialect whose events are wrapped.
bool wraps(const Dialect& dialect, std::string_view event) {
  return dialect.name == "bedrock" && event == "chunk";
}

std::string line_of(const Dialect& dialect, const wire::Frame& frame) {
  const std::string name(frame.name);
  std::string data(frame.data);
  if (frame.exception) {
    const bool modeled = json::is_json_object(data);
    return (modeled ? "exception " : "error ") + name + " " + data + "\n";
  }
  if (!wraps(dialect, name)) return "event " + name + " " + data + "\n";
  json::Document document;
  const auto root = document.parse(data);
  const auto bytes =
      root ? decode_base64((*root)["bytes"].string()) : std::nullopt;
  // What our own encoder would not write is shown as it is.
  if (!bytes || data != "{\"bytes\":\"" + encode_base64(*bytes) + "\"}") {
    return "payload " + name + " " + data + "\n";
  }
  return "event " + name + " " + *bytes + "\n";
}

std::string_view take_word(std::string_view& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

void append_error(std::string& out, std::string_view code,
                  std::string_view message) {
  const std::array headers = {wire::EventHeader{":error-code", code},
                              wire::EventHeader{":error-message", message},
                              wire::EventHeader{":message-type", "error"}};
  wire::append_event_message(out, headers, "");
}

}  // namespace

std::vector<std::string_view> split_frames(std::string_view bytes) {
  std::vector<std::string_view> frames;
  constexpr std::size_t kLeast = 16;
  while (bytes.size() >= kLeast) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      length = length << 8 | static_cast<unsigned char>(bytes[i]);
    }
    if (length < kLeast || length > bytes.size()) break;
    frames.push_back(bytes.substr(0, length));
    bytes.remove_prefix(length);
  }
  return frames;
}

std::string text_of_frames(const Dialect& dialect, std::string_view bytes) {
  wire::EventStreamDecoder decoder;
  decoder.feed(bytes);
  std::string out;
  wire::Frame frame;
  while (decoder.next(frame)) out += line_of(dialect, frame);
  if (!decoder.fault().empty()) out += "fault\n";
  if (decoder.fault().empty() && decoder.consumed() < bytes.size()) {
    out += "half a frame\n";
  }
  return out;
}

Result<std::string> frames_of_text(const Dialect& dialect,
                                   std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) continue;
    const std::string_view kind = take_word(line);
    const std::string_view name = take_word(line);
    if (kind == "event" && wraps(dialect, name)) {
      wire::append_event_frame(out, name,
                               "{\"bytes\":\"" + encode_base64(line) + "\"}");
    } else if (kind == "event" || kind == "payload") {
      wire::append_event_frame(out, name, line);
    } else if (kind == "exception") {
      wire::append_exception_frame(out, name, line);
    } else if (kind == "error") {
      append_error(out, name, line);
    } else {
      return invalid_request("a frame is `event|exception|error NAME DATA`");
    }
  }
  return out;
}

std::string stream_text(const Dialect& dialect, std::string_view bytes) {
  return dialect.framing == Framing::event_stream
             ? text_of_frames(dialect, bytes)
             : std::string(bytes);
}

}  // namespace llmproxy::testing
