// Sockets for the tools of the benchmark: plain TCP on 127.0.0.1, one thread,
// epoll. Whatever fails here ends the tool with a message: a benchmark that
// lacks a socket measures nothing.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace llmproxy::bench {

/// CLOCK_MONOTONIC, which all processes of a machine share. Nanoseconds.
std::int64_t now_ns();

constexpr std::int64_t kMicrosecond = 1000;
constexpr std::int64_t kSecond = 1'000'000'000;

/// Prints `what` and the meaning of errno to standard error, and exits with 1.
[[noreturn]] void die(std::string_view what);

/// An open descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { close(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void close();

 private:
  int fd_ = -1;
};

/// One socket is one descriptor, and thousands are wanted.
void raise_descriptor_limit();

/// A listening socket; port 0 lets the system choose.
Fd listen_local(int port);
int port_of(const Fd& socket);

/// A socket that is being connected without waiting for it. `receive_buffer`
/// in bytes; 0 = the system's.
Fd connect_local(int port, int receive_buffer = 0);

/// Bytes sent without waiting; -1 = the connection is broken.
std::ptrdiff_t send_some(int fd, std::string_view bytes);
/// Bytes received without waiting: 0 = none yet, -1 = end or broken.
std::ptrdiff_t receive_some(int fd, std::span<char> buffer);

class Poller {
 public:
  Poller();
  void add(int fd, std::uint32_t events) { control(EPOLL_CTL_ADD, fd, events); }
  void set(int fd, std::uint32_t events) { control(EPOLL_CTL_MOD, fd, events); }
  /// What happened, at most until `deadline` (as of now_ns()).
  std::span<const epoll_event> wait(std::int64_t deadline);

 private:
  void control(int operation, int fd, std::uint32_t events) const;

  Fd epoll_;
  std::array<epoll_event, 512> events_{};
};

}  // namespace llmproxy::bench
