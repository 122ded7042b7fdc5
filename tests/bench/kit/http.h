// As much of HTTP/1.1 as the tools of the benchmark need, for bytes that come
// in any pieces. Both sides read what proxies make of our own messages.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace llmproxy::bench {

/// The value of the header `name` (lower case) of a head.
std::optional<std::string_view> header_in(std::string_view head,
                                          std::string_view name);

struct Request {
  std::string_view path;
  std::string_view body;
};

/// Cuts requests, each with a Content-Length or without a body, out of the
/// bytes of one connection.
class RequestReader {
 public:
  void feed(std::string_view bytes);
  /// The next whole request; its views live until feed().
  std::optional<Request> next();

 private:
  bool read_head();

  std::string buffer_;
  std::size_t start_ = 0;  // first byte that was not given out
  std::size_t head_ = 0;   // bytes of the head; 0 = not complete yet
  std::size_t body_ = 0;   // bytes of the body
};

/// Reads one response after the other; the pieces of a body go to a callback.
class ResponseReader {
 public:
  /// Calls `piece(std::string_view)` for what `bytes` hold of the body. Stops
  /// at the end of the response, behind which nothing may come.
  template <class Piece>
  void feed(std::string_view bytes, Piece&& piece) {
    while (!bytes.empty() && state_ != State::done && state_ != State::broken) {
      if (state_ != State::data && state_ != State::until_close) {
        read_line(bytes);
        continue;
      }
      const std::string_view taken = take(bytes);
      if (!taken.empty()) piece(taken);
    }
  }
  /// The connection was closed by the other side.
  void close();
  /// Before the next response of the same connection.
  void reset() { *this = ResponseReader(); }

  bool done() const { return state_ == State::done; }
  bool broken() const { return state_ == State::broken; }
  /// 0 = no head yet.
  int status() const { return status_; }
  /// The connection can be used again after the response.
  bool keeps_alive() const { return keeps_alive_; }

 private:
  enum class State {
    head,
    data,
    size,
    data_end,
    trailer,
    until_close,
    done,
    broken
  };

  void read_line(std::string_view& bytes);
  void end_head();
  void begin_chunk();
  std::string_view take(std::string_view& bytes);

  State state_ = State::head;
  std::string line_;      // the head, or the line that is being read
  std::size_t left_ = 0;  // bytes of the chunk or of the body
  int status_ = 0;
  bool chunked_ = false;
  bool keeps_alive_ = true;
};

}  // namespace llmproxy::bench
