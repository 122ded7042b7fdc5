#include "chat/stream_reader.h"

#include <algorithm>
#include <utility>

#include "base/bounded.h"
#include "base/text.h"
#include "chat/answer_end.h"
#include "chat/extensions.h"
#include "chat/field_path.h"
#include "chat/losses.h"
#include "chat/sealed_reasoning.h"
#include "chat/stream_parts.h"
#include "chat/take_replay.h"
#include "json/text.h"

namespace llmproxy {
/// Counts the parts that pass.
class StreamReader::Counted final : public EventSink {
 public:
  Counted(EventSink& next, std::size_t& parts) : next_(next), parts_(parts) {}
  void on_event(const StreamEvent& event) override {
    if (event.kind == EventKind::part_started) ++parts_;
    next_.on_event(event);
  }

 private:
  EventSink& next_;
  std::size_t& parts_;
};

void StreamReader::feed(std::string_view bytes, EventSink& sink) {
  if (closed_) return;
  gate_.lead_to(sink);
  framer_->feed(bytes);
  wire::Frame frame;
  Counted counted(gate_, parts_);
  while (!closed_ && framer_->next(frame)) {
    consumed_ = framer_->consumed();
    on_frame(frame, counted);
    if (crowded(0, gate_)) return;
  }
  // What is no event was not read.
  if (!unreadable_) consumed_ = framer_->consumed();
  if (const std::string_view fault = framer_->fault(); !fault.empty()) {
    fail_unread(upstream_malformed(std::string(fault)), gate_);
  }
}

void StreamReader::finish(EventSink& sink) {
  if (closed_) return;
  gate_.lead_to(sink);
  wire::Frame frame;
  if (framer_->last(frame)) on_last_frame(frame);
  if (closed_ || on_close(gate_)) return;
  Error error;
  error.kind = ErrorKind::upstream_truncated;
  error.fault = Fault::upstream;
  error.message = "the upstream's stream ended before the answer was complete";
  fail(error, gate_);
}

/// What lacks only its end mark counts. Half an event is what a cut looks
/// like, not a mistake of the upstream.
void StreamReader::on_last_frame(const wire::Frame& frame) {
  const bool object = json::is_json_object(frame.data);
  if (object) {
    on_frame(frame, gate_);
  } else if (!on_sentinel(frame.data, gate_)) {
    return;
  }
  consumed_ = framer_->consumed();
}

Result<json::Value> StreamReader::parse(std::string_view data) {
  Result<json::Value> root = document_.parse_view(data, json::kPieceLimits);
  if (root || json::valid_utf8_prefix(data) == data.size()) return root;
  // Models do emit broken UTF-8; the rest of the answer is worth having.
  return document_.parse_owned(json::replace_invalid_utf8(data),
                               json::kPieceLimits);
}

void StreamReader::on_frame(const wire::Frame& frame, EventSink& sink) {
  if (frame.exception && read_exception_ != nullptr) {
    return fail(read_exception_(frame.name, frame.data), sink);
  }
  if (frame.data.empty() || on_sentinel(frame.data, sink)) return;
  const Result<json::Value> root = parse(frame.data);
  if (!root && root.error().kind == ErrorKind::request_too_large) {
    return fail(upstream_malformed("an event of the upstream's stream cannot "
                                   "be read: " +
                                   root.error().message),
                sink);
  }
  if (!root || !root->is_object()) {
    consumed_ = frame.begin;
    return fail_unread(
        upstream_malformed(
            "the upstream sent a stream event that is not a JSON object"),
        sink);
  }
  on_object(frame.name, *root, sink);
  if (gate_.dropped_call()) lose("/tool_calls", std::string(kNamelessCall));
}

bool StreamReader::on_sentinel(std::string_view data, EventSink&) {
  return data == "[DONE]";
}

void StreamReader::fail_unread(const Error& error, EventSink& sink) {
  if (closed_) return;
  unreadable_ = true;
  fail(error, sink);
}

void StreamReader::fail(const Error& error, EventSink& sink) {
  if (closed_) return;
  closed_ = true;
  StreamEvent event;
  event.kind = EventKind::failed;
  event.error = &error;
  sink.on_event(event);
}

bool StreamReader::crowded(std::size_t waiting, EventSink& sink) {
  constexpr std::size_t kMost = 4000;
  if (closed_ || parts_ + waiting <= kMost) return false;
  fail(upstream_malformed("the upstream's answer has too many parts"), sink);
  return true;
}

void StreamReader::lose(std::string path, std::string what, LossKind kind) {
  // More are the same fault over and over, and nobody would read them.
  constexpr std::size_t kMost = 100;
  if (losses_.size() == kMost) return;
  if (is_told(path)) return;
  add_loss(losses_, {std::move(path), std::move(what), kind});
}

bool StreamReader::is_told(std::string_view path) const {
  return std::any_of(losses_.begin(), losses_.end(),
                     [path](const Loss& loss) { return loss.path == path; });
}

void StreamReader::lose_thing(std::string path, std::string_view thing) {
  Losses told;
  llmproxy::lose(told, std::move(path), kCanonicalForm, thing);
  lose(std::move(told.front().path), std::move(told.front().what));
}

void StreamReader::lose_others(std::string_view path,
                               const Extensions& others) {
  for (const Extension& other : others) lose_other(path, other.name);
}

void StreamReader::lose_others(std::string_view path, json::Value object,
                               std::span<const std::string_view> known) {
  for (const json::Value member : object.children()) {
    if (listed(known, member.key()) || says_nothing(member.raw())) continue;
    lose_other(path, member.key());
  }
}

void StreamReader::lose_other(std::string_view path, std::string_view name) {
  std::string place = field_path(path, name);
  if (is_told(place)) return;
  lose_thing(std::move(place), "a field that only one API has");
}

void StreamReader::send_started(StreamEvent event, EventSink& sink) {
  if (started_) return;
  started_ = true;
  event.kind = EventKind::started;
  sink.on_event(event);
}

void StreamReader::send_begin(const ReadPart& part, StreamEvent event,
                              EventSink& sink) {
  event.kind = EventKind::part_started;
  event.part_kind = part.kind;
  event.part = part.number;
  sink.on_event(event);
}

void StreamReader::send_text(const ReadPart& part, std::string_view text,
                             EventSink& sink) {
  if (text.empty()) return;
  StreamEvent event = part_event(EventKind::part_delta, part.kind, part.number);
  event.text = text;
  sink.on_event(event);
}

void StreamReader::send_signature(const ReadPart& part,
                                  std::string_view signature,
                                  ReasoningIssuer issuer, EventSink& sink) {
  StreamEvent event = part_event(EventKind::part_delta, part.kind, part.number);
  event.signature = signature;
  event.issuer = issuer;
  sink.on_event(event);
}

void StreamReader::send_unsealed(const ReadPart& part,
                                 std::string_view signature,
                                 ReasoningIssuer issuer, EventSink& sink) {
  if (signature.empty()) return;
  const std::optional<ThinkingPart> foreign = unseal(signature);
  send_signature(part, foreign ? foreign->signature : signature,
                 foreign ? foreign->issuer : issuer, sink);
}

void StreamReader::send_citation(const ReadPart& part,
                                 std::string_view citation, EventSink& sink) {
  if (citation.empty()) return;
  StreamEvent event = part_event(EventKind::part_delta, part.kind, part.number);
  event.citation = citation;
  sink.on_event(event);
}

void StreamReader::send_end(const ReadPart& part, EventSink& sink) {
  sink.on_event(part_event(EventKind::part_ended, part.kind, part.number));
}

void StreamReader::open_part(PartKind kind, std::string_view id,
                             EventSink& sink) {
  close_part(sink);
  open_ = number_part(kind);
  send_begin(open_, {.id = id}, sink);
}

void StreamReader::close_part(EventSink& sink) {
  if (open_.begun()) send_end(std::exchange(open_, {}), sink);
}

void StreamReader::send_whole(const ContentPart& part, EventSink& sink) {
  lose_others("/content", part.extensions);
  replay_part(part, next_part_++, sink);
}

void StreamReader::send_usage(const Usage& usage, EventSink& sink) {
  StreamEvent event;
  event.kind = EventKind::usage;
  event.usage = &usage;
  sink.on_event(event);
}

void StreamReader::send_ping(EventSink& sink) { sink.on_event(StreamEvent{}); }

void StreamReader::send_finished(StreamEvent event, EventSink& sink) {
  event.kind = EventKind::finished;
  closed_ = true;
  sink.on_event(event);
}

}  // namespace llmproxy
