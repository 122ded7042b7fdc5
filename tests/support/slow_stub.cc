#include "support/slow_stub.h"

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <tuple>
#include <utility>

#include "support/http_stub.h"

namespace llmproxy::testing {
namespace {

constexpr int kBacklog = 4096;

/// Length of the first whole request in `input`; 0 = there is none yet. Its
/// content-length is written as our client writes it.
std::size_t request_size(const std::string& input) {
  const std::size_t end = input.find("\r\n\r\n");
  if (end == std::string::npos) return 0;
  constexpr std::string_view kLength = "ontent-Length: ";
  const std::size_t at = input.find(kLength);
  std::size_t size = end + 4;
  if (at < end) {
    size += std::strtoul(input.c_str() + at + kLength.size(), nullptr, 10);
  }
  return input.size() < size ? 0 : size;
}

/// What is sent here is far smaller than a socket's buffer.
void send_all(int fd, std::string_view bytes) {
  (void)!::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace

SlowStub::SlowStub(std::vector<std::string> pieces,
                   std::chrono::milliseconds pace)
    : pieces_(std::move(pieces)), pace_(pace) {
  std::tie(listener_, port_) = bound_socket();
  listen(listener_, kBacklog);
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = listener_;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_, &event);
  thread_ = std::thread([this] { run(); });
}

SlowStub::~SlowStub() {
  stopping_ = true;
  thread_.join();
  for (const auto& [fd, connection] : connections_) ::close(fd);
  ::close(epoll_);
  ::close(listener_);
}

std::string SlowStub::url() const {
  return "http://127.0.0.1:" + std::to_string(port_);
}

void SlowStub::run() {
  std::array<epoll_event, 256> events;
  auto due = std::chrono::steady_clock::now();
  while (!stopping_) {
    const int count = epoll_wait(epoll_, events.data(), events.size(),
                                 static_cast<int>(pace_.count()));
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      fd == listener_ ? accept_all() : read(fd);
    }
    const auto now = std::chrono::steady_clock::now();
    if (now < due || !released_) continue;
    due = now + pace_;
    for (auto& [fd, connection] : connections_) {
      if (connection.answering) send_next(fd, connection);
    }
  }
}

void SlowStub::accept_all() {
  const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (fd < 0) return;
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  connections_.emplace(fd, Connection());
}

void SlowStub::read(int fd) {
  Connection& connection = connections_.at(fd);
  std::array<char, 16384> piece;
  const ssize_t got = recv(fd, piece.data(), piece.size(), MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) return close(fd);
  connection.input.append(piece.data(), static_cast<std::size_t>(got));
  const std::size_t size = request_size(connection.input);
  if (size == 0 || connection.answering) return;
  connection.input.erase(0, size);
  connection.answering = true;
  connection.next = 0;
  ++waiting_;
  send_all(fd, chunked_head());
  send_next(fd, connection);
}

void SlowStub::send_next(int fd, Connection& connection) {
  const bool last = connection.next + 1 == pieces_.size();
  std::string bytes = chunk(pieces_[connection.next++]);
  if (last) bytes += kLastChunk;
  send_all(fd, bytes);
  if (!last) return;
  connection.answering = false;
  --waiting_;
  ++finished_;
}

void SlowStub::close(int fd) {
  if (connections_.at(fd).answering) {
    --waiting_;
    ++left_;
  }
  connections_.erase(fd);
  ::close(fd);
}

void allow_descriptors(unsigned count) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= count) return;
  limit.rlim_cur = std::min<rlim_t>(count, limit.rlim_max);
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace llmproxy::testing
