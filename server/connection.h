// One client connection: read a head, judge it, read the body, let the
// handler answer, again until either side has enough.
//
// What is refused before the handler sees it (too large, too slow, not
// HTTP, no capacity) is answered here, in the dialect of the path.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "llmproxy/gateway.h"
#include "server/body_reader.h"
#include "server/request_head.h"
#include "server/socket_input.h"
#include "server/socket_sink.h"

namespace llmproxy {

using HttpHandler = std::function<void(HttpRequest, ResponseSink&)>;

struct HttpServerOptions {
  /// Connections served at once; more are answered 503.
  std::size_t max_connections = 8192;
  HeadLimits head;
  BodyLimits body;
  /// Silence before a request after which the connection is closed. Longer
  /// than the 60 seconds common in load balancers, which must close first.
  std::chrono::milliseconds idle{75'000};
  /// From the first byte of a head to its last.
  std::chrono::milliseconds head_time{10'000};
  /// A client that takes no byte of its answer for this long is given up.
  std::chrono::milliseconds write_stall{30'000};
  /// How long a refused client may go on sending what nobody reads.
  std::chrono::milliseconds linger{5'000};
};

/// What all connections of a server share; outlives them.
struct ServerContext {
  HttpServerOptions options;
  HttpHandler handler;
  Observer* observer = nullptr;
  HangupWatcher watcher;
  std::atomic<bool> stopping{false};
};

/// Why a request is answered without the handler; rows in connection.cc.
enum class Refusal : std::uint8_t {
  malformed,
  bad_framing,
  request_line_too_long,
  head_too_large,
  head_too_slow,
  body_too_large,
  body_malformed,
  body_too_slow,
  no_capacity,
  no_answer,  ///< the handler wrote nothing
};

class Connection {
 public:
  /// Borrows the descriptor.
  Connection(int socket, ServerContext& context);

  /// Serves requests until the connection should be closed.
  void serve();
  /// Answers the first request with 503.
  void refuse_for_capacity();
  /// Waits for a next request, nothing of it having come. May be asked from
  /// any thread.
  bool idle() const { return idle_.load(); }

 private:
  enum class Next : std::uint8_t { go_on, close };

  Next serve_one();
  bool wait_for_request();
  /// Reads and parses a head; nullopt = the connection is over.
  std::optional<RequestLine> read_head(Clock::time_point deadline);
  bool read_body(RequestLine& line);
  Next answer(RequestLine line);
  /// Sends what the sink kept; false = the client takes nothing any more.
  bool drain(SocketSink& sink);
  void refuse(Refusal why, std::string message = {});
  /// Tells the observer of a request the handler did not see.
  void report(int status, ErrorKind kind, std::string message);
  /// Reads what the client still sends, so that closing does not destroy an
  /// answer it has not read yet.
  void linger();

  const int socket_;
  ServerContext& context_;
  SocketInput input_;
  std::atomic<bool> idle_{false};
  const std::string peer_;
  /// Of the request being served, for refusals.
  std::string method_;
  std::string path_;
  bool http10_ = false;
  Clock::time_point begun_;
};

/// Sends a 503 that fits every dialect and closes nothing. Never blocks: for
/// when there is no fiber to be had.
void refuse_without_fiber(int socket);

}  // namespace llmproxy
