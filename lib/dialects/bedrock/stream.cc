// Amazon Bedrock InvokeModelWithResponseStream: the events of the Messages
// API, each as base64 in a frame of its own.
#include "base/text.h"
#include "dialects/aws_family/errors.h"
#include "dialects/bedrock/tables.h"
#include "wire/event_stream.h"

namespace llmproxy::bedrock {
namespace {

constexpr std::string_view kChunk = "chunk";

/// Frames of an event stream, unwrapped: data is one event of the API.
class ChunkFramer final : public wire::Framer {
 public:
  void feed(std::string_view bytes) override { frames_.feed(bytes); }
  bool next(wire::Frame& frame) override {
    while (fault_.empty() && frames_.next(frame)) {
      const bool whole = frame.exception || unwrap(frame);
      // The message that nobody can read is not taken.
      if (fault_.empty()) consumed_ = frames_.consumed();
      if (whole) return true;
    }
    return false;
  }
  bool last(wire::Frame& frame) override { return next(frame); }
  std::string_view fault() const override {
    return fault_.empty() ? frames_.fault() : fault_;
  }
  std::size_t consumed() const override { return consumed_; }

 private:
  /// False for what is no event of the answer: other types of frames, and
  /// chunks of gateways that hold nothing.
  bool unwrap(wire::Frame& frame) {
    if (frame.name != kChunk) return false;
    const auto root = document_.parse(frame.data, json::kPieceLimits);
    if (!root || !root->is_object()) {
      fault_ = "a chunk of the upstream's stream is not a JSON object";
      return false;
    }
    const json::Value bytes = (*root)["bytes"];
    if (bytes.absent()) return false;
    event_.clear();
    if (!append_decoded_base64(bytes.string(), event_)) {
      fault_ = "a chunk of the upstream's stream is not base64";
      return false;
    }
    frame.name = {};
    frame.data = event_;
    return true;
  }

  wire::EventStreamDecoder frames_;
  json::Document document_;
  std::string event_;
  std::size_t consumed_ = 0;
  std::string_view fault_;
};

void append_chunk(std::string& out, std::string_view, std::string_view event,
                  std::string& scratch) {
  // No writer: nothing of base64 needs an escape.
  scratch = R"({"bytes":")";
  append_base64(event, scratch);
  scratch += R"("})";
  wire::append_event_frame(out, kChunk, scratch);
}

constexpr claude::StreamFraming kFraming = {append_chunk, append_aws_exception,
                                            wire::append_keep_alive_frame};

}  // namespace

std::unique_ptr<StreamDecoder> new_stream_decoder(const RequestContext&) {
  return claude::new_stream_decoder(std::make_unique<ChunkFramer>(),
                                    read_error);
}

std::unique_ptr<StreamEncoder> new_stream_encoder(
    const RequestContext& context) {
  return claude::new_stream_encoder(context, kFraming);
}

}  // namespace llmproxy::bedrock
