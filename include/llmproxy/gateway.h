// Gateway: the whole proxy without an HTTP server. Give it a request and a
// place to write the answer; it routes, translates, calls the backend and
// streams. The llm-proxy binary mounts it on cpp-httplib; a host mounts it in
// its own server.
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

#include "llmproxy/config.h"
#include "llmproxy/export.h"
#include "llmproxy/http.h"
#include "llmproxy/stream.h"
#include "llmproxy/transport.h"

LLMPROXY_EXPORT_BEGIN
namespace llmproxy {

/// A client's request. The body is moved out by handle().
struct HttpRequest {
  std::string method;  ///< "POST"
  std::string path;    ///< "/v1/messages", as sent, still percent-encoded
  std::string query;   ///< "beta=true", without "?"
  /// As sent, in their order.
  Headers headers;
  /// The whole body; "" where there is none.
  std::string body;
  std::string peer;  ///< address of the client, for the log
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
/// the upstream's bytes or from the thread in handle(); drain and
/// client_gone only from the thread in handle().
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
  /// Waits until everything written has left, at most `limit`. May block.
  virtual Written drain(std::chrono::milliseconds limit) = 0;
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
  std::string request_id;
  std::string method;          ///< as HttpRequest::method
  std::string path;            ///< as HttpRequest::path
  std::string peer;            ///< as HttpRequest::peer
  std::string client_dialect;  ///< its name; empty = refused before that
  std::string model;           ///< as the client said it
  std::string upstream_model;  ///< as the backend was asked
  std::string backend;  ///< name in Config::backends; empty = none was chosen
  int status = 0;       ///< sent to the client; 499 = the client left first
  bool stream = false;  ///< the client wanted a stream
  /// Absent where the upstream did not say.
  std::optional<std::int64_t> input_tokens;
  std::optional<std::int64_t> output_tokens;  ///< as Usage::output_tokens
  std::optional<std::int64_t> cached_tokens;  ///< as Usage::cached_input_tokens
  std::size_t losses = 0;  ///< how many, of request and answer
  /// "ok", or the kind of error ("upstream_truncated", "cancelled", ...).
  std::string outcome;
  /// Message of the error; never holds request content or keys.
  std::string error;
  /// Since the request was handed over. Absent when nothing was written.
  std::optional<std::chrono::microseconds> first_byte;
  /// Until the answer was over.
  std::chrono::microseconds total{0};
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

  /// Answers one request; see the top of this file.
  void handle(HttpRequest request, ResponseSink& sink);

  /// What it serves. Lives as long as this object.
  const Config& config() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace llmproxy
LLMPROXY_EXPORT_END
