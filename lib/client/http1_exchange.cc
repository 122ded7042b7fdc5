#include "client/http1_exchange.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "client/http1_request.h"
#include "client/sigpipe.h"
#include "client/transfer_error.h"
#include "llmproxy/waiting.h"

namespace llmproxy {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// A record of TLS comes whole in it. Bytes.
constexpr std::size_t kBuffer = std::size_t{16} << 10;
/// What is sent or unpacked before others have their turn. Bytes.
constexpr std::size_t kAtOnce = std::size_t{256} << 10;
constexpr int kReadsAtOnce = 4;
/// Small bodies leave with the head, in one packet. Bytes.
constexpr std::size_t kWithHead = std::size_t{16} << 10;
constexpr std::size_t kPiece = std::size_t{64} << 10;

constexpr std::string_view kContentEncoding = "content-encoding";
constexpr std::string_view kNotPacked =
    "its body is not complete data of its content-encoding";

Http1Answer::Asked asked_by(const UpstreamRequest& request) {
  return request.method == "HEAD" ? Http1Answer::Asked::head_only
                                  : Http1Answer::Asked::whole;
}

/// The request does not tell the upstream to close.
bool asks_to_keep(const UpstreamRequest& request) {
  return !same_header_name(find_header(request.headers, "connection"), "close");
}

/// The codes that transfer_error() knows such faults by.
CURLcode code_of(Http1Answer::Fault fault) {
  using Fault = Http1Answer::Fault;
  switch (fault) {
    case Fault::none:
      return CURLE_OK;
    case Fault::no_http:
      return CURLE_UNSUPPORTED_PROTOCOL;
    case Fault::malformed_head:
    case Fault::oversized_heads:
      return CURLE_WEIRD_SERVER_REPLY;
    case Fault::malformed_chunk:
      return CURLE_RECV_ERROR;
    case Fault::nothing:
      return CURLE_GOT_NOTHING;
    case Fault::cut:
      return CURLE_PARTIAL_FILE;
  }
  return CURLE_RECV_ERROR;
}

std::string detail_of(const Http1Answer& answer) {
  using Fault = Http1Answer::Fault;
  switch (answer.fault()) {
    case Fault::no_http:
      return "what it sent is not HTTP";
    case Fault::malformed_chunk:
      return "its chunked framing is broken";
    case Fault::nothing:
      return "it sent nothing";
    case Fault::cut:
      return answer.missing() == 0
                 ? std::string("its answer was not complete")
                 : fmt::format("{} bytes of its answer were missing",
                               answer.missing());
    default:
      return std::string(answer.fault_text());
  }
}

}  // namespace

Http1Exchange::Http1Exchange(CurlConnection& connection,
                             const UpstreamRequest& request,
                             CurlTransfer& transfer, const Cancelled& cancelled)
    : connection_(connection),
      request_(request),
      transfer_(transfer),
      cancelled_(cancelled),
      buffer_(new char[kBuffer]),
      ask_next_(Clock::now() + kAskInterval) {}

void Http1Exchange::run(milliseconds max_idle) {
  std::optional<SigpipeGuard> guard;
  if (transfer_.origin().tls) guard.emplace();
  const Ended ended = try_all(max_idle);
  const bool kept = max_idle.count() > 0 && asks_to_keep(request_) && answer_ &&
                    answer_->keeps_connection() && all_sent();
  if (kept) {
    connection_.keep(Clock::now());
  } else {
    connection_.close();
  }
  guard.reset();
  if (!ended) return transfer_.finish(ended.error());
  transfer_.finish(*ended, detail_.empty() ? connection_.handle().detail()
                                           : std::string_view(detail_));
}

Http1Exchange::Ended Http1Exchange::try_all(milliseconds max_idle) {
  EasyHandle& handle = connection_.handle();
  const Http1Target* target = handle.target_of(request_.url);
  if (target == nullptr) return CURLE_URL_MALFORMAT;
  LLMPROXY_TRY(write_http1_head(request_, *target, handle.agent(), head_));
  if (!request_.large_body && request_.body.size() <= kWithHead) {
    head_ += request_.body;
  }
  if (std::optional<Ended> ended = try_once(max_idle)) return *std::move(ended);
  // On a new connection it cannot be nothing.
  return try_once(milliseconds(0)).value_or(CURLE_GOT_NOTHING);
}

std::optional<Http1Exchange::Ended> Http1Exchange::try_once(
    milliseconds max_idle) {
  kept_ = connection_.usable(Clock::now(), max_idle);
  if (!kept_) {
    Ended opened = connection_.open(request_, transfer_, cancelled_);
    if (!opened || *opened != CURLE_OK) return opened;
  }
  transfer_.clock().connected(Clock::now());
  const Ended ended = transfer_all();
  const bool dropped =
      kept_ && !answer_->begun() && ended && *ended != CURLE_OK;
  if (!dropped || unreadable_) return ended;
  if (is_repeatable(request_)) return std::nullopt;
  // A model call would be paid for twice (RFC 9110 9.2.2).
  detail_ = "a kept connection was closed before the answer";
  return CURLE_GOT_NOTHING;
}

Http1Exchange::Ended Http1Exchange::transfer_all() {
  answer_.emplace(asked_by(request_));
  to_send_ = head_;
  body_ = request_.body;
  // Then it stands behind the head, or there is a large one in its place.
  if (body_.size() <= kWithHead || request_.large_body) body_ = {};
  read_ = 0;
  send_failed_ = false;
  more_to_read_ = false;
  detail_.clear();
  for (;;) {
    send_some();
    if (unreadable_) return CURLE_READ_ERROR;  // transfer_ knows more
    wait();
    if (std::optional<Ended> ended = receive_some()) return *std::move(ended);
    if (std::optional<Ended> ended = check_time(Clock::now())) {
      return *std::move(ended);
    }
  }
}

void Http1Exchange::wait() {
  const bool more = !all_sent() && !send_failed_;
  const auto events = static_cast<short>(more ? POLLIN | POLLOUT : POLLIN);
  if (more_to_read_) return connection_.wait(events, Clock::now());
  Time until = transfer_.clock().next_check(Clock::now());
  if (cancelled_) until = std::min(until, ask_next_);
  connection_.wait(events, until);
}

std::optional<Http1Exchange::Ended> Http1Exchange::check_time(Time now) {
  if (cancelled_ && now >= ask_next_) {
    if (cancelled_()) return cancelled_error();
    ask_next_ = now + kAskInterval;
  }
  if (const auto passed = transfer_.clock().passed(now)) {
    return deadline_error(*passed, transfer_.origin());
  }
  return std::nullopt;
}

// --- Sending ---------------------------------------------------------------

std::uint64_t Http1Exchange::large_size() const {
  return request_.large_body ? request_.large_body->size() : 0;
}

/// False when nothing is left, or it cannot be read.
bool Http1Exchange::next_piece() {
  if (!body_.empty()) {
    to_send_ = std::exchange(body_, {});
    return true;
  }
  if (read_ == large_size()) return false;
  if (!piece_) piece_.reset(new char[kPiece]);
  const std::size_t size = static_cast<std::size_t>(
      std::min<std::uint64_t>(kPiece, large_size() - read_));
  const std::size_t got = request_.large_body->read(read_, piece_.get(), size);
  if (got == 0) {
    transfer_.stop(internal_error("the request's body could not be read"));
    unreadable_ = true;
    return false;
  }
  read_ += got;
  to_send_ = {piece_.get(), got};
  return true;
}

// An upstream may refuse a request that it has not read, and close: what it
// said is worth more than that sending failed.
void Http1Exchange::send_some() {
  std::size_t budget = kAtOnce;
  while (!send_failed_ && budget > 0 && (!to_send_.empty() || next_piece())) {
    // OpenSSL says what it has sent when that is all it was given.
    std::string_view piece = to_send_.substr(0, kPiece);
    const std::size_t size = piece.size();
    const CURLcode code = connection_.send(piece);
    if (code == CURLE_AGAIN) return;
    if (code != CURLE_OK) {
      send_failed_ = true;
      return;
    }
    const std::size_t sent = size - piece.size();
    to_send_.remove_prefix(sent);
    budget -= std::min(budget, sent);
    transfer_.clock().sent(Clock::now());
  }
}

// --- Receiving -------------------------------------------------------------

std::optional<Http1Exchange::Ended> Http1Exchange::receive_some() {
  more_to_read_ = false;
  for (int i = 0; i < kReadsAtOnce; ++i) {
    std::string_view bytes;
    const CURLcode code = connection_.receive(buffer_.get(), kBuffer, bytes);
    if (code == CURLE_AGAIN) return std::nullopt;
    if (code != CURLE_OK) return code;
    if (std::optional<Ended> ended = received(bytes)) return ended;
    if (bytes.size() < kBuffer && !transfer_.origin().tls) return std::nullopt;
  }
  more_to_read_ = true;
  return std::nullopt;
}

std::optional<Http1Exchange::Ended> Http1Exchange::received(
    std::string_view bytes) {
  using State = Http1Answer::State;
  // Sending has taken the word of a reset from the socket: it looks like an end
  // in order.
  if (bytes.empty() && send_failed_ && answer_->begun()) {
    return CURLE_PARTIAL_FILE;
  }
  const State state =
      bytes.empty() ? answer_->closed() : answer_->feed(bytes, *this);
  // The handler may have taken its time: that was not the upstream's.
  transfer_.clock().heard(Clock::now());
  switch (state) {
    case State::head:
    case State::body:
      return std::nullopt;
    case State::done:
      return end_of_body();
    case State::stopped:
      return CURLE_ABORTED_BY_CALLBACK;  // transfer_ knows why
    case State::broken:
      break;
  }
  if (answer_->fault() == Http1Answer::Fault::oversized_heads) {
    return oversized_head_error(transfer_.origin());
  }
  detail_ = detail_of(*answer_);
  return code_of(answer_->fault());
}

bool Http1Exchange::on_head(int status, Headers headers) {
  packed_ = request_.unpack && !find_header(headers, kContentEncoding).empty();
  return transfer_.take_head(status, std::move(headers));
}

bool Http1Exchange::on_body(std::string_view bytes) {
  if (!packed_) return transfer_.take_body(bytes);
  if (!unpacker_ && !make_unpacker_of_answer()) return false;
  if (!unpacker_) return transfer_.take_body(bytes);
  std::size_t unpacked = 0;
  const Unpacker::State state =
      unpacker_->feed(bytes, [&](std::string_view piece) {
        unpacked += piece.size();
        // Little may become much: others have their turn meanwhile.
        if (unpacked > kAtOnce) {
          wait_for({}, Clock::now());
          unpacked = 0;
        }
        return transfer_.take_body(piece);
      });
  if (state == Unpacker::State::broken) return not_unpacked(kNotPacked);
  return state != Unpacker::State::stopped;
}

bool Http1Exchange::make_unpacker_of_answer() {
  Result<std::unique_ptr<AnswerUnpacker>> made =
      AnswerUnpacker::create(transfer_.headers());
  if (!made) return not_unpacked(made.error().message);
  unpacker_ = *std::move(made);
  packed_ = unpacker_ != nullptr;
  return true;
}

bool Http1Exchange::not_unpacked(std::string_view why) {
  transfer_.stop(transfer_error(CURLE_BAD_CONTENT_ENCODING, why, 0,
                                transfer_.origin(), true));
  return false;
}

Http1Exchange::Ended Http1Exchange::end_of_body() {
  if (unpacker_ && !unpacker_->whole()) not_unpacked(kNotPacked);
  return CURLE_OK;
}

}  // namespace llmproxy
