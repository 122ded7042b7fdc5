// Gateway: the whole proxy without an HTTP server. Give it a request and a
// place to write the answer; it routes, translates, calls the backend and
// streams. The llm-proxy binary mounts it on an HTTP/1.1 server of its own
// (server/), a host on whatever server it has.
//
// Thread-safe: one Gateway serves all connections. handle() returns when the
// answer is finished or the client is gone; run each call on a thread of its
// own (small stacks are fine: a streaming call only waits, the transport's
// engine does the work).
//
//   Gateway gateway(config, make_curl_transport(), &observer);
//   gateway.handle(request, sink);
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "llmproxy/byte_budget.h"
#include "llmproxy/config.h"
#include "llmproxy/export.h"
#include "llmproxy/http.h"
#include "llmproxy/large_body.h"
#include "llmproxy/stream.h"
#include "llmproxy/transport.h"

LLMPROXY_EXPORT_BEGIN
namespace llmproxy {

/// A client's request. The body is moved out by handle().
struct HttpRequest {
  std::string method = {};  ///< "POST"
  std::string path = {};    ///< "/v1/messages", as sent, still percent-encoded
  std::string query = {};   ///< "beta=true", without "?"; see from_target()
  /// As sent, in their order.
  Headers headers = {};
  /// The whole body; "" where there is none.
  std::string body = {};
  std::string peer = {};  ///< address of the client, for the log
  /// In place of `body`, which is empty then; null = there is none. See
  /// Gateway::takes_large_body().
  std::shared_ptr<const LargeBody> large_body = {};

  /// A request as HTTP writes it: path and query are parted at the first "?" of
  /// `target` ("/v1/messages?beta=true").
  static HttpRequest from_target(std::string method, std::string_view target,
                                 Headers headers = {}, std::string body = {},
                                 std::string peer = {});
  /// Path and query from such a target.
  void set_target(std::string_view target);
};

/// What a write came to.
enum class Written : std::uint8_t {
  ok,  ///< more may follow at once
  /// Taken and kept, but the client reads slowly: write no more until
  /// drain() says ok.
  not_now,
  /// The client is gone; nothing more can be written.
  gone,
};

/// Where an answer goes. Calls come in order, one at a time, but from more
/// than one thread: start, write and finish from the engine that receives
/// the upstream's bytes or from the thread in handle(); drain, abandon, taken
/// and client_gone only from the thread in handle().
class ResponseSink {
 public:
  virtual ~ResponseSink() = default;
  /// Status and headers (content-type included; content-length when the
  /// whole body follows in one write). Once, first. Does not block.
  virtual void start(int status, const Headers& headers) = 0;
  /// A piece of the body, sent at once. Does not block.
  virtual Written write(std::string_view bytes) = 0;
  /// The body is complete. Once, last; not called when the answer broke
  /// off in a way the client must notice.
  virtual Written finish() = 0;
  /// In place of finish(), last: the answer broke off, and some clients would
  /// take an orderly close for its end. What was written may leave, for
  /// `moment` at most; then the connection ends with a reset (SO_LINGER 0),
  /// without the last chunk. May block. A sink that does nothing here must
  /// close the connection of an answer without finish() by itself.
  virtual void abandon(std::chrono::milliseconds moment) { (void)moment; }
  /// Waits until everything written has left, at most `limit`. May block.
  virtual Written drain(std::chrono::milliseconds limit) = 0;
  /// Bytes that the client's side has taken so far, head and framing included
  /// or not; best those it acknowledged (SIOCOUTQ). A client for which this
  /// does not grow is given up, see ServerConfig::write_stall. A sink that
  /// cannot tell says nothing; then only drain() counts. Does not block.
  virtual std::optional<std::uint64_t> taken() { return std::nullopt; }
  /// True once the client closed its connection. Cheap; does not block.
  virtual bool client_gone() = 0;
  /// Has `left` called once when the client closes its connection, from any
  /// thread; it returns soon. An empty function ends that: on return `left` is
  /// not running any more. False = cannot be told; client_gone() is then asked
  /// a few times a second. Only from the thread in handle().
  // Those who override it keep the function.
  // NOLINTNEXTLINE(performance-unnecessary-value-param)
  virtual bool on_client_gone(std::function<void()> /*left*/) { return false; }
};

/// One finished request, for logs and metrics. Holds no content, no key.
struct RequestRecord {
  /// Of the Gateway's making; in the answer's header too.
  std::string request_id = {};
  std::string method = {};          ///< as HttpRequest::method
  std::string path = {};            ///< as HttpRequest::path
  std::string peer = {};            ///< as HttpRequest::peer
  std::string client_dialect = {};  ///< its name; empty = refused before that
  std::string model = {};           ///< as the client said it
  std::string upstream_model = {};  ///< as the backend was asked
  std::string backend =
      {};               ///< name in Config::backends; empty = none was chosen
  int status = 0;       ///< sent to the client; 499 = the client left first
  bool stream = false;  ///< the client wanted a stream
  /// Absent where the upstream did not say.
  std::optional<std::int64_t> input_tokens = {};
  std::optional<std::int64_t> output_tokens = {};  ///< as Usage::output_tokens
  std::optional<std::int64_t> cached_tokens =
      {};                  ///< as Usage::cached_input_tokens
  std::size_t losses = 0;  ///< how many, of request and answer
  /// "ok", or the kind of error ("upstream_truncated", "cancelled", ...).
  std::string outcome = {};
  /// Message of the error; never holds request content or keys.
  std::string error = {};
  /// Since the request was handed over. Absent when nothing was written.
  std::optional<std::chrono::microseconds> first_byte = {};
  /// Until the answer was over.
  std::chrono::microseconds total{0};
};

/// One thing that was decided about a request, for who looks for a fault. Keys
/// and texts of clients are in none.
struct RequestDetail {
  std::string name = {};  ///< "route", "upstream", "headers", "losses"
  std::string text = {};  ///< what it was, in one line
};

/// Told of every request. Called from many threads at once; must not throw.
/// The three calls about one request come in this order, with the same
/// request_id.
class Observer {
 public:
  virtual ~Observer() = default;
  /// It came; id, method, path and peer are known. On handle()'s thread.
  virtual void on_start(const RequestRecord& record) { (void)record; }
  /// The first byte of the answer's body is about to be written; `first_byte`
  /// says when. Not called for answers without a body. Perhaps on the
  /// transport's engine thread: must not block.
  virtual void on_first_byte(const RequestRecord& record) { (void)record; }
  /// Whether on_details() is to be called, which costs time.
  virtual bool wants_details() const { return false; }
  /// Before a request goes upstream, and where its answer loses something.
  /// Perhaps on the transport's engine thread: must not block.
  virtual void on_details(const RequestRecord& record,
                          const std::vector<RequestDetail>& details) {
    (void)record, (void)details;
  }
  /// It is over, and the record complete. On handle()'s thread.
  virtual void on_request(const RequestRecord& record) = 0;
};

/// Sees clients' requests before anything is decided about them, and the
/// heads of the answers: for a host's own authentication, rules and headers.
/// Called from many threads at once; must not throw.
class Interceptor {
 public:
  virtual ~Interceptor() = default;
  /// On handle()'s thread, which it may block, before the client's key is
  /// checked. It may change all of `request`; `dialect` is what the client
  /// speaks, as far as path and headers tell. (To change the model use
  /// ParsedRequest::with_model.) An error is the answer, written in that
  /// dialect. Not asked about requests that no endpoint will see: those of
  /// foreign web pages, and a browser's preflight.
  virtual Result<void> on_request(HttpRequest& request,
                                  const Dialect& dialect) {
    (void)request, (void)dialect;
    return {};
  }
  /// The answer begins so; headers may be added and changed. `record` is
  /// what is known by now. Of refused requests too. Perhaps on the
  /// transport's engine thread: must not block.
  virtual void on_answer(const RequestRecord& record, int status,
                         Headers& headers) {
    (void)record, (void)status, (void)headers;
  }
};

/// What a host adds to a Gateway; all of it optional.
struct GatewayHooks {
  /// Borrowed; lives as long as the Gateway.
  Observer* observer = nullptr;
  /// Borrowed; lives as long as the Gateway.
  Interceptor* interceptor = nullptr;
  /// Counts limits instead of the Gateway's own memory: one object for several
  /// Gateways, or a host's class over a store that several processes share.
  /// Asked where Config::limits is enabled, on handle()'s thread, which it
  /// may block; the rules it applies are its own.
  std::shared_ptr<Limiter> limiter = {};
};

/// The proxy behind a host's own server; see the top of this file.
class Gateway {
 public:
  /// `observer` is borrowed and may be null. Backends whose base URL begins
  /// with `demo:` are served by make_demo_transport(), all others by
  /// `transport`.
  Gateway(Config config, std::shared_ptr<Transport> transport,
          Observer* observer = nullptr);
  /// The same with all that a host may add.
  Gateway(Config config, std::shared_ptr<Transport> transport,
          GatewayHooks hooks);
  /// Not while a handle() runs.
  ~Gateway();

  /// Whether a request may come in, by its head alone: for servers that have
  /// not read the body yet, and need not where the answer is no. False = that
  /// answer has been written, and the observer told; else go on with handle(),
  /// which asks the same again. `head` has no body. With an Interceptor, which
  /// may change heads and let in whom it likes, only web pages that are not
  /// allowed are refused here.
  bool admit(const HttpRequest& head, ResponseSink& sink);

  /// Whether the body of this request may be larger than memory should hold: an
  /// upload (multipart/form-data) to an endpoint that passes it on. A server
  /// then keeps it elsewhere, up to ServerConfig::max_upload_bytes, and hands
  /// it over as HttpRequest::large_body; one that does not may hand it over as
  /// any other body. `head` has no body.
  bool takes_large_body(const HttpRequest& head) const;

  /// Answers one request; see the top of this file.
  void handle(HttpRequest request, ResponseSink& sink);

  /// What bodies and answers hold, by ServerConfig::max_bytes_in_flight. A
  /// host's server leases from it what it reads of a body.
  ByteBudget& budget();

  /// Ends every call that still runs with an error, in the client's dialect,
  /// and refuses new ones; for hosts that are about to exit. Returns at once.
  void shut_down();

  /// What it serves. Lives as long as this object.
  const Config& config() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace llmproxy
LLMPROXY_EXPORT_END
