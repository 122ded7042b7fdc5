// Bedrock InvokeModelWithResponseStream: each frame is a `chunk` that holds
// one event of the claude dialect in base64.
#include "chat/aws_errors.h"
#include "chat/media.h"
#include "dialects/bedrock/tables.h"
#include "wire/event_stream.h"

namespace llmproxy::bedrock {
namespace {

/// Unwraps chunks; everything else is as in the frames.
class ChunkFramer final : public wire::Framer {
 public:
  void feed(std::string_view bytes) override { frames_.feed(bytes); }

  bool next(wire::Frame& frame) override {
    while (frames_.next(frame)) {
      if (frame.exception) return true;
      if (frame.name == "chunk" && unwrap(frame)) return true;
      if (!fault_.empty()) return false;
      // Other types of events are for other models, or new.
    }
    return false;
  }
  bool last(wire::Frame& frame) override { return next(frame); }
  std::string_view fault() const override {
    return fault_.empty() ? frames_.fault() : fault_;
  }
  std::size_t consumed() const override { return frames_.consumed(); }

 private:
  bool unwrap(wire::Frame& frame) {
    const auto root = document_.parse(frame.data);
    const auto bytes =
        root ? decode_base64((*root)["bytes"].string()) : std::nullopt;
    if (!bytes || bytes->empty()) {
      fault_ = "a chunk of the upstream's stream holds no base64 bytes";
      return false;
    }
    event_ = *bytes;
    frame.name = {};
    frame.data = event_;
    return true;
  }

  wire::EventStreamDecoder frames_;
  json::Document document_;
  std::string event_;
  std::string_view fault_;
};

void append_chunk(std::string& out, std::string_view, std::string_view json) {
  std::string payload;
  json::Writer w(payload);
  w.begin_object();
  w.member("bytes", encode_base64(json));
  w.end_object();
  wire::append_event_frame(out, "chunk", payload);
}

}  // namespace

std::unique_ptr<StreamDecoder> new_stream_decoder(const RequestContext&) {
  return claude::new_framed_decoder(std::make_unique<ChunkFramer>());
}

std::unique_ptr<StreamEncoder> new_stream_encoder(
    const RequestContext& context) {
  return claude::new_framed_encoder(context,
                                    {append_chunk, append_aws_exception});
}

}  // namespace llmproxy::bedrock
