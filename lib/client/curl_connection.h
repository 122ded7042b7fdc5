// CurlConnection: an easy handle with a small event loop of its own, and the
// one connection that it keeps warm. All waiting is done by the calling thread
// (llmproxy/waiting.h).
//
// Two ways to use it, one or the other for all its life: run() leaves
// everything to libcurl, HTTP/2 too. open() has libcurl find the host, connect
// and speak TLS, also through a proxy; what is sent and received then is the
// caller's (http1_exchange.h), at a tenth of the instructions.
#pragma once

#include <curl/curl.h>
#include <poll.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "client/easy_handle.h"
#include "llmproxy/transport.h"

namespace llmproxy {

class CurlConnection {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// Null when the process has no memory or descriptors left.
  static std::unique_ptr<CurlConnection> create(
      const CurlOptions& options, std::shared_ptr<SharedCache> cache);
  ~CurlConnection();
  CurlConnection(const CurlConnection&) = delete;
  CurlConnection& operator=(const CurlConnection&) = delete;

  /// Runs one transfer to its end, on_done included.
  void run(const UpstreamRequest& request, CurlTransfer& transfer,
           const Cancelled& cancelled, std::chrono::milliseconds max_idle);

  /// Connects anew; what was open is closed. Errors: we gave up.
  Result<CURLcode> open(const UpstreamRequest& request, CurlTransfer& transfer,
                        const Cancelled& cancelled);
  /// It is open, was used less than `max_idle` ago, and the peer has said
  /// nothing since then, not even that it closes.
  bool usable(Time now, std::chrono::milliseconds max_idle);
  /// As curl_easy_send() and curl_easy_recv(): CURLE_AGAIN where it would have
  /// to wait. What is received is empty when the peer has closed.
  CURLcode send(std::string_view& bytes);
  CURLcode receive(char* to, std::size_t size, std::string_view& got);
  /// Until one of poll(2)'s `events`, or that time.
  void wait(short events, Time until);
  /// An exchange has ended well.
  void keep(Time now) { used_ = now; }
  void close();

  EasyHandle& handle() { return *handle_; }

 private:
  CurlConnection(CURLM* loop, std::unique_ptr<EasyHandle> handle);
  static int on_socket(CURL* easy, curl_socket_t socket, int what, void* self,
                       void* known);
  static int on_timer(CURLM* loop, long milliseconds, void* self);

  /// Runs until libcurl is done or we gave up; then the error says why.
  Result<CURLcode> drive(CurlTransfer& transfer, const Cancelled& cancelled);
  /// Waits for the sockets and lets libcurl do what there is to do.
  CURLMcode turn(Time until);

  CURLM* loop_;
  std::unique_ptr<EasyHandle> handle_;
  std::vector<pollfd> sockets_;  ///< what libcurl waits for
  std::vector<pollfd> ready_;    ///< the same, while it is told of them
  Time curl_due_ = Time::max();  ///< when libcurl wants to be called
  // Of a connection that is ours to use.
  curl_socket_t socket_ = CURL_SOCKET_BAD;
  Time used_;
};

/// `cancelled` is asked at least four times a second (transport.h).
inline constexpr std::chrono::milliseconds kAskInterval{200};

}  // namespace llmproxy
