// The same as translate_epoll.cc inside an io_context of Boost.Asio: a session
// reads claude from a socket and writes openai-chat.
#include <utility>  // which Boost 1.74 forgets

#include <array>
#include <boost/asio.hpp>
#include <iostream>

#include "llmproxy/translate.h"
#include "llmproxy/transport.h"

using namespace llmproxy;
namespace asio = boost::asio;
using Socket = asio::local::stream_protocol::socket;

/// Stands for a provider at the other end of a connection.
struct Provider : ResponseHandler {
  explicit Provider(Socket own_end) : socket(std::move(own_end)) {}
  void on_head(int, const Headers&) override {}
  Flow on_body(std::string_view bytes) override {
    boost::system::error_code error;
    asio::write(socket, asio::buffer(bytes.data(), bytes.size()), error);
    return error ? Flow::stop : Flow::go_on;
  }
  void on_done(const Result<void>&) override { socket.close(); }
  Socket socket;
};

class Session {
 public:
  Session(Socket socket, StreamTranslator stream)
      : socket_(std::move(socket)), stream_(std::move(stream)) {}

  void read() {
    socket_.async_read_some(asio::buffer(buffer_),
                            [this](auto error, auto got) {
                              std::string out;
                              if (error) {
                                stream_.finish(out);
                              } else {
                                stream_.feed({buffer_.data(), got}, out);
                              }
                              std::cout << out << std::flush;
                              if (!error && !stream_.done()) read();
                            });
  }
  bool failed() const { return stream_.error() != nullptr; }

 private:
  Socket socket_;
  StreamTranslator stream_;
  std::array<char, 100> buffer_;
};

int main() {
  const Dialect& client = *find_dialect("openai-chat");
  const Dialect& upstream = *find_dialect("claude");
  const auto sent = translate_request(client, upstream, R"({"model": "demo",
      "stream": true, "stream_options": {"include_usage": true},
      "messages": [{"role": "user", "content": "What is a proxy?"}]})");
  if (!sent) return std::cerr << sent.error().message << '\n', 1;

  asio::io_context loop;
  Socket near(loop), far(loop);
  asio::local::connect_pair(near, far);
  Provider provider(std::move(far));
  const auto demo = make_demo_transport();
  UpstreamRequest request;
  request.url = "demo:" + sent->target();
  request.headers = sent->headers;
  request.body = sent->body;
  demo->start(request, provider);

  Session session(std::move(near),
                  StreamTranslator(upstream, client, sent->context));
  session.read();
  loop.run();
  return session.failed() ? 1 : 0;
}
