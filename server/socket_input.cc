#include "server/socket_input.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace llmproxy {
namespace {

// Holds a usual head; larger ones take more than one read.
constexpr std::size_t kPiece = 4096;

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK; }

}  // namespace

Input SocketInput::wait_for_first() {
  for (;;) {
    const std::string_view bytes = unread();
    const std::size_t first = bytes.find_first_not_of("\r\n");
    if (first != std::string_view::npos) {
      consume(first);
      return Input::ok;
    }
    buffer_.resize(kPiece);
    start_ = 0;
    ssize_t got;
    do {
      got = ::recv(socket_, buffer_.data(), kPiece, 0);
    } while (got < 0 && errno == EINTR);
    buffer_.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0 && would_block()) return Input::timeout;
    if (got <= 0) return Input::closed;
  }
}

Input SocketInput::more(Clock::time_point deadline) {
  const std::size_t size = buffer_.size();
  buffer_.resize(size + kPiece);
  std::size_t got = 0;
  const Input input = receive(buffer_.data() + size, kPiece, deadline, got);
  buffer_.resize(size + got);
  return input;
}

Input SocketInput::read(char* to, std::size_t size, Clock::time_point deadline,
                        std::size_t& got) {
  const std::string_view waiting = unread();
  if (waiting.empty()) return receive(to, size, deadline, got);
  got = std::min(size, waiting.size());
  std::memcpy(to, waiting.data(), got);
  consume(got);
  return Input::ok;
}

void SocketInput::consume(std::size_t bytes) {
  start_ += bytes;
  if (start_ < buffer_.size()) return;
  buffer_.clear();
  start_ = 0;
}

void SocketInput::release() {
  if (start_ == buffer_.size()) std::string().swap(buffer_);
}

Input SocketInput::receive(char* to, std::size_t size,
                           Clock::time_point deadline, std::size_t& got) {
  for (;;) {
    const ssize_t received = ::recv(socket_, to, size, MSG_DONTWAIT);
    if (received > 0) {
      got = static_cast<std::size_t>(received);
      return Input::ok;
    }
    if (received == 0) return Input::closed;
    if (errno == EINTR) continue;
    if (!would_block()) return Input::closed;
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return Input::timeout;
    pollfd readable{socket_, POLLIN, 0};
    ::poll(&readable, 1, static_cast<int>(left.count()));
  }
}

}  // namespace llmproxy
