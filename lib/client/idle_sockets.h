// IdleSockets: the connections of an EngineLoop that wait for their next
// request. What an upstream says on one meanwhile answers nothing that was
// asked: it would be taken for the answer to the next request, which may be
// another client's (RFC 9112, section 9.2). libcurl 7.88 takes such a
// connection for one that lives.
#pragma once

#include <poll.h>

#include <string>
#include <unordered_map>
#include <vector>

namespace llmproxy {

class IdleSockets {
 public:
  /// Names a transfer; only compared.
  using User = const void*;

  /// A transfer uses it.
  void used(int socket, User user);
  /// Its number may soon be that of something else.
  void closed(int socket);
  /// A transfer left it, with its connection to `origin`. Nothing happens
  /// where it was closed at that, or another transfer uses it already: libcurl
  /// hands connections on before it says that a transfer is over.
  void left(const std::string& origin, int socket, User user);
  /// Shuts those of `origin` down on which something came; then libcurl takes
  /// them for dead.
  void shut_down_readable(const std::string& origin);

 private:
  struct Open {
    User user;           ///< null = it is idle
    std::string origin;  ///< where it is idle
  };

  std::unordered_map<int, Open> open_;
  std::unordered_map<std::string, std::vector<pollfd>> idle_;
};

}  // namespace llmproxy
