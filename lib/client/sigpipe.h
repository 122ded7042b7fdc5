// SigpipeGuard: keeps a write to a connection that the peer closed from
// killing the process. Plain sockets are written with MSG_NOSIGNAL, but
// OpenSSL uses write(). The host's own handling of SIGPIPE, which belongs to
// the whole process, is left alone: only this thread blocks it for a while.
#pragma once

#include <csignal>

namespace llmproxy {

class SigpipeGuard {
 public:
  SigpipeGuard();
  ~SigpipeGuard();
  SigpipeGuard(const SigpipeGuard&) = delete;
  SigpipeGuard& operator=(const SigpipeGuard&) = delete;

 private:
  sigset_t before_;
  bool was_pending_;
};

}  // namespace llmproxy
