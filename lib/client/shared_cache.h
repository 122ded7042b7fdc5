// SharedCache: what all transfers of a transport may know of their upstreams:
// resolved names and TLS sessions. A new connection then mostly needs neither
// a name server nor a whole handshake, which matters most when many connect
// again at once after an idle period.
//
// Thread-safe. Outlives the handles that use it.
#pragma once

#include <curl/curl.h>

#include <array>
#include <memory>
#include <mutex>

namespace llmproxy {

class SharedCache {
 public:
  /// Null when libcurl has no memory left.
  static std::shared_ptr<SharedCache> create();
  ~SharedCache();
  SharedCache(const SharedCache&) = delete;
  SharedCache& operator=(const SharedCache&) = delete;

  void attach(CURL* easy) const;

 private:
  explicit SharedCache(CURLSH* share);
  static void lock(CURL*, curl_lock_data what, curl_lock_access, void* self);
  static void unlock(CURL*, curl_lock_data what, void* self);

  CURLSH* const share_;
  std::array<std::mutex, CURL_LOCK_DATA_LAST> mutexes_;
};

}  // namespace llmproxy
