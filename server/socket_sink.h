// SocketSink: writes one HTTP answer straight to a client's socket and never
// blocks doing so. What the socket does not take is kept and sent later.
//
// The head leaves with the first bytes of the body in one send. The body is
// framed by content-length where the caller gave one, else in chunks
// (HTTP/1.1) or by the end of the connection (HTTP/1.0). An answer without
// finish() must be followed by break_off(): the client then sees it is broken.
//
// Thread-safe, so that the engine may write while the connection's fiber
// asks client_gone(). Borrows the descriptor.
#pragma once

#include <sys/uio.h>

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "llmproxy/gateway.h"
#include "server/hangup_watcher.h"

namespace llmproxy {

class SocketSink final : public ResponseSink {
 public:
  struct Options {
    bool http10 = false;
    /// The request was HEAD: the head as for GET, no body.
    bool head_only = false;
    /// The client wants to use the connection again, and so do we.
    bool keep_alive = true;
    /// For on_client_gone(); borrowed, may be null.
    HangupWatcher* watcher = nullptr;
  };

  SocketSink(int socket, const Options& options);

  void start(int status, const Headers& headers) override;
  Written write(std::string_view bytes) override;
  Written finish() override;
  Written drain(std::chrono::milliseconds limit) override;
  /// A client that ended its side but still listens is there: it is asked by
  /// an interim answer, which breaks the connection of one that is not.
  void abandon(std::chrono::milliseconds moment) override;
  std::optional<std::uint64_t> taken() override;
  bool client_gone() override;
  bool on_client_gone(std::function<void()> left) override;

  bool started() const;
  /// finish() was called and the body is as long as was promised.
  bool complete() const;
  /// The connection can carry another request after this answer.
  bool reusable() const;
  /// Bytes the socket has not taken yet.
  std::size_t kept_bytes() const;
  /// Makes closing the connection visible as a fault to a client that would
  /// otherwise take it for the end of the body.
  void break_off();

 private:
  enum class State : std::uint8_t { fresh, started, finished };
  enum class Framing : std::uint8_t { undecided, sized, chunked, until_close };

  /// Ends the head, which then may be sent.
  void close_head();
  std::string_view unsent_head() const;
  /// Sends what waits: the head after start(), kept bytes.
  Written flush();
  /// Sends what the socket takes of the kept bytes and `parts` (the head
  /// first, while it is unsent), keeps the rest.
  Written send(std::initializer_list<std::string_view> parts);
  void send_now(std::span<const iovec> parts, std::size_t total);
  void keep_from(std::span<const iovec> parts, std::size_t sent);
  void drop_kept();
  /// Closing the descriptor then sends a reset.
  void reset_on_close();
  Written outcome() const;
  /// Asks a client that ended its side whether it is there. True = so it seems
  /// by now.
  bool still_listens();

  const int socket_;
  const Options options_;
  mutable std::mutex mutex_;
  State state_ = State::fresh;
  Framing framing_ = Framing::undecided;
  bool head_sent_ = false;
  bool status_has_body_ = true;
  bool has_body_ = true;
  bool gone_ = false;
  bool keep_alive_;
  std::string head_;
  /// As the caller's content-length said.
  std::optional<std::uint64_t> length_;
  std::uint64_t body_bytes_ = 0;
  std::string kept_;
  std::size_t kept_sent_ = 0;
  /// When a client that ended its side was asked.
  std::optional<std::chrono::steady_clock::time_point> asked_;
  std::uint64_t sent_ = 0;  ///< bytes that the socket has taken
};

}  // namespace llmproxy
