// How an answer looks on the socket, and that writing it never blocks.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <string>
#include <thread>

#include "server/socket_sink.h"

using namespace llmproxy;
using namespace std::chrono_literals;

namespace {

/// A sink's socket and its client's. SOCK_SEQPACKET keeps each send apart.
struct Wire {
  explicit Wire(int type = SOCK_STREAM) {
    int both[2];
    REQUIRE(::socketpair(AF_UNIX, type, 0, both) == 0);
    server = both[0];
    client = both[1];
  }
  ~Wire() {
    hang_up();
    ::close(server);
  }
  void hang_up() {
    if (client >= 0) ::close(client);
    client = -1;
  }
  /// One read; empty = nothing there.
  std::string piece() const {
    char buffer[1 << 16];
    const ssize_t got = ::recv(client, buffer, sizeof(buffer), MSG_DONTWAIT);
    return got > 0 ? std::string(buffer, static_cast<std::size_t>(got)) : "";
  }
  std::string all() const {
    std::string text;
    for (std::string more = piece(); !more.empty(); more = piece())
      text += more;
    return text;
  }

  int server = -1;
  int client = -1;
};

const Headers kJson{{"content-type", "application/json"}};

}  // namespace

TEST_CASE("an answer of known length is one send, head and body together") {
  Wire wire(SOCK_SEQPACKET);
  SocketSink sink(wire.server, {});
  sink.start(200,
             {{"content-type", "application/json"}, {"content-length", "2"}});
  CHECK(wire.piece().empty());
  CHECK(sink.write("{}") == Written::ok);
  CHECK(sink.finish() == Written::ok);
  CHECK(wire.piece() ==
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
        "content-length: 2\r\n\r\n{}");
  CHECK(wire.piece().empty());
  CHECK(sink.complete());
  CHECK(sink.reusable());
}

TEST_CASE("an answer of unknown length goes in chunks, one send each") {
  Wire wire(SOCK_SEQPACKET);
  SocketSink sink(wire.server, {});
  sink.start(200, {{"content-type", "text/event-stream"}});
  CHECK(sink.write("data: 1\n\n") == Written::ok);
  CHECK(wire.piece() ==
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
        "transfer-encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n");
  CHECK(sink.write(std::string(26, 'x')) == Written::ok);
  CHECK(wire.piece() == "1a\r\n" + std::string(26, 'x') + "\r\n");
  // An empty chunk would end the body.
  CHECK(sink.write("") == Written::ok);
  CHECK(wire.piece().empty());
  CHECK_FALSE(sink.complete());
  CHECK(sink.finish() == Written::ok);
  CHECK(wire.piece() == "0\r\n\r\n");
  CHECK(sink.reusable());
}

TEST_CASE("HTTP/1.0 gets no chunks and the connection ends the body") {
  Wire wire;
  SocketSink sink(wire.server, {.http10 = true, .keep_alive = true});
  sink.start(200, kJson);
  sink.write("a");
  sink.write("b");
  sink.finish();
  CHECK(wire.all() ==
        "HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n"
        "connection: close\r\n\r\nab");
  CHECK(sink.complete());
  CHECK_FALSE(sink.reusable());
}

TEST_CASE("HTTP/1.0 may keep the connection when the length is known") {
  Wire wire;
  SocketSink sink(wire.server, {.http10 = true, .keep_alive = true});
  sink.start(404, {{"Content-Length", "1"}});
  sink.write("x");
  sink.finish();
  CHECK(wire.all() ==
        "HTTP/1.0 404 Not Found\r\ncontent-length: 1\r\n"
        "connection: keep-alive\r\n\r\nx");
  CHECK(sink.reusable());
}

TEST_CASE("HEAD gets the length but no body") {
  Wire wire;
  SocketSink sink(wire.server, {.head_only = true});
  sink.start(200, kJson);
  CHECK(sink.write("{\"status\":") == Written::ok);
  CHECK(sink.write("\"ok\"}") == Written::ok);
  sink.finish();
  CHECK(wire.all() ==
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
        "content-length: 15\r\n\r\n");
  CHECK(sink.reusable());
}

TEST_CASE("HEAD without a word about the body says nothing of its length") {
  Wire wire;
  SocketSink sink(wire.server, {.head_only = true});
  sink.start(200, kJson);
  CHECK(sink.drain(1s) == Written::ok);
  sink.finish();
  CHECK(wire.all() ==
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n");
  CHECK(sink.reusable());
}

TEST_CASE("answers without a body say so, or need not") {
  Wire wire;
  {
    SocketSink sink(wire.server, {.keep_alive = false});
    sink.start(500, {});
    sink.finish();
    CHECK(wire.all() ==
          "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n"
          "connection: close\r\n\r\n");
  }
  SocketSink sink(wire.server, {});
  sink.start(204, {});
  sink.finish();
  CHECK(wire.all() == "HTTP/1.1 204 No Content\r\n\r\n");
  CHECK(sink.reusable());
}

TEST_CASE("a header's value cannot add a header, nor change the framing") {
  Wire wire;
  SocketSink sink(wire.server, {});
  sink.start(200, {{"retry-after", "1\r\nset-cookie: a=b"},
                   {"Transfer-Encoding", "gzip"},
                   {"Connection", "upgrade"},
                   {"content-length", "0"}});
  sink.finish();
  CHECK(wire.all() ==
        "HTTP/1.1 200 OK\r\nretry-after: 1  set-cookie: a=b\r\n"
        "content-length: 0\r\n\r\n");
}

TEST_CASE("a body that is not as long as promised spoils the connection") {
  Wire wire;
  SECTION("shorter") {
    SocketSink sink(wire.server, {});
    sink.start(200, {{"content-length", "10"}});
    sink.write("short");
    sink.finish();
    CHECK_FALSE(sink.complete());
    CHECK_FALSE(sink.reusable());
  }
  SECTION("longer: the rest is not sent") {
    SocketSink sink(wire.server, {});
    sink.start(200, {{"content-length", "3"}});
    sink.write("abcdef");
    sink.write("ghi");
    sink.finish();
    CHECK_FALSE(sink.reusable());
    CHECK(wire.all() == "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc");
  }
}

TEST_CASE("an answer that breaks off has no last chunk") {
  Wire wire;
  {
    SocketSink sink(wire.server, {});
    sink.start(200, kJson);
    sink.write("half");
    sink.break_off();
    CHECK_FALSE(sink.complete());
    CHECK(sink.write("more") == Written::gone);
    CHECK(sink.finish() == Written::gone);
  }
  const std::string sent = wire.all();
  CHECK(sent.ends_with("4\r\nhalf\r\n"));
}

TEST_CASE("a slow reader is told of, and what waits is sent later") {
  Wire wire;
  SocketSink sink(wire.server, {});
  sink.start(200, kJson);
  const std::string piece(50'000, 'p');
  int pieces = 0;
  Written written = Written::ok;
  while (written == Written::ok && pieces < 1000) {
    written = sink.write(piece);
    ++pieces;
  }
  REQUIRE(written == Written::not_now);
  CHECK(sink.kept_bytes() > 0);
  CHECK(sink.drain(0ms) == Written::not_now);
  // Taken all the same, however often.
  CHECK(sink.write(piece) == Written::not_now);
  CHECK(sink.finish() == Written::not_now);
  ++pieces;
  std::string received;
  std::thread reader([&] {
    char buffer[4096];
    while (!received.ends_with("\r\n0\r\n\r\n")) {
      const ssize_t got = ::recv(wire.client, buffer, sizeof(buffer), 0);
      if (got <= 0) break;
      received.append(buffer, static_cast<std::size_t>(got));
    }
  });
  CHECK(sink.drain(30s) == Written::ok);
  reader.join();
  CHECK(sink.kept_bytes() == 0);
  CHECK(sink.reusable());
  std::string expected =
      "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
      "transfer-encoding: chunked\r\n\r\n";
  for (int i = 0; i < pieces; ++i) expected += "c350\r\n" + piece + "\r\n";
  expected += "0\r\n\r\n";
  CHECK((received == expected));  // not printed: 50 KB a piece
}

TEST_CASE("drain sends a head that waits for its body") {
  Wire wire;
  SocketSink sink(wire.server, {});
  CHECK_FALSE(sink.started());
  CHECK(sink.drain(1s) == Written::ok);
  CHECK(wire.all().empty());
  sink.start(200, {});
  CHECK(sink.drain(1s) == Written::ok);
  CHECK(wire.all() == "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
}

TEST_CASE("a client that left is noticed, one that sends ahead is not gone") {
  Wire wire;
  SocketSink sink(wire.server, {});
  CHECK_FALSE(sink.client_gone());
  REQUIRE(::send(wire.client, "GET / HTTP/1.1\r\n", 16, 0) == 16);
  CHECK_FALSE(sink.client_gone());
  wire.hang_up();
  CHECK(sink.client_gone());
  sink.start(200, {});
  CHECK(sink.write("x") == Written::gone);
  CHECK(sink.finish() == Written::gone);
  CHECK(sink.drain(10s) == Written::gone);
  CHECK_FALSE(sink.complete());
}

TEST_CASE("a client that leaves is told of, until nobody wants to know") {
  HangupWatcher watcher;
  Wire staying;
  Wire leaving;
  SocketSink stays(staying.server, {.watcher = &watcher});
  SocketSink leaves(leaving.server, {.watcher = &watcher});
  std::atomic<int> wrong{0};
  std::promise<void> left;
  REQUIRE(stays.on_client_gone([&] { ++wrong; }));
  REQUIRE(leaves.on_client_gone([&] { left.set_value(); }));
  leaving.hang_up();
  left.get_future().wait();
  // Neither what is sent nor what leaves later is told.
  ::send(staying.client, "x", 1, 0);
  CHECK(stays.on_client_gone(nullptr));
  CHECK(leaves.on_client_gone(nullptr));
  staying.hang_up();
  // Who left before is told of at once; the watcher has then seen the others.
  std::promise<void> again;
  REQUIRE(leaves.on_client_gone([&] { again.set_value(); }));
  again.get_future().wait();
  CHECK(leaves.on_client_gone(nullptr));
  CHECK(wrong == 0);
  SocketSink unwatched(staying.server, {});
  CHECK_FALSE(unwatched.on_client_gone([] {}));
}

TEST_CASE("one thread may ask for the client while another writes") {
  Wire wire;
  SocketSink sink(wire.server, {});
  sink.start(200, {});
  std::atomic<bool> written = false;
  std::thread writer([&] {
    for (int i = 0; i < 500; ++i) {
      sink.write("data\n");
      sink.drain(20s);
    }
    sink.finish();
    written = sink.drain(20s) == Written::ok;
  });
  std::string received;
  bool gone = false;
  while (!received.ends_with("0\r\n\r\n")) {
    gone = gone || sink.client_gone();
    received += wire.piece();
  }
  writer.join();
  CHECK(written);
  CHECK_FALSE(gone);
  CHECK(sink.complete());
}
