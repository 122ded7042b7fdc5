// Sending and noting.
#include "gateway/answer.h"

#include <utility>

#include "gateway/headers.h"
#include "gateway/log_text.h"

namespace llmproxy::gateway {
namespace {

constexpr int kClientGone = 499;  // nginx's word for it in logs

}  // namespace

void Answer::start(int status, Headers headers) {
  record_.status = status;
  headers.push_back({std::string(kRequestIdHeader), record_.request_id});
  headers.insert(headers.end(), always_.begin(), always_.end());
  if (hooks_.interceptor != nullptr) {
    hooks_.interceptor->on_answer(record_, status, headers);
  }
  sink_.start(status, headers);
}

Written Answer::write(std::string_view bytes) {
  if (!record_.first_byte) {
    record_.first_byte = std::chrono::duration_cast<std::chrono::microseconds>(
        Clock::now() - begin_);
    if (hooks_.observer != nullptr) hooks_.observer->on_first_byte(record_);
  }
  return sink_.write(bytes);
}

void Answer::send(int status, Headers headers, std::string_view body) {
  headers.push_back({"content-length", std::to_string(body.size())});
  start(status, std::move(headers));
  if (!body.empty()) write(body);
  finish();
}

void Answer::send_json(int status, Headers headers, std::string_view body) {
  headers.push_back({"content-type", "application/json"});
  send(status, std::move(headers), body);
}

void Answer::send_error(const Dialect& dialect, const Error& error,
                        Headers headers) {
  note(error);
  Error named = error;
  if (named.request_id.empty()) named.request_id = record_.request_id;
  const TranslatedError written = write_error(dialect, named);
  if (find_header(headers, kRetryAfter).empty() &&
      is_header_value(error.retry_after)) {
    headers.push_back({std::string(kRetryAfter), error.retry_after});
  }
  add_request_id(dialect, record_.request_id, headers);
  send_json(written.status, std::move(headers), written.body);
}

void Answer::note(const Error& error) {
  record_.outcome = to_string(error.kind);
  record_.error = log_text(error);
}

void Answer::note_client_gone() {
  record_.status = kClientGone;
  record_.outcome = to_string(ErrorKind::cancelled);
  record_.error = "the client left";
}

}  // namespace llmproxy::gateway
