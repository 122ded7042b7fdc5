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
/// Asked with a request's head before its body is read; false = answered.
using HttpAdmission = std::function<bool(const HttpRequest&, ResponseSink&)>;

/// For bodies that are kept in files.
struct UploadOptions {
  /// Of one. Bytes.
  std::size_t bytes = std::size_t{1} << 30;
  std::string folder;
  /// For all together; borrowed, null = no limit.
  ByteBudget* budget = nullptr;
};

struct HttpServerOptions {
  /// As ServerConfig::max_connections.
  std::size_t max_connections = 8192;
  /// As ServerConfig::max_connections_per_address.
  std::size_t max_connections_per_address = 0;
  /// What the server listens on, as requests may call it.
  std::string host;
  /// Empty = every request is let in.
  HttpAdmission admit;
  /// For what is held of bodies; borrowed, null = no limit.
  ByteBudget* budget = nullptr;
  /// Whether a request's body is kept in a file; empty = none is.
  std::function<bool(const HttpRequest&)> is_upload;
  UploadOptions uploads;
  /// Called when running requests have had their time to end.
  std::function<void()> end_requests;
  HeadLimits head;
  BodyLimits body;
  /// Silence before a request after which the connection is closed. Longer
  /// than the 60 seconds common in load balancers, which must close first.
  std::chrono::milliseconds idle{75'000};
  /// From the first byte of a head to its last.
  std::chrono::milliseconds head_time{10'000};
  /// A client that takes less than 4 KiB of its answer in this time is given
  /// up. Not 0.
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
  bad_head,
  bad_method,
  request_line_too_long,
  head_too_large,
  head_too_slow,
  body_too_large,
  body_malformed,
  body_too_slow,
  no_room,
  no_disk,
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

  // From any thread, as long as the descriptor is open:
  const std::string& peer() const { return peer_; }
  /// Since when it waits for a request of which nothing has come yet, in ticks
  /// of Clock; not above 0 = it does not.
  Clock::rep idle_since() const { return idle_since_.load(); }
  /// Closes it if it is idle. No request is lost without a chance to be sent
  /// again: none was begun.
  bool dismiss();
  /// Closes it.
  void break_off() const;

 private:
  enum class Next : std::uint8_t { go_on, close };

  Next serve_one();
  bool wait_for_request(Clock::time_point now);
  /// Reads and parses a head; nullopt = the connection is over.
  std::optional<RequestLine> read_head(Clock::time_point deadline);
  /// Asks whether the request may come in; false = it is answered.
  bool admit(const RequestLine& line);
  bool read_body(RequestLine& line, ByteLease& lease);
  /// `detail` is for the log.
  bool take(BodyState state, std::size_t limit, std::string detail = {});
  bool read_upload(RequestLine& line, BodyReader& reader, ByteLease& lease);
  Next answer(RequestLine line);
  /// Sees an answer to its end.
  Next conclude(SocketSink& sink);
  /// Sends what the sink kept; false = the client takes nothing any more.
  bool drain(SocketSink& sink);
  /// Empty = what the row says. `detail` is for the log, instead of it.
  void refuse(Refusal why, std::string message = {}, std::string detail = {});
  /// Tells the observer of a request the handler did not see.
  void report(int status, ErrorKind kind, std::string message);
  /// Reads what the client still sends, so that closing does not destroy an
  /// answer it has not read yet.
  void linger();

  const int socket_;
  ServerContext& context_;
  SocketInput input_;
  std::atomic<Clock::rep> idle_since_{0};
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
