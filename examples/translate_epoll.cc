// Translates a stream inside an epoll loop of the host's: bytes of claude come
// from a socket, bytes of openai-chat go to standard output at once. The
// library does no I/O here; it is given bytes and returns bytes.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <iostream>

#include "llmproxy/translate.h"
#include "llmproxy/transport.h"

using namespace llmproxy;

/// Stands for a provider at the other end of a connection.
struct Provider : ResponseHandler {
  explicit Provider(int own_end) : socket(own_end) {}
  void on_head(int, const Headers&) override {}
  Flow on_body(std::string_view bytes) override {
    return write(socket, bytes.data(), bytes.size()) > 0 ? Flow::go_on
                                                         : Flow::stop;
  }
  void on_done(const Result<void>&) override { close(socket); }
  int socket;
};

int main() {
  const Dialect& client = *find_dialect("openai-chat");
  const Dialect& upstream = *find_dialect("claude");
  const auto sent = translate_request(client, upstream, R"({"model": "demo",
      "stream": true, "stream_options": {"include_usage": true},
      "messages": [{"role": "user", "content": "What is a proxy?"}]})");
  if (!sent) return std::cerr << sent.error().message << '\n', 1;

  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return 1;
  }
  Provider provider(ends[1]);
  const auto demo = make_demo_transport();
  UpstreamRequest request;
  request.url = "demo:" + sent->target();
  request.headers = sent->headers;
  request.body = sent->body;
  demo->start(request, provider);

  // The host's loop. A real one has other sockets too.
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{.events = EPOLLIN, .data = {.fd = ends[0]}};
  epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event);
  StreamTranslator stream(upstream, client, sent->context);
  for (bool open = true; open;) {
    if (epoll_wait(epoll, &event, 1, -1) != 1) continue;
    std::array<char, 100> buffer;  // small, to show that cuts do not matter
    const ssize_t got = read(event.data.fd, buffer.data(), buffer.size());
    std::string out;
    if (got > 0) {
      stream.feed({buffer.data(), static_cast<std::size_t>(got)}, out);
    } else {
      stream.finish(out);
      open = false;
    }
    std::cout << out << std::flush;
  }
  close(epoll);
  close(ends[0]);
  return stream.error() == nullptr ? 0 : 1;
}
