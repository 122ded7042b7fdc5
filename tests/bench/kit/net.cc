#include "kit/net.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace llmproxy::bench {
namespace {

sockaddr_in local_address(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void set_option(int fd, int level, int name, int value) {
  if (::setsockopt(fd, level, name, &value, sizeof value) != 0)
    die("setsockopt");
}

Fd tcp_socket() {
  Fd out(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!out) die("socket");
  set_option(out.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  return out;
}

}  // namespace

std::int64_t now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * kSecond + now.tv_nsec;
}

void die(std::string_view what) {
  fmt::print(stderr, "{}: {}\n", what, std::strerror(errno));
  std::exit(1);
}

void Fd::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

Fd listen_local(int port) {
  Fd out = tcp_socket();
  set_option(out.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  const sockaddr_in address = local_address(port);
  if (::bind(out.get(), reinterpret_cast<const sockaddr*>(&address),
             sizeof address) != 0)
    die("bind");
  if (::listen(out.get(), 4096) != 0) die("listen");
  return out;
}

int port_of(const Fd& socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address),
                    &size) != 0)
    die("getsockname");
  return ntohs(address.sin_port);
}

Fd connect_local(int port, int receive_buffer) {
  Fd out = tcp_socket();
  if (receive_buffer > 0)
    set_option(out.get(), SOL_SOCKET, SO_RCVBUF, receive_buffer);
  const sockaddr_in address = local_address(port);
  if (::connect(out.get(), reinterpret_cast<const sockaddr*>(&address),
                sizeof address) != 0 &&
      errno != EINPROGRESS)
    die("connect");
  return out;
}

std::ptrdiff_t send_some(int fd, std::string_view bytes) {
  const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent >= 0) return sent;
  return errno == EAGAIN || errno == EINTR ? 0 : -1;
}

std::ptrdiff_t receive_some(int fd, std::span<char> buffer) {
  const ssize_t size = ::recv(fd, buffer.data(), buffer.size(), 0);
  if (size > 0) return size;
  return size < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

Poller::Poller() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_) die("epoll_create1");
}

void Poller::control(int operation, int fd, std::uint32_t events) const {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  if (::epoll_ctl(epoll_.get(), operation, fd, &event) != 0) die("epoll_ctl");
}

std::span<const epoll_event> Poller::wait(std::int64_t deadline) {
  const std::int64_t left = std::max<std::int64_t>(deadline - now_ns(), 0);
  // Milliseconds would send the events of streams in bursts.
  const timespec timeout{left / kSecond, left % kSecond};
  const int count =
      ::epoll_pwait2(epoll_.get(), events_.data(),
                     static_cast<int>(events_.size()), &timeout, nullptr);
  if (count < 0 && errno != EINTR) die("epoll_pwait2");
  return {events_.data(), static_cast<std::size_t>(std::max(count, 0))};
}

}  // namespace llmproxy::bench
