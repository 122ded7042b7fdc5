// CurlTransfer: one request and its answer, as libcurl's callbacks see it.
// Turns header lines and body pieces into calls of the ResponseHandler, keeps
// the deadlines, and remembers why the transfer was ended from our side.
//
// Shared by both ways to run a transfer (curl_connection.h on the calling
// thread, engine.h on its own). Used by one thread at a time.
#pragma once

#include <curl/curl.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "client/deadline_clock.h"
#include "client/origin.h"
#include "llmproxy/transport.h"

namespace llmproxy {

class CurlTransfer {
 public:
  enum Pausing : bool { may_not_pause, may_pause };
  CurlTransfer(ResponseHandler& handler, Origin origin, const Deadlines& limits,
               Pausing pausing);

  const Origin& origin() const { return origin_; }
  /// Of the answer; empty where none began.
  const Headers& headers() const { return headers_; }
  /// The upstream keeps the connection after this answer, as far as its head
  /// says.
  bool keeps_connection() const;
  DeadlineClock& clock() { return clock_; }

  /// Whether libcurl may send the request a second time.
  enum Sending : bool { once, repeatable };
  /// Connects libcurl's callbacks with this object, which must not move while
  /// `easy` runs.
  void attach(CURL* easy, Sending sending);
  /// In place of attach(), where `easy` only connects.
  void connect_by(CURL* easy) { easy_ = easy; }
  /// Lets the request's body go once it is sent and the answer has begun: a
  /// stream may take minutes, and prompts are large. `body` is what `easy`
  /// sends, and outlives the transfer.
  void let_go_when_sent(std::string& body) { body_ = &body; }
  /// For who sends a body in pieces: more of it has left, or cannot be had.
  void sent_more();
  void stop(Error error) { stopped_ = std::move(error); }
  /// Ends a pause; may call the handler. Errors: the transfer broke.
  CURLcode resume();

  // For who reads the answer in libcurl's place (http1_exchange.h). False = the
  // transfer is to end, with what finish() knows.
  bool take_head(int status, Headers headers);
  bool take_body(std::string_view bytes);

  /// Tells the handler how it went, once. `error` when we ended the transfer
  /// ourselves, else what libcurl said.
  void finish(Error error);
  void finish(CURLcode code, std::string_view detail);

 private:
  bool tell_head();
  /// Nothing = the transfer is to end.
  std::optional<Flow> tell_body(std::string_view bytes);

  // libcurl's callbacks. Nothing may be thrown through C code.
  static int on_prereq(void* self, char*, char*, int, int) noexcept;
  static size_t on_header(char* data, size_t size, size_t count,
                          void* self) noexcept;
  static size_t on_body(char* data, size_t size, size_t count,
                        void* self) noexcept;

  bool may_send();
  /// False = enough of them.
  bool count_header(std::string_view line);
  void header_line(std::string_view line);
  size_t body(std::string_view bytes);
  void let_go_of_body();

  ResponseHandler& handler_;
  Origin origin_;
  DeadlineClock clock_;
  CURL* easy_ = nullptr;
  Sending sending_ = once;
  bool sent_ = false;
  std::string* body_ = nullptr;  ///< the request's, to be let go
  int status_ = 0;
  bool http10_ = false;
  std::size_t header_bytes_ = 0;  ///< of all heads and of the trailer
  Headers headers_;
  bool head_done_ = false;
  Pausing pausing_;
  bool paused_ = false;
  /// Why a callback of ours stopped the transfer.
  std::optional<Error> stopped_;
};

}  // namespace llmproxy
