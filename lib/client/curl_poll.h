// What libcurl waits for, in the words of poll(2); those of epoll(7) have the
// same bits.
#pragma once

#include <curl/curl.h>
#include <poll.h>

namespace llmproxy {

/// For CURLMOPT_SOCKETFUNCTION's `what`.
inline short poll_events(int what) {
  return static_cast<short>((what & CURL_POLL_IN ? POLLIN : 0) |
                            (what & CURL_POLL_OUT ? POLLOUT : 0));
}

/// For curl_multi_socket_action(). A hang-up is reported as readable: what the
/// peer sent before it is still to be read, and libcurl takes CURL_CSELECT_ERR
/// as a lost connection.
inline int curl_events(unsigned events) {
  return (events & (POLLIN | POLLHUP | POLLERR) ? CURL_CSELECT_IN : 0) |
         (events & (POLLOUT | POLLERR) ? CURL_CSELECT_OUT : 0);
}

}  // namespace llmproxy
