// A server in the test's own process and a client that sends raw bytes.
#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "server/http_server.h"

namespace llmproxy::test {

using namespace std::chrono_literals;

class Recorder final : public Observer {
 public:
  void on_request(const RequestRecord& record) override {
    std::lock_guard lock(mutex_);
    records_.push_back(record);
  }
  std::vector<RequestRecord> records() const {
    std::lock_guard lock(mutex_);
    return records_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<RequestRecord> records_;
};

/// Serves on a free port until it is destroyed.
class Served {
 public:
  explicit Served(HttpHandler handler, const HttpServerOptions& options = {})
      : server(options, std::move(handler), &observer) {
    const auto bound = server.bind("127.0.0.1", 0);
    REQUIRE(bound);
    thread_ = std::thread([this] { server.run(); });
  }
  ~Served() { stop(30s); }
  bool stop(std::chrono::milliseconds grace) {
    if (!thread_.joinable()) return true;
    const bool ended = server.stop(grace);
    thread_.join();
    return ended;
  }

  Recorder observer;
  HttpServer server;

 private:
  std::thread thread_;
};

/// One connection. Reading gives up after 20 seconds.
class Client {
 public:
  explicit Client(const Served& served) {
    socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
    const timeval limit{20, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(served.server.port()));
    REQUIRE(::connect(socket_, reinterpret_cast<sockaddr*>(&address),
                      sizeof(address)) == 0);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() { leave(); }

  void leave() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }
  void end_sending() { ::shutdown(socket_, SHUT_WR); }
  /// False once the server has closed.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent =
          ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  /// Reads up to and with `end`; what came until then if it never comes.
  std::string until(std::string_view end) {
    while (received_.find(end) == std::string::npos && more()) {
    }
    const std::size_t at = received_.find(end);
    return take(at == std::string::npos ? at : at + end.size());
  }
  /// Reads until the server closes the connection.
  std::string rest() {
    while (more()) {
    }
    return take(std::string::npos);
  }
  /// The connection ended by a reset, not by a close.
  bool was_reset() const { return reset_; }
  /// One answer with content-length.
  std::string answer() {
    std::string head = until("\r\n\r\n");
    const std::size_t at = head.find("content-length: ");
    if (at == std::string::npos) return head;
    const std::size_t length = std::stoul(head.substr(at + 16));
    while (received_.size() < length && more()) {
    }
    return head + take(length);
  }

 private:
  bool more() {
    char buffer[4096];
    const ssize_t got = ::recv(socket_, buffer, sizeof(buffer), 0);
    reset_ = got < 0 && errno == ECONNRESET;
    if (got <= 0) return false;
    received_.append(buffer, static_cast<std::size_t>(got));
    return true;
  }
  std::string take(std::size_t size) {
    std::string taken = received_.substr(0, size);
    received_.erase(0, size);
    return taken;
  }

  int socket_ = -1;
  bool reset_ = false;
  std::string received_;
};

/// Answers with what it was asked: "POST /path?query [body]".
inline void echo(const HttpRequest& request, ResponseSink& sink) {
  const std::string text = request.method + " " + request.path + "?" +
                           request.query + " [" + request.body + "]";
  sink.start(200, {{"content-length", std::to_string(text.size())}});
  sink.write(text);
  sink.finish();
}

template <class Condition>
bool eventually(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

}  // namespace llmproxy::test
