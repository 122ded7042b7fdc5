// A Gateway inside a server of the host's, here one on Boost.Beast: the host
// has its own connections, its own authentication and its own log.
//
//   gateway_beast      prints its port and serves until it is killed
#include <utility>  // which Boost 1.74 forgets

#include <boost/asio.hpp>
#include <boost/beast.hpp>
#include <iostream>
#include <thread>

#include "llmproxy/gateway.h"

using namespace llmproxy;
namespace net = boost::asio;
namespace http = boost::beast::http;
using net::ip::tcp;

struct Log : Observer {
  void on_request(const RequestRecord& r) override {
    std::cerr << r.path + " " + r.model + " " + r.outcome + "\n";
  }
};

/// Writes an answer in chunks. It simply blocks; a server with slow clients
/// keeps what does not fit, says not_now and waits in drain().
struct Sink : ResponseSink {
  explicit Sink(tcp::socket& to) : socket(to) {}
  void start(int status, const Headers& headers) override {
    http::response<http::empty_body> head(http::status(status), 11);
    for (const Header& header : headers) head.set(header.name, header.value);
    head.chunked(true);
    http::serializer<false, http::empty_body> serializer(head);
    http::write_header(socket, serializer, error);
  }
  Written write(std::string_view bytes) override {
    return put(http::make_chunk(net::buffer(bytes.data(), bytes.size())));
  }
  Written finish() override { return put(http::make_chunk_last()); }
  Written drain(std::chrono::milliseconds) override { return Written::ok; }
  bool client_gone() override { return error.failed(); }
  Written put(const auto& chunk) {
    if (!error) net::write(socket, chunk, error);
    return error ? Written::gone : Written::ok;
  }
  tcp::socket& socket;
  boost::system::error_code error;
};

void serve(tcp::socket socket, Gateway& gateway) {
  boost::beast::flat_buffer buffer;
  http::request<http::string_body> request;
  Sink sink(socket);
  if (http::read(socket, buffer, request, sink.error); sink.error) return;
  if (request["x-session"] != "alice") {  // the host's own authentication
    return sink.start(403, {}), (void)sink.finish();
  }
  auto own = HttpRequest::from_target(std::string(request.method_string()),
                                      std::string(request.target()));
  own.body = std::move(request.body());
  for (const auto& field : request) {
    own.headers.push_back(
        {std::string(field.name_string()), std::string(field.value())});
  }
  gateway.handle(std::move(own), sink);
}

int main() {
  Config config;
  config.backends = {make_backend(*find_provider("demo"), Secret())};
  config.routes = {{"*", "demo", ""}};
  Log log;
  Gateway gateway(config, make_curl_transport(), &log);
  net::io_context context;
  tcp::acceptor acceptor(context, {net::ip::address_v4::loopback(), 0});
  std::cout << acceptor.local_endpoint().port() << std::endl;
  for (;;) std::thread(serve, acceptor.accept(), std::ref(gateway)).detach();
}
