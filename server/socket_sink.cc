// Reference: RFC 9112 (HTTP/1.1 framing), RFC 9110 (fields, status codes).
#include "server/socket_sink.h"

#include <fmt/format.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <iterator>
#include <utility>

#include "llmproxy/waiting.h"
#include "server/fiber_loop.h"

namespace llmproxy {
namespace {

using Clock = std::chrono::steady_clock;

/// How long a client that ended its side is waited for, though it cannot be
/// told whether it is still there.
constexpr std::chrono::minutes kHalfClosed{10};

struct Reason {
  int status;
  std::string_view text;
};

// RFC 9110, section 15; 529 is Anthropic's. Statuses without a row are sent
// without a reason, which is allowed.
constexpr Reason kReasons[] = {
    {200, "OK"},
    {204, "No Content"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {422, "Unprocessable Content"},
    {426, "Upgrade Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {529, "Overloaded"},
};

std::string_view reason(int status) {
  const auto* row = std::find_if(
      std::begin(kReasons), std::end(kReasons),
      [&](const Reason& candidate) { return candidate.status == status; });
  return row == std::end(kReasons) ? std::string_view() : row->text;
}

// Framing and connection headers are this class's own business.
constexpr std::string_view kOwnHeaders[] = {"connection", "keep-alive",
                                            "transfer-encoding"};

bool is_own_header(std::string_view name) {
  return std::any_of(
      std::begin(kOwnHeaders), std::end(kOwnHeaders),
      [&](std::string_view own) { return same_header_name(name, own); });
}

// A value may come from an upstream: a line break in it must not start a
// header of its own.
void append_value(std::string& out, std::string_view value) {
  const auto start = static_cast<std::ptrdiff_t>(out.size());
  out += value;
  std::replace_if(
      out.begin() + start, out.end(),
      [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
}

/// How often the kernel is asked whether all has arrived.
constexpr std::chrono::milliseconds kAcknowledged{2};

/// Bytes that the kernel holds for the client. Buffers of megabytes are not
/// rare: what they took the client need not have.
std::uint64_t unacknowledged(int socket) {
  int bytes = 0;
  if (::ioctl(socket, SIOCOUTQ, &bytes) != 0) return 0;
  return static_cast<std::uint64_t>(std::max(bytes, 0));
}

bool status_has_body(int status) {
  return status >= 200 && status != 204 && status != 304;
}

}  // namespace

SocketSink::SocketSink(int socket, const Options& options)
    : socket_(socket), options_(options), keep_alive_(options.keep_alive) {}

void SocketSink::start(int status, const Headers& headers) {
  std::lock_guard lock(mutex_);
  if (state_ != State::fresh) return;
  state_ = State::started;
  status_has_body_ = status_has_body(status);
  has_body_ = status_has_body_ && !options_.head_only;
  head_ = fmt::format("HTTP/1.{} {} {}\r\n", options_.http10 ? 0 : 1, status,
                      reason(status));
  for (const Header& header : headers) {
    if (is_own_header(header.name)) continue;
    if (same_header_name(header.name, "content-length")) {
      std::uint64_t length = 0;
      const char* end = header.value.data() + header.value.size();
      const auto parsed = std::from_chars(header.value.data(), end, length);
      if (parsed.ec == std::errc() && parsed.ptr == end) length_ = length;
      continue;
    }
    head_ += header.name;
    head_ += ": ";
    append_value(head_, header.value);
    head_ += "\r\n";
  }
  if (!status_has_body_) length_.reset();
  if (!has_body_) framing_ = Framing::sized;
}

void SocketSink::close_head() {
  if (framing_ == Framing::undecided) {
    framing_ = length_           ? Framing::sized
               : options_.http10 ? Framing::until_close
                                 : Framing::chunked;
  }
  if (framing_ == Framing::until_close) keep_alive_ = false;
  if (length_)
    fmt::format_to(std::back_inserter(head_), "content-length: {}\r\n",
                   *length_);
  if (framing_ == Framing::chunked) head_ += "transfer-encoding: chunked\r\n";
  if (!keep_alive_) {
    head_ += "connection: close\r\n";
  } else if (options_.http10) {
    head_ += "connection: keep-alive\r\n";
  }
  head_ += "\r\n";
}

std::string_view SocketSink::unsent_head() const {
  return head_sent_ ? std::string_view() : std::string_view(head_);
}

Written SocketSink::write(std::string_view bytes) {
  std::lock_guard lock(mutex_);
  if (state_ != State::started || gone_) return Written::gone;
  body_bytes_ += bytes.size();
  if (!has_body_) return Written::ok;
  if (length_ && body_bytes_ > *length_) {
    // More than was promised would be read as the next answer.
    bytes.remove_suffix(
        std::min<std::uint64_t>(bytes.size(), body_bytes_ - *length_));
  }
  if (bytes.empty()) return outcome();
  if (!head_sent_) close_head();
  if (framing_ != Framing::chunked) {
    return send({unsent_head(), bytes});
  }
  std::array<char, 20> size_line;
  const auto end = fmt::format_to_n(size_line.data(), size_line.size(),
                                    "{:x}\r\n", bytes.size());
  return send({unsent_head(), std::string_view(size_line.data(), end.size),
               bytes, "\r\n"});
}

Written SocketSink::finish() {
  std::lock_guard lock(mutex_);
  if (state_ != State::started) return Written::gone;
  state_ = State::finished;
  if (gone_) return Written::gone;
  if (!head_sent_) {
    // Nothing has left yet, so the length is known after all; only who
    // answered HEAD without writing a body has not said what it would be.
    if (!length_ && status_has_body_ && (has_body_ || body_bytes_ > 0))
      length_ = body_bytes_;
    close_head();
  }
  return send({unsent_head(), framing_ == Framing::chunked ? "0\r\n\r\n" : ""});
}

Written SocketSink::flush() {
  // Without a body nothing leaves before finish(), which knows the length.
  if (state_ != State::started || head_sent_ || !has_body_)
    return kept_.empty() ? outcome() : send({});
  close_head();
  return send({unsent_head()});
}

Written SocketSink::send(std::initializer_list<std::string_view> parts) {
  if (gone_) return Written::gone;
  if (parts.size() > 0) head_sent_ = true;
  std::array<iovec, 5> pieces;
  std::size_t count = 0;
  std::size_t total = 0;
  const auto add = [&](std::string_view part) {
    if (part.empty()) return;
    pieces[count++] = {const_cast<char*>(part.data()), part.size()};
    total += part.size();
  };
  if (kept_.empty()) {
    for (const std::string_view part : parts) add(part);
    if (total > 0) send_now({pieces.data(), count}, total);
    return outcome();
  }
  for (const std::string_view part : parts) kept_ += part;
  add(std::string_view(kept_).substr(kept_sent_));
  send_now({pieces.data(), count}, total);
  return outcome();
}

void SocketSink::send_now(std::span<const iovec> parts, std::size_t total) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts.data());
  message.msg_iovlen = parts.size();
  ssize_t sent;
  do {
    sent = ::sendmsg(socket_, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
    gone_ = true;
    drop_kept();
    return;
  }
  const auto done = static_cast<std::size_t>(std::max<ssize_t>(sent, 0));
  sent_ += done;
  if (!kept_.empty()) {
    kept_sent_ += done;
    // Erasing moves the rest to the front; worth it once that is less than
    // what it frees.
    if (kept_sent_ > kept_.size() / 2) {
      kept_.erase(0, kept_sent_);
      kept_sent_ = 0;
    }
  } else if (done < total) {
    keep_from(parts, done);
  }
}

void SocketSink::keep_from(std::span<const iovec> parts, std::size_t sent) {
  for (const iovec& part : parts) {
    const std::size_t skipped = std::min(sent, part.iov_len);
    kept_.append(static_cast<const char*>(part.iov_base) + skipped,
                 part.iov_len - skipped);
    sent -= skipped;
  }
}

void SocketSink::drop_kept() {
  kept_.clear();
  kept_sent_ = 0;
}

Written SocketSink::outcome() const {
  if (gone_) return Written::gone;
  return kept_.empty() ? Written::ok : Written::not_now;
}

Written SocketSink::drain(std::chrono::milliseconds limit) {
  // Mostly all has left, and nobody asks the clock.
  std::optional<Clock::time_point> deadline;
  for (;;) {
    {
      std::lock_guard lock(mutex_);
      const Written written = flush();
      if (written != Written::not_now) return written;
    }
    if (!deadline) deadline = Clock::now() + limit;
    if (Clock::now() >= *deadline) return Written::not_now;
    FiberLoop::give_way();
    pollfd writable{socket_, POLLOUT, 0};
    wait_for({&writable, 1}, *deadline);
  }
}

bool SocketSink::client_gone() {
  {
    std::lock_guard lock(mutex_);
    if (gone_) return true;
  }
  // Bytes of a next request that wait unread do not matter: POLLIN is not
  // asked for.
  pollfd socket{socket_, POLLRDHUP, 0};
  if (::poll(&socket, 1, 0) <= 0) return false;
  if ((socket.revents & (POLLHUP | POLLERR)) != 0) return true;
  return (socket.revents & POLLRDHUP) != 0 && !still_listens();
}

bool SocketSink::still_listens() {
  std::lock_guard lock(mutex_);
  if (asked_) return Clock::now() - *asked_ < kHalfClosed;
  // A client that closes and one that only ends its sending side look the
  // same until something is sent. RFC 9110, section 15.2: an interim answer
  // may come unasked, but not to HTTP/1.0, nor behind the head of the answer.
  if (gone_ || head_sent_ || options_.http10) return false;
  constexpr std::string_view kInterim = "HTTP/1.1 100 Continue\r\n\r\n";
  if (::send(socket_, kInterim.data(), kInterim.size(),
             MSG_DONTWAIT | MSG_NOSIGNAL) !=
      static_cast<ssize_t>(kInterim.size()))
    return false;
  asked_ = Clock::now();
  return true;
}

bool SocketSink::on_client_gone(std::function<void()> left) {
  if (options_.watcher == nullptr) return false;
  if (!left) {
    options_.watcher->forget(socket_);
    return true;
  }
  // Who wants to be told waits for a stream, and has just parsed a request.
  FiberLoop::release_unused_stack();
  return options_.watcher->watch(socket_,
                                 [this, left = std::move(left)](bool broken) {
                                   if (!broken && still_listens()) return false;
                                   left();
                                   return true;
                                 });
}

bool SocketSink::started() const {
  std::lock_guard lock(mutex_);
  return state_ != State::fresh;
}

bool SocketSink::complete() const {
  std::lock_guard lock(mutex_);
  return state_ == State::finished && !gone_ &&
         (!has_body_ || !length_ || body_bytes_ == *length_);
}

bool SocketSink::reusable() const {
  if (!complete()) return false;
  std::lock_guard lock(mutex_);
  return keep_alive_;
}

std::size_t SocketSink::kept_bytes() const {
  std::lock_guard lock(mutex_);
  return kept_.size() - kept_sent_;
}

void SocketSink::break_off() {
  std::lock_guard lock(mutex_);
  gone_ = true;
  drop_kept();
  // In a body that ends with the connection a plain close would look like
  // success.
  if (framing_ == Framing::until_close) reset_on_close();
}

void SocketSink::reset_on_close() {
  const linger reset{1, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
}

void SocketSink::abandon(std::chrono::milliseconds moment) {
  const auto deadline = Clock::now() + moment;
  drain(moment);
  // A reset destroys what the client has not acknowledged yet.
  while (unacknowledged(socket_) > 0 && Clock::now() < deadline) {
    wait_for({}, std::min(deadline, Clock::now() + kAcknowledged));
  }
  std::lock_guard lock(mutex_);
  gone_ = true;
  drop_kept();
  reset_on_close();
}

std::optional<std::uint64_t> SocketSink::taken() {
  std::lock_guard lock(mutex_);
  return sent_ - std::min(sent_, unacknowledged(socket_));
}

}  // namespace llmproxy
