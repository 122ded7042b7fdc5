#include "client/curl_transfer.h"

#include <charconv>
#include <chrono>
#include <string>
#include <utility>

#include "base/text.h"
#include "client/caught.h"
#include "client/transfer_error.h"

namespace llmproxy {
namespace {

DeadlineClock::Time now() { return std::chrono::steady_clock::now(); }

/// All heads of an answer together, interim ones included, and its trailer.
/// APIs send one or two thousand. Bytes.
constexpr std::size_t kMaxHeaders = std::size_t{128} << 10;

constexpr std::string_view kBlanks = " \t\r\n";

/// "HTTP/1.1 200 OK" -> 200; 0 when there is no number.
int status_of(std::string_view line) {
  int status = 0;
  const std::size_t space = line.find(' ');
  if (space == line.npos) return 0;
  std::from_chars(line.data() + space + 1, line.data() + line.size(), status);
  return status;
}

}  // namespace

CurlTransfer::CurlTransfer(ResponseHandler& handler, Origin origin,
                           const Deadlines& limits, Pausing pausing)
    : handler_(handler),
      origin_(std::move(origin)),
      clock_(limits, now()),
      pausing_(pausing) {}

void CurlTransfer::attach(CURL* easy, Sending sending) {
  easy_ = easy;
  sending_ = sending;
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, &CurlTransfer::on_prereq);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, this);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &CurlTransfer::on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &CurlTransfer::on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
}

int CurlTransfer::on_prereq(void* self, char*, char*, int, int) noexcept {
  const bool go_on = static_cast<CurlTransfer*>(self)->may_send();
  return go_on ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

// Asked before each sending. libcurl repeats a request by itself when a kept
// connection closes before the answer; a model call would be paid for twice
// (RFC 9110 9.2.2).
bool CurlTransfer::may_send() {
  if (sent_ && sending_ == once) {
    stopped_ = transfer_error(CURLE_GOT_NOTHING,
                              "a kept connection was closed before the answer",
                              0, origin_, true);
    return false;
  }
  sent_ = true;
  clock_.connected(now());
  return true;
}

size_t CurlTransfer::on_header(char* data, size_t size, size_t count,
                               void* self) noexcept {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  const std::string_view line(data, size * count);
  if (!transfer.count_header(line)) return 0;
  transfer.header_line(line);
  return transfer.stopped_ ? 0 : line.size();
}

size_t CurlTransfer::on_body(char* data, size_t size, size_t count,
                             void* self) noexcept {
  return static_cast<CurlTransfer*>(self)->body({data, size * count});
}

bool CurlTransfer::count_header(std::string_view line) {
  header_bytes_ += line.size();
  if (header_bytes_ <= kMaxHeaders) return true;
  stopped_ = oversized_head_error(origin_);
  return false;
}

bool CurlTransfer::keeps_connection() const {
  if (!head_done_ || http10_) return false;
  const std::string_view said = find_header(headers_, "connection");
  return !same_header_name(said, "close");
}

// The clock is asked at both ends of a head, not for each of its lines: they
// mostly come together.
void CurlTransfer::header_line(std::string_view line) {
  if (head_done_) return clock_.heard(now());  // a trailer
  if (line.starts_with("HTTP/")) {
    clock_.heard(now());
    // A new head: the one before was interim (100, 103).
    status_ = status_of(line);
    http10_ = line.starts_with("HTTP/1.0");
    headers_.clear();
    return;
  }
  const std::string_view text = trimmed(line, kBlanks);
  if (text.empty()) {
    clock_.heard(now());
    if (status_ < 100 || status_ >= 200) tell_head();
    return;
  }
  const std::size_t colon = text.find(':');
  if (colon == text.npos) return;
  Header& header = headers_.emplace_back();
  header.name = trimmed(text.substr(0, colon), kBlanks);
  header.value = trimmed(text.substr(colon + 1), kBlanks);
}

bool CurlTransfer::tell_head() {
  head_done_ = true;
  // Beside a transfer coding a length says nothing (RFC 9112, section 6.3),
  // and whoever passes it on cuts the body to it.
  if (!find_header(headers_, "transfer-encoding").empty()) {
    std::erase_if(headers_, [](const Header& header) {
      return same_header_name(header.name, "content-length");
    });
  }
  stopped_ = caught(kHandler, [this] { handler_.on_head(status_, headers_); });
  return !stopped_;
}

std::optional<Flow> CurlTransfer::tell_body(std::string_view bytes) {
  Flow flow = Flow::stop;
  stopped_ = caught(kHandler, [&] { flow = handler_.on_body(bytes); });
  if (!stopped_ && flow == Flow::stop) stopped_ = cancelled_error();
  if (!stopped_ && flow == Flow::pause && pausing_ == may_not_pause) {
    stopped_ = internal_error("a handler of perform() may not pause");
  }
  return stopped_ ? std::nullopt : std::optional(flow);
}

bool CurlTransfer::take_head(int status, Headers headers) {
  status_ = status;
  headers_ = std::move(headers);
  return tell_head();
}

bool CurlTransfer::take_body(std::string_view bytes) {
  return tell_body(bytes).has_value();
}

size_t CurlTransfer::body(std::string_view bytes) {
  // libcurl can hand over what it had in hand already; it keeps it instead.
  if (paused_) return CURL_WRITEFUNC_PAUSE;
  clock_.heard(now());
  if (body_ != nullptr) let_go_of_body();
  const std::optional<Flow> flow = tell_body(bytes);
  if (!flow) return CURL_WRITEFUNC_ERROR;
  if (*flow == Flow::go_on) return bytes.size();
  // Not by returning CURL_WRITEFUNC_PAUSE: that would mean "not taken".
  paused_ = true;
  clock_.pause();
  curl_easy_pause(easy_, CURLPAUSE_RECV);
  return bytes.size();
}

// libcurl looks at the body again only to repeat the request, which it cannot
// once an answer has begun.
void CurlTransfer::let_go_of_body() {
  curl_off_t sent = 0;
  curl_easy_getinfo(easy_, CURLINFO_SIZE_UPLOAD_T, &sent);
  if (static_cast<std::size_t>(sent) != body_->size()) return;
  std::string().swap(*body_);
  body_ = nullptr;
}

void CurlTransfer::sent_more() { clock_.sent(now()); }

CURLcode CurlTransfer::resume() {
  if (!paused_) return CURLE_OK;
  paused_ = false;
  clock_.resume(now());
  return curl_easy_pause(easy_, CURLPAUSE_CONT);
}

void CurlTransfer::finish(Error error) {
  tell_done(handler_, std::move(error));
}

void CurlTransfer::finish(CURLcode code, std::string_view detail) {
  if (stopped_) return finish(std::move(*stopped_));
  if (code == CURLE_OK) return tell_done(handler_, {});
  // Only the connect deadline is also given to libcurl, which needs it to
  // share the time between several addresses.
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return finish(deadline_error(clock_.connect_limit(), origin_));
  }
  // libcurl's word for a header line of more than 100 KB.
  if (code == CURLE_OUT_OF_MEMORY && sent_ && !head_done_) {
    return finish(oversized_head_error(origin_));
  }
  long os_error = 0;
  curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &os_error);
  finish(transfer_error(code, detail, os_error, origin_, head_done_));
}

}  // namespace llmproxy
