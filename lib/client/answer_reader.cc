#include "client/answer_reader.h"

#include <utility>

namespace llmproxy {

AnswerReader::AnswerReader(const Dialect& dialect, RequestContext context,
                           EventSink& sink)
    : dialect_(dialect),
      context_(std::move(context)),
      sink_(sink),
      decoder_(dialect.new_stream_decoder(context_)),
      filter_(context_, *this) {}

void AnswerReader::head(int status, const Headers& headers) {
  status_ = status;
  headers_ = headers;
}

Flow AnswerReader::body(std::string_view bytes) {
  if (ended_) {
    trailing_ += bytes.size();
    return trailing_ > kMaxTrailing ? Flow::stop : Flow::go_on;
  }
  if (!is_success(status_)) {
    error_body_.append(bytes.substr(0, kMaxErrorBody - error_body_.size()));
    return error_body_.size() < kMaxErrorBody ? Flow::go_on : Flow::stop;
  }
  decoder_->feed(bytes, filter_);
  return error_ ? Flow::stop : Flow::go_on;
}

void AnswerReader::done(const Result<void>& result) {
  // The status says more than a broken body behind it.
  if (status_ != 0 && !is_success(status_)) {
    fail(dialect_.decode_error(status_, headers_, error_body_));
  } else if (!result) {
    fail(result.error());
  } else {
    decoder_->finish(filter_);
  }
}

void AnswerReader::fail(const Error& error) {
  StreamEvent event;
  event.kind = EventKind::failed;
  event.error = &error;
  on_event(event);
}

void AnswerReader::on_event(const StreamEvent& event) {
  if (ended_) return;  // what failed behind the last event
  if (event.kind == EventKind::failed) error_ = *event.error;
  ended_ = event.kind == EventKind::failed || event.kind == EventKind::finished;
  sink_.on_event(event);
}

Losses AnswerReader::losses() const {
  Losses all = decoder_->losses();
  all.insert(all.end(), filter_.losses().begin(), filter_.losses().end());
  return all;
}

}  // namespace llmproxy
