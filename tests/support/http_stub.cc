#include "support/http_stub.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <stdexcept>
#include <tuple>
#include <utility>

namespace llmproxy::testing {
namespace {

using std::chrono::milliseconds;

bool ready(int fd, short events, milliseconds limit) {
  pollfd entry{fd, events, 0};
  return poll(&entry, 1, static_cast<int>(limit.count())) > 0;
}

/// Reads until `buffer` is `size` long. False when the client closed.
bool read_to(int fd, std::string& buffer, std::size_t size) {
  std::array<char, 65536> piece;
  while (buffer.size() < size) {
    const ssize_t got = recv(fd, piece.data(), piece.size(), 0);
    if (got <= 0) return false;
    buffer.append(piece.data(), static_cast<std::size_t>(got));
  }
  return true;
}

std::size_t content_length(std::string_view head) {
  constexpr std::string_view kName = "\r\ncontent-length: ";
  for (std::size_t at = 0; at + kName.size() < head.size(); ++at) {
    if (same_header_name(head.substr(at, kName.size()), kName)) {
      return std::strtoul(head.data() + at + kName.size(), nullptr, 10);
    }
  }
  return 0;
}

}  // namespace

bool StubCall::send(std::string_view bytes) {
  return send_until_stuck(bytes, kPatience) == bytes.size();
}

std::size_t StubCall::send_until_stuck(std::string_view bytes,
                                       milliseconds stuck) {
  std::size_t sent = 0;
  while (sent < bytes.size() && ready(socket_, POLLOUT, stuck)) {
    const ssize_t count =
        ::send(socket_, bytes.data() + sent, bytes.size() - sent,
               MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && errno != EAGAIN) break;
    if (count > 0) sent += static_cast<std::size_t>(count);
  }
  return sent;
}

bool StubCall::wait_closed(milliseconds limit) {
  // The client sends nothing while it waits: readable means closed.
  open_ = false;
  return ready(socket_, POLLIN, limit);
}

void StubCall::reset() {
  const linger now{1, 0};
  setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  open_ = false;
}

HttpStub::HttpStub(Script script) : script_(std::move(script)) {
  std::tie(listener_, port_) = bound_socket();
  listen(listener_, SOMAXCONN);
  acceptor_ = std::thread([this] { accept_all(); });
}

HttpStub::~HttpStub() {
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int socket : sockets_) shutdown(socket, SHUT_RDWR);
  }
  for (std::thread& thread : threads_) thread.join();
  ::close(listener_);
}

std::string HttpStub::host() const {
  return "127.0.0.1:" + std::to_string(port_);
}

void HttpStub::accept_all() {
  for (;;) {
    const int socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) return;
    const int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    ++connections_;
    const std::lock_guard lock(mutex_);
    sockets_.push_back(socket);
    threads_.emplace_back([this, socket] { serve(socket); });
  }
}

void HttpStub::serve(int socket) {
  std::string buffer;
  for (bool open = true; open;) {
    std::size_t end = std::string::npos;
    while ((end = buffer.find("\r\n\r\n")) == std::string::npos) {
      if (!read_to(socket, buffer, buffer.size() + 1)) break;
    }
    if (end == std::string::npos) break;
    end += 4;
    std::string head = buffer.substr(0, end);
    const std::size_t size = content_length(head);
    if (!read_to(socket, buffer, end + size)) break;
    StubCall call(socket, ++requests_, std::move(head),
                  buffer.substr(end, size));
    buffer.erase(0, end + size);
    script_(call);
    open = call.open();
  }
  const std::lock_guard lock(mutex_);
  std::erase(sockets_, socket);
  ::close(socket);
}

std::string http_answer(int status, std::string_view body,
                        std::string_view type) {
  return "HTTP/1.1 " + std::to_string(status) +
         " Any\r\ncontent-type: " + std::string(type) +
         "\r\ncontent-length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

std::string chunked_head(int status, std::string_view type) {
  return "HTTP/1.1 " + std::to_string(status) +
         " Any\r\ncontent-type: " + std::string(type) +
         "\r\ntransfer-encoding: chunked\r\n\r\n";
}

std::string chunk(std::string_view bytes) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string size;
  for (std::size_t left = bytes.size(); left > 0; left /= 16) {
    size.insert(size.begin(), kHex[left % 16]);
  }
  return size + "\r\n" + std::string(bytes) + "\r\n";
}

std::string chunked(std::string_view text, std::size_t size) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += size) {
    out += chunk(text.substr(at, size));
  }
  return out.append(kLastChunk);
}

std::pair<int, int> bound_socket() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  if (fd < 0 || bind(fd, raw, size) != 0 || getsockname(fd, raw, &size) != 0) {
    throw std::runtime_error("no loopback port");
  }
  return {fd, ntohs(address.sin_port)};
}

int closed_port() {
  const auto [fd, port] = bound_socket();
  ::close(fd);
  return port;
}

}  // namespace llmproxy::testing
