#include "client/idle_sockets.h"

#include <sys/socket.h>

#include <cstddef>

namespace llmproxy {
namespace {

/// libcurl takes a connection for alive as long as there is something to read.
/// What is not thrown away meets an error when the next request is sent.
void kill(int socket) {
  constexpr std::size_t kAtOnce = std::size_t{1} << 20;
  constexpr int kMost = 16;
  ::shutdown(socket, SHUT_RDWR);
  for (int i = 0; i < kMost; ++i) {
    if (::recv(socket, nullptr, kAtOnce, MSG_TRUNC | MSG_DONTWAIT) <= 0) return;
  }
}

}  // namespace

void IdleSockets::used(int socket, User user) {
  closed(socket);
  open_[socket] = {user, {}};
}

void IdleSockets::closed(int socket) {
  const auto found = open_.find(socket);
  if (found == open_.end()) return;
  const auto group = idle_.find(found->second.origin);
  open_.erase(found);
  if (group == idle_.end()) return;
  std::erase_if(group->second,
                [socket](const pollfd& row) { return row.fd == socket; });
  if (group->second.empty()) idle_.erase(group);
}

void IdleSockets::left(const std::string& origin, int socket, User user) {
  const auto found = open_.find(socket);
  if (found == open_.end() || found->second.user != user) return;
  found->second = {nullptr, origin};
  idle_[origin].push_back({socket, POLLIN, 0});
}

void IdleSockets::shut_down_readable(const std::string& origin) {
  const auto found = idle_.find(origin);
  if (found == idle_.end()) return;
  std::vector<pollfd>& group = found->second;
  if (::poll(group.data(), group.size(), 0) <= 0) return;
  for (const pollfd& row : group) {
    if (row.revents != 0) kill(row.fd);
  }
}

}  // namespace llmproxy
