// IdleSockets: only what is idle is looked at, and shut down.
#include "client/idle_sockets.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstdint>

#include "support/http_stub.h"

namespace llmproxy {
namespace {

struct Pair {
  Pair() {
    const auto [listener, port] = testing::bound_socket();
    REQUIRE(::listen(listener, 1) == 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    ends[0] = ::socket(AF_INET, SOCK_STREAM, 0);
    REQUIRE(::connect(ends[0], reinterpret_cast<sockaddr*>(&to), sizeof(to)) ==
            0);
    ends[1] = ::accept(listener, nullptr, nullptr);
    ::close(listener);
  }
  ~Pair() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  int ours() const { return ends[0]; }
  /// Returns when it has come.
  void say() const {
    REQUIRE(::send(ends[1], "x", 1, 0) == 1);
    pollfd row{ends[0], POLLIN, 0};
    REQUIRE(::poll(&row, 1, 5000) == 1);
  }
  /// What was said can still be read.
  bool lives() const {
    char byte = 0;
    return ::recv(ends[0], &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 1;
  }

  std::array<int, 2> ends{};
};

constexpr char kFirst = 'a';
constexpr char kSecond = 'b';

TEST_CASE("an idle socket on which something came is shut down") {
  const Pair pair;
  IdleSockets sockets;
  sockets.used(pair.ours(), &kFirst);
  sockets.left("http://a", pair.ours(), &kFirst);
  sockets.shut_down_readable("http://a");
  pair.say();
  sockets.shut_down_readable("http://b");
  CHECK(pair.lives());
  sockets.shut_down_readable("http://a");
  CHECK_FALSE(pair.lives());
}

// libcurl gives the connection of a transfer to the next one before it says
// that the first is over.
TEST_CASE("a socket that the next transfer uses already is left alone") {
  const Pair pair;
  IdleSockets sockets;
  sockets.used(pair.ours(), &kFirst);
  sockets.used(pair.ours(), &kSecond);
  sockets.left("http://a", pair.ours(), &kFirst);
  pair.say();
  sockets.shut_down_readable("http://a");
  CHECK(pair.lives());
  sockets.left("http://a", pair.ours(), &kSecond);
  sockets.shut_down_readable("http://a");
  CHECK_FALSE(pair.lives());
}

TEST_CASE("a socket in use, or closed meanwhile, is left alone") {
  const Pair pair;
  IdleSockets sockets;
  sockets.used(pair.ours(), &kFirst);
  sockets.left("http://a", pair.ours(), &kFirst);
  sockets.used(pair.ours(), &kSecond);
  pair.say();
  sockets.shut_down_readable("http://a");
  CHECK(pair.lives());
  sockets.closed(pair.ours());
  sockets.left("http://a", pair.ours(), &kSecond);
  sockets.shut_down_readable("http://a");
  CHECK(pair.lives());
}

}  // namespace
}  // namespace llmproxy
