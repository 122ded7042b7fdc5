// epoll_ctl(2) for descriptors that are told apart by their number.
#pragma once

#include <sys/epoll.h>

#include <cstdint>

namespace llmproxy {

/// False = refused, errno says why.
inline bool epoll_control(int epoll, int operation, int fd,
                          std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  return ::epoll_ctl(epoll, operation, fd, &event) == 0;
}

}  // namespace llmproxy
