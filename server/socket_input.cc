#include "server/socket_input.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "llmproxy/waiting.h"
#include "server/fiber_loop.h"

namespace llmproxy {
namespace {

// Holds a usual head; larger ones take more than one read.
constexpr std::size_t kPiece = 4096;

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK; }

}  // namespace

Input SocketInput::wait_for_first(Clock::time_point deadline) {
  for (;;) {
    const std::string_view bytes = unread();
    const std::size_t first = bytes.find_first_not_of("\r\n");
    if (first != std::string_view::npos) {
      consume(first);
      return Input::ok;
    }
    consume(bytes.size());
    // Waiting comes first: mostly there is nothing yet, and then it takes
    // neither a call in vain nor memory.
    if (!readable_by(deadline)) return Input::timeout;
    const Input input = more(deadline);
    if (input != Input::ok) return input;
  }
}

bool SocketInput::readable_by(Clock::time_point deadline) const {
  pollfd readable{socket_, POLLIN, 0};
  return wait_for({&readable, 1}, deadline) > 0;
}

Input SocketInput::more(Clock::time_point deadline) {
  // Not into the buffer, which would have to be filled with zeros first.
  std::array<char, kPiece> piece;
  std::size_t got = 0;
  const Input input = receive(piece.data(), piece.size(), deadline, got);
  buffer_.erase(0, start_);
  start_ = 0;
  buffer_.append(piece.data(), got);
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
  if (start_ == 0 && buffer_.capacity() <= kPiece && !buffer_.empty()) return;
  std::string(unread()).swap(buffer_);
  start_ = 0;
}

Input SocketInput::receive(char* to, std::size_t size,
                           Clock::time_point deadline, std::size_t& got) {
  for (;;) {
    const ssize_t received = ::recv(socket_, to, size, MSG_DONTWAIT);
    if (received > 0) {
      got = static_cast<std::size_t>(received);
      FiberLoop::give_way();
      return Input::ok;
    }
    if (received == 0) return Input::closed;
    if (errno == EINTR) continue;
    if (!would_block()) return Input::closed;
    if (Clock::now() >= deadline) return Input::timeout;
    readable_by(deadline);
  }
}

}  // namespace llmproxy
