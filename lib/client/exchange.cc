#include "client/exchange.h"

#include <charconv>
#include <chrono>
#include <string>
#include <utility>

#include "client/transfer_error.h"

namespace llmproxy {
namespace {

DeadlineClock::Time now() { return std::chrono::steady_clock::now(); }

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

/// "HTTP/1.1 200 OK" -> 200; 0 when there is no number.
int status_of(std::string_view line) {
  int status = 0;
  const std::size_t space = line.find(' ');
  if (space == line.npos) return 0;
  std::from_chars(line.data() + space + 1, line.data() + line.size(), status);
  return status;
}

}  // namespace

Exchange::Exchange(ResponseHandler& handler, Origin origin,
                   const Deadlines& limits, Pausing pausing)
    : handler_(handler),
      origin_(std::move(origin)),
      clock_(limits, now()),
      pausing_(pausing) {}

void Exchange::attach(CURL* easy, Sending sending) {
  easy_ = easy;
  sending_ = sending;
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, &Exchange::on_prereq);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, this);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &Exchange::on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Exchange::on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
}

int Exchange::on_prereq(void* self, char*, char*, int, int) noexcept {
  const bool go_on = static_cast<Exchange*>(self)->may_send();
  return go_on ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

// Asked before each sending. libcurl repeats a request by itself when a kept
// connection closes before the answer; a model call would be paid for twice
// (RFC 9110 9.2.2).
bool Exchange::may_send() {
  if (sent_ && sending_ == once) {
    stopped_ = transfer_error(CURLE_GOT_NOTHING,
                              "a kept connection was closed before the answer",
                              0, origin_);
    return false;
  }
  sent_ = true;
  clock_.connected(now());
  return true;
}

size_t Exchange::on_header(char* data, size_t size, size_t count,
                           void* self) noexcept {
  static_cast<Exchange*>(self)->header_line({data, size * count});
  return size * count;
}

size_t Exchange::on_body(char* data, size_t size, size_t count,
                         void* self) noexcept {
  return static_cast<Exchange*>(self)->body({data, size * count});
}

void Exchange::header_line(std::string_view line) {
  clock_.heard(now());
  if (head_done_) return;  // a trailer
  if (line.starts_with("HTTP/")) {
    // A new head: the one before was interim (100, 103).
    status_ = status_of(line);
    headers_.clear();
    return;
  }
  const std::string_view text = trim(line);
  if (text.empty()) {
    if (status_ >= 100 && status_ < 200) return;
    head_done_ = true;
    handler_.on_head(status_, headers_);
    return;
  }
  const std::size_t colon = text.find(':');
  if (colon == text.npos) return;
  headers_.push_back({std::string(trim(text.substr(0, colon))),
                      std::string(trim(text.substr(colon + 1)))});
}

size_t Exchange::body(std::string_view bytes) {
  // libcurl can hand over what it had in hand already; it keeps it instead.
  if (paused_) return CURL_WRITEFUNC_PAUSE;
  clock_.heard(now());
  if (body_ != nullptr) let_go_of_body();
  switch (handler_.on_body(bytes)) {
    case Flow::go_on:
      return bytes.size();
    case Flow::stop:
      stopped_ = cancelled_error();
      return CURL_WRITEFUNC_ERROR;
    case Flow::pause:
      break;
  }
  if (pausing_ == may_not_pause) {
    stopped_ = internal_error("a handler of perform() may not pause");
    return CURL_WRITEFUNC_ERROR;
  }
  // Not by returning CURL_WRITEFUNC_PAUSE: that would mean "not taken".
  paused_ = true;
  clock_.pause();
  curl_easy_pause(easy_, CURLPAUSE_RECV);
  return bytes.size();
}

// libcurl looks at the body again only to repeat the request, which it cannot
// once an answer has begun.
void Exchange::let_go_of_body() {
  curl_off_t sent = 0;
  curl_easy_getinfo(easy_, CURLINFO_SIZE_UPLOAD_T, &sent);
  if (static_cast<std::size_t>(sent) != body_->size()) return;
  std::string().swap(*body_);
  body_ = nullptr;
}

CURLcode Exchange::resume() {
  if (!paused_) return CURLE_OK;
  paused_ = false;
  clock_.resume(now());
  return curl_easy_pause(easy_, CURLPAUSE_CONT);
}

void Exchange::finish(Error error) {
  handler_.on_done(Result<void>(std::move(error)));
}

void Exchange::finish(CURLcode code, std::string_view detail) {
  if (stopped_) return finish(std::move(*stopped_));
  if (code == CURLE_OK) return handler_.on_done(Result<void>());
  // Only the connect deadline is also given to libcurl, which needs it to
  // share the time between several addresses.
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return finish(deadline_error(clock_.connect_limit(), origin_));
  }
  long os_error = 0;
  curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &os_error);
  finish(transfer_error(code, detail, os_error, origin_));
}

}  // namespace llmproxy
