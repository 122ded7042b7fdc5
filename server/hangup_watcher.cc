#include "server/hangup_watcher.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "server/epoll.h"

namespace llmproxy {
namespace {

constexpr int kEventsAtOnce = 64;

}  // namespace

HangupWatcher::HangupWatcher()
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      stop_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  // Without descriptors nothing can be watched, and watch() says so.
  if (epoll_control(epoll_, EPOLL_CTL_ADD, stop_, EPOLLIN)) {
    thread_ = std::thread([this] { run(); });
  }
}

HangupWatcher::~HangupWatcher() {
  if (thread_.joinable()) {
    ::eventfd_write(stop_, 1);
    thread_.join();
  }
  if (stop_ >= 0) ::close(stop_);
  if (epoll_ >= 0) ::close(epoll_);
}

bool HangupWatcher::watch(int socket, Told told) {
  if (!thread_.joinable()) return false;
  const std::lock_guard lock(mutex_);
  // Once: who hung up stays so.
  if (!epoll_control(epoll_, EPOLL_CTL_ADD, socket,
                     EPOLLRDHUP | EPOLLONESHOT)) {
    return false;
  }
  watched_[socket] = std::move(told);
  return true;
}

void HangupWatcher::forget(int socket) {
  const std::lock_guard lock(mutex_);
  if (watched_.erase(socket) > 0)
    epoll_control(epoll_, EPOLL_CTL_DEL, socket, 0);
}

void HangupWatcher::tell(int socket, bool broken) {
  // Called under the lock, so that forget() waits for it.
  const std::lock_guard lock(mutex_);
  const auto found = watched_.find(socket);
  if (found == watched_.end()) return;
  if (!found->second || found->second(broken)) {
    found->second = nullptr;
    return;
  }
  // A break is told without being asked for.
  epoll_control(epoll_, EPOLL_CTL_MOD, socket, EPOLLONESHOT);
}

void HangupWatcher::run() {
  std::array<epoll_event, kEventsAtOnce> events;
  for (;;) {
    const int count =
        ::epoll_wait(epoll_, events.data(), kEventsAtOnce, /*timeout=*/-1);
    if (count < 0 && errno != EINTR) return;
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == stop_) return;
      const std::uint32_t what = events[static_cast<std::size_t>(i)].events;
      tell(fd, (what & (EPOLLHUP | EPOLLERR)) != 0);
    }
  }
}

}  // namespace llmproxy
