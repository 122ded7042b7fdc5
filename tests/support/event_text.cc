#include "support/event_text.h"

#include "base/text.h"
#include "json/json.h"
#include "wire/event_stream.h"

namespace llmproxy::testing {
namespace {

constexpr std::string_view kEvent = "event";
constexpr std::string_view kChunk = "chunk";
constexpr std::string_view kPayload = "payload";  // as it is, even of a chunk

std::string_view take_word(std::string_view& line) {
  const std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(std::min(word.size() + 1, line.size()));
  return word;
}

}  // namespace

std::string frames_of_text(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.empty()) continue;
    const std::string_view kind = take_word(line);
    const std::string_view type = take_word(line);
    if (kind == kPayload) {
      wire::append_event_frame(out, type, line);
    } else if (kind != kEvent) {
      wire::append_exception_frame(out, type, line);
    } else if (type == kChunk) {
      wire::append_event_frame(out, type,
                               "{\"bytes\":\"" + encode_base64(line) + "\"}");
    } else {
      wire::append_event_frame(out, type, line);
    }
  }
  return out;
}

std::string text_of_frames(std::string_view bytes) {
  wire::EventStreamDecoder decoder;
  decoder.feed(bytes);
  wire::Frame frame;
  std::string out;
  while (decoder.next(frame)) {
    json::Document document;
    const auto root = document.parse(frame.data);
    const auto inner = root && frame.name == kChunk
                           ? decode_base64((*root)["bytes"].string())
                           : std::nullopt;
    const bool raw = frame.name == kChunk && !inner;
    std::string_view kind = raw ? kPayload : kEvent;
    if (frame.exception) kind = "exception";
    out.append(kind).append(" ").append(frame.name).append(" ");
    out.append(inner ? std::string_view(*inner) : frame.data).append("\n");
  }
  if (!decoder.fault().empty()) out.append("fault ").append(decoder.fault());
  return out;
}

}  // namespace llmproxy::testing
