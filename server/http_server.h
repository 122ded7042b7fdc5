// HttpServer: HTTP/1.1 on a socket for a handler that answers through a
// ResponseSink. cpp-httplib binds and accepts; reading requests and
// writing answers is ours (connection.h says how), because its own ways are
// unbounded and cannot stream without blocking.
//
// run() and stop() are for two threads; everything else before run().
//
//   HttpServer server(options, handler, &observer);
//   if (auto bound = server.bind("127.0.0.1", 0); !bound) ...
//   server.run();
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "llmproxy/gateway.h"
#include "llmproxy/result.h"
#include "server/connection.h"

namespace llmproxy {

class HttpServer {
 public:
  /// `handler` runs on fibers, many at once: it waits by what waiting.h has and
  /// does not block its thread. `observer` is borrowed, may be
  /// null, and hears of the requests that were refused before the handler.
  HttpServer(const HttpServerOptions& options, HttpHandler handler,
             Observer* observer = nullptr);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer();

  /// Port 0 lets the kernel choose. Errors: invalid_request with the reason.
  Result<void> bind(const std::string& host, int port);
  /// The port bound to.
  int port() const;

  /// Serves until stop().
  void run();
  /// Ends accepting at once, idle connections too; lets running requests
  /// finish for `grace`, then breaks their connections. False = some did not
  /// end even then; the process should exit without destroying anything.
  bool stop(std::chrono::milliseconds grace);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace llmproxy
