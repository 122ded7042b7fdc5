#include "chat/stream_reader.h"

#include "chat/aws_errors.h"
#include "json/text.h"

namespace llmproxy {
void StreamReader::feed(std::string_view bytes, EventSink& sink) {
  if (closed_) return;
  framer_->feed(bytes);
  wire::Frame frame;
  while (!closed_ && framer_->next(frame)) on_frame(frame, sink);
  if (const std::string_view fault = framer_->fault(); !fault.empty()) {
    fail(upstream_malformed(std::string(fault)), sink);
  }
}

void StreamReader::finish(EventSink& sink) {
  if (closed_) return;
  wire::Frame frame;
  // Half an event is what a cut looks like, not a mistake of the upstream.
  if (framer_->last(frame) &&
      (on_sentinel(frame.data, sink) || json::is_json_object(frame.data))) {
    on_frame(frame, sink);
  }
  if (closed_ || on_close(sink)) return;
  Error error;
  error.kind = ErrorKind::upstream_truncated;
  error.fault = Fault::upstream;
  error.message = "the upstream's stream ended before the answer was complete";
  fail(error, sink);
}

void StreamReader::on_frame(const wire::Frame& frame, EventSink& sink) {
  if (frame.exception) {
    return fail(read_aws_exception(frame.name, frame.data), sink);
  }
  if (frame.data.empty() || on_sentinel(frame.data, sink)) return;
  auto root = document_.parse(frame.data);
  if (!root && json::valid_utf8_prefix(frame.data) != frame.data.size()) {
    // Models do emit broken UTF-8; the rest of the answer is worth having.
    root = document_.parse_owned(json::replace_invalid_utf8(frame.data));
  }
  if (!root || !root->is_object()) {
    fail(upstream_malformed(
             "the upstream sent a stream event that is not a JSON object"),
         sink);
    return;
  }
  on_object(frame.name, *root, sink);
}

void StreamReader::fail(const Error& error, EventSink& sink) {
  if (closed_) return;
  closed_ = true;
  StreamEvent event;
  event.kind = EventKind::failed;
  event.error = &error;
  sink.on_event(event);
}

void StreamReader::lose(std::string path, std::string what, LossKind kind) {
  for (const Loss& loss : losses_) {
    if (loss.path == path) return;
  }
  losses_.push_back({std::move(path), std::move(what), kind});
}

}  // namespace llmproxy
