// HttpStub: a loopback HTTP server that does to the bytes whatever a test
// says: answers late, in pieces, cut off, or never. A thread a connection;
// the port comes from the kernel.
//
//   HttpStub stub([](StubCall& call) { call.send(http_answer(200, "{}")); });
//   request.url = stub.url() + "/v1/messages";
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "support/scripted_transport.h"

namespace llmproxy::testing {

/// One request, and the stub's side of its connection.
class StubCall {
 public:
  StubCall(int socket, int number, std::string head, std::string body)
      : socket_(socket),
        number_(number),
        head_(std::move(head)),
        body_(std::move(body)) {}

  /// 1 for the first request the stub got, on whichever connection.
  int number() const { return number_; }
  /// Request line and headers, line breaks included.
  const std::string& head() const { return head_; }
  const std::string& body() const { return body_; }

  /// False when the client is gone.
  bool send(std::string_view bytes);
  /// Sends until the client has taken nothing for `stuck`, or all is sent.
  /// Returns how much went out.
  std::size_t send_until_stuck(std::string_view bytes,
                               std::chrono::milliseconds stuck);
  /// Says nothing until the client closes; false when it has not in time.
  bool wait_closed(std::chrono::milliseconds limit = kPatience);
  /// Ends the connection after this call, in order or with a reset.
  void close() { open_ = false; }
  void reset();
  bool open() const { return open_; }

 private:
  int socket_;
  int number_;
  std::string head_;
  std::string body_;
  bool open_ = true;
};

class HttpStub {
 public:
  /// Called for each request, on the connection's thread.
  using Script = std::function<void(StubCall&)>;

  explicit HttpStub(Script script);
  /// Closes every connection and waits for the scripts.
  ~HttpStub();
  HttpStub(const HttpStub&) = delete;
  HttpStub& operator=(const HttpStub&) = delete;

  /// "127.0.0.1:34567"
  std::string host() const;
  /// "http://127.0.0.1:34567"
  std::string url() const { return "http://" + host(); }
  int connections() const { return connections_; }
  int requests() const { return requests_; }

 private:
  void accept_all();
  void serve(int socket);

  Script script_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> connections_ = 0;
  std::atomic<int> requests_ = 0;
  std::mutex mutex_;
  std::vector<int> sockets_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

/// A whole answer with content-length.
std::string http_answer(int status, std::string_view body,
                        std::string_view type = "application/json");
/// The head of a chunked answer.
std::string chunked_head(int status = 200,
                         std::string_view type = "text/event-stream");
std::string chunk(std::string_view bytes);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";
/// `text` in chunks of `size` bytes, the last one included.
std::string chunked(std::string_view text, std::size_t size = 1000);
/// A socket on a loopback port of the kernel's choice, and the port.
std::pair<int, int> bound_socket();
/// A loopback port that nobody listens on.
int closed_port();

}  // namespace llmproxy::testing
