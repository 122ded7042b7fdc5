// Transport: the one way to the network. The library ships one on libcurl
// (make_curl_transport), one that answers by itself (make_demo_transport);
// tests and hosts bring their own.
//
// Two ways to run a transfer. perform() runs it on the calling thread: best
// for short calls. start() returns at once and runs it on the transport's own
// engine thread, which calls the handler: best for streams, thousands of them
// on one thread. Handlers are called for one transfer at a time and never
// after on_done.
//
// Thread-safe: one Transport serves all threads. The functions of a Transfer
// may be called from any thread, also from its own handler: a Transport holds
// no lock that they take while it calls one. It also lets its last reference
// be dropped by a handler, on its own engine thread.
//
//   struct Print : ResponseHandler {
//     void on_head(int status, const Headers&) override {}
//     Flow on_body(std::string_view bytes) override {
//       std::cout << bytes;
//       return Flow::go_on;
//     }
//     void on_done(const Result<void>& result) override {}
//   } print;
//   make_curl_transport()->perform(request, print);
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "llmproxy/export.h"
#include "llmproxy/http.h"
#include "llmproxy/large_body.h"
#include "llmproxy/result.h"

LLMPROXY_EXPORT_BEGIN
namespace llmproxy {

/// How long to wait for what. Zero = no limit.
struct Deadlines {
  /// DNS, TCP and TLS.
  std::chrono::milliseconds connect{10'000};
  /// Until the first byte of the answer's head. Models think.
  std::chrono::milliseconds first_byte{600'000};
  /// Silence between two reads of the body.
  std::chrono::milliseconds idle{300'000};
  /// Everything together.
  std::chrono::milliseconds total{0};

  bool operator==(const Deadlines&) const = default;
};

/// One request to an upstream, credentials included.
struct UpstreamRequest {
  std::string method = "POST";  ///< in capitals
  std::string url = {};         ///< whole, query included
  Headers headers = {};         ///< sent as they are; holds the key
  std::string body = {};        ///< may be empty
  Deadlines deadlines = {};     ///< of this request
  /// Compressed answers are unpacked, also where that was not asked for; the
  /// headers still say how they came. False: bytes as they come.
  bool unpack = true;
  /// In place of `body`, which is empty then; null = there is none. Sent in
  /// pieces, each read when it is wanted. make_demo_transport() does not look
  /// at it, recordings do not hold it.
  std::shared_ptr<const LargeBody> large_body = {};
};

/// What a handler wants after a piece of the body.
enum class Flow : std::uint8_t {
  go_on,  ///< more, as it comes
  /// Taken, but no more until Transfer::resume(); the upstream feels it.
  pause,
  /// Enough; the transfer ends as cancelled.
  stop,
};

/// Receives one answer: head once, body in pieces, done exactly once. It should
/// not throw: the library's transports end the transfer with an error then
/// (cancelled, of Fault::client), and drop what on_done throws.
class ResponseHandler {
 public:
  virtual ~ResponseHandler() = default;
  /// The answer begins. Not called when no answer came.
  virtual void on_head(int status, const Headers& headers) = 0;
  /// A piece of the body, as it came off the network; lives until this
  /// returns.
  virtual Flow on_body(std::string_view bytes) = 0;
  /// Success: the whole answer arrived (whatever its HTTP status). Errors:
  /// upstream_unreachable, timeout, upstream_truncated, cancelled.
  virtual void on_done(const Result<void>& result) = 0;
};

/// A running transfer. Dropping the handle does not cancel it.
class Transfer {
 public:
  virtual ~Transfer() = default;
  /// Ends it soon with `cancelled`; harmless when it is over.
  virtual void cancel() = 0;
  /// Ends a pause; harmless when there is none. Not lost when it comes while
  /// the on_body that asks for the pause has yet to return.
  virtual void resume() = 0;
  /// Nothing more of the answer is wanted: the upstream gets about a second to
  /// end it, so that its connection can be used again; then the transfer ends
  /// with any error. A transport whose answers end by themselves need not do
  /// anything.
  virtual void linger() {}
};

/// Tells perform() to give up. Asked before anything is sent, and then at least
/// four times a second, also while the upstream is silent; may be empty.
using Cancelled = std::function<bool()>;

/// Runs transfers; see the top of this file.
class Transport {
 public:
  virtual ~Transport() = default;
  /// Runs the transfer on this thread and returns after on_done. A `pause`
  /// from the handler is not allowed here.
  virtual void perform(const UpstreamRequest& request, ResponseHandler& handler,
                       const Cancelled& cancelled = {}) = 0;
  /// Starts it on the engine. `handler` must live until on_done, which is
  /// called from the engine thread, never from within start(). A request
  /// without a URL is how an error gets there: it must fail, or answer with
  /// an error, and go nowhere.
  virtual std::shared_ptr<Transfer> start(UpstreamRequest request,
                                          ResponseHandler& handler) = 0;
};

/// What make_curl_transport() may be told.
struct CurlOptions {
  /// Idle keep-alive connections kept in all.
  std::size_t max_idle_connections = 512;
  /// An idle connection is not used again after this long: servers close
  /// theirs too, many after 5 s, and a request that meets the close is lost.
  /// Shorter where the upstream announces less (`Keep-Alive: timeout=`, one
  /// second less than that).
  std::chrono::milliseconds max_idle{4000};
  std::string user_agent = {};  ///< empty = "llmproxy/<version>"
  /// PEM file of trusted roots; empty = the system's.
  std::string ca_file = {};
  /// HTTP/2 where a TLS upstream offers it; each call still has a connection
  /// of its own, so this only helps with upstreams that want it.
  bool http2 = false;
};

/// HTTP/1.1 over connections that libcurl opens: pooled, with shared names and
/// TLS sessions and TCP_NODELAY; no redirects.
/// Certificates are always checked. https_proxy and no_proxy of the
/// environment are honoured; http_proxy is not, as it would see the key.
/// Dropping the last reference cancels what start() began, and returns after
/// the last on_done. A child of fork() may use it, too: it gets an engine and
/// connections of its own, and calls that ran in its parent stay there. Null
/// when the process has no descriptor or thread left.
std::shared_ptr<Transport> make_curl_transport(const CurlOptions& options = {});

/// Answers by itself, offline, in every dialect: URLs start with "demo:" and
/// end in a dialect's upstream_path. The model behind it is deterministic;
/// its words are the only clock. For trying out and for tests.
std::shared_ptr<Transport> make_demo_transport();

}  // namespace llmproxy
LLMPROXY_EXPORT_END
