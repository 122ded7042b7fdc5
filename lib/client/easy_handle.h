// EasyHandle: a libcurl easy handle that is kept and used again. Options that
// never change are set once when it is made, the others when a request is
// loaded.
#pragma once

#include <curl/curl.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "client/curl_transfer.h"
#include "client/http1_request.h"
#include "client/shared_cache.h"
#include "llmproxy/transport.h"

namespace llmproxy {

/// Initialises libcurl, once in the life of the process. True on success.
bool init_curl();

class EasyHandle {
 public:
  /// Null when libcurl has no memory left.
  static std::unique_ptr<EasyHandle> create(const CurlOptions& options,
                                            std::shared_ptr<SharedCache> cache);
  ~EasyHandle();
  EasyHandle(const EasyHandle&) = delete;
  EasyHandle& operator=(const EasyHandle&) = delete;

  /// The first two must live, unmoved, until unload(). Connections that were
  /// idle for longer than `max_idle` are not used. Errors: internal, for a
  /// header that HTTP does not allow.
  Result<void> load(const UpstreamRequest& request, CurlTransfer& transfer,
                    std::chrono::milliseconds max_idle);
  /// Forgets the request; the handle must not be running.
  void unload();

  /// In place of load(): to connect with the request's host, no more.
  void load_connection(const UpstreamRequest& request, const Origin& origin);
  /// What is to be sent to the host of `url`; null where that is no URL. Lives
  /// until it is asked for another.
  const Http1Target* target_of(const std::string& url);
  /// Who asks, where the request says nothing else.
  std::string_view agent() const;

  CURL* get() const { return easy_; }
  /// libcurl's sentence about the last failure.
  std::string_view detail() const { return detail_.data(); }

 private:
  EasyHandle(CURL* easy, const CurlOptions& options,
             std::shared_ptr<SharedCache> cache);
  /// False = it cannot be taken apart.
  bool parse(const std::string& url);
  void load_url(const std::string& url);
  void load_route(const Origin& origin, const Deadlines& deadlines);
  void load_idle_time(std::chrono::milliseconds max_idle);
  Result<void> load_headers(const UpstreamRequest& request);
  void load_body(const UpstreamRequest& request);
  void load_large_body(const LargeBody& body, CurlTransfer& transfer);
  size_t read_large_body(char* to, size_t size);
  // libcurl's callbacks. Nothing may be thrown through C code.
  static size_t on_read(char* to, size_t size, size_t count,
                        void* self) noexcept;
  static int on_seek(void* self, curl_off_t offset, int origin) noexcept;

  const std::shared_ptr<SharedCache> cache_;
  CURL* easy_;
  /// Taken apart once: the next request mostly goes to the same place.
  CURLU* const address_;
  std::string url_;     ///< what address_ holds
  Http1Target target_;  ///< the same, if it was asked for
  std::string agent_;   ///< the header that says who asks
  curl_slist* headers_ = nullptr;
  /// Of a request with a large body; borrowed.
  const LargeBody* large_body_ = nullptr;
  CurlTransfer* transfer_ = nullptr;
  std::uint64_t read_ = 0;  ///< of large_body_
  std::array<char, CURL_ERROR_SIZE> detail_{};
};

}  // namespace llmproxy
