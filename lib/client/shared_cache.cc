#include "client/shared_cache.h"

namespace llmproxy {

std::shared_ptr<SharedCache> SharedCache::create() {
  CURLSH* share = curl_share_init();
  if (share == nullptr) return nullptr;
  return std::shared_ptr<SharedCache>(new SharedCache(share));
}

SharedCache::SharedCache(CURLSH* share) : share_(share) {
  curl_share_setopt(share, CURLSHOPT_LOCKFUNC, &SharedCache::lock);
  curl_share_setopt(share, CURLSHOPT_UNLOCKFUNC, &SharedCache::unlock);
  curl_share_setopt(share, CURLSHOPT_USERDATA, this);
  curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
  curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
}

SharedCache::~SharedCache() { curl_share_cleanup(share_); }

void SharedCache::attach(CURL* easy) const {
  curl_easy_setopt(easy, CURLOPT_SHARE, share_);
}

void SharedCache::lock(CURL*, curl_lock_data what, curl_lock_access,
                       void* self) {
  static_cast<SharedCache*>(self)->mutexes_[what].lock();
}

void SharedCache::unlock(CURL*, curl_lock_data what, void* self) {
  static_cast<SharedCache*>(self)->mutexes_[what].unlock();
}

}  // namespace llmproxy
