#include "chat/stream_reader.h"

#include "json/text.h"

namespace llmproxy {
void SseStreamReader::feed(std::string_view bytes, EventSink& sink) {
  if (closed_) return;
  sse_.feed(bytes);
  wire::SseEvent event;
  while (!closed_ && sse_.next(event)) on_sse(event, sink);
  if (sse_.overflowed()) {
    fail(upstream_malformed("an event of the upstream's stream is too large"),
         sink);
  }
}

void SseStreamReader::finish(EventSink& sink) {
  if (closed_) return;
  wire::SseEvent event;
  // Half an event is what a cut looks like, not a mistake of the upstream.
  if (sse_.last(event) &&
      (on_sentinel(event.data, sink) || json::is_json_object(event.data))) {
    on_sse(event, sink);
  }
  if (closed_ || on_close(sink)) return;
  Error error;
  error.kind = ErrorKind::upstream_truncated;
  error.fault = Fault::upstream;
  error.message = "the upstream's stream ended before the answer was complete";
  fail(error, sink);
}

void SseStreamReader::on_sse(const wire::SseEvent& event, EventSink& sink) {
  if (event.data.empty() || on_sentinel(event.data, sink)) return;
  auto root = document_.parse(event.data);
  if (!root && json::valid_utf8_prefix(event.data) != event.data.size()) {
    // Models do emit broken UTF-8; the rest of the answer is worth having.
    root = document_.parse_owned(json::replace_invalid_utf8(event.data));
  }
  if (!root || !root->is_object()) {
    fail(upstream_malformed(
             "the upstream sent a stream event that is not a JSON object"),
         sink);
    return;
  }
  on_object(event.name, *root, sink);
}

void SseStreamReader::fail(const Error& error, EventSink& sink) {
  if (closed_) return;
  closed_ = true;
  StreamEvent event;
  event.kind = EventKind::failed;
  event.error = &error;
  sink.on_event(event);
}

void SseStreamReader::lose(std::string path, std::string what, LossKind kind) {
  for (const Loss& loss : losses_) {
    if (loss.path == path) return;
  }
  losses_.push_back({std::move(path), std::move(what), kind});
}

}  // namespace llmproxy
