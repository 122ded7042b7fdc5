// The curl transport over TLS: whom it trusts, and that a key goes to nobody
// else.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>

#include "llmproxy/transport.h"
#include "support/http_stub.h"
#include "support/recorder.h"
#include "support/tls_stub.h"
#include "support/transport_ways.h"

namespace llmproxy::testing {
namespace {

TEST_CASE("a trusted certificate for the right host is accepted") {
  const Way way = either_way();
  TlsStub stub("IP:127.0.0.1");
  CurlOptions options;
  options.ca_file = stub.ca_file();
  const auto transport = make_curl_transport(options);
  for (int i = 0; i < 3; ++i) {
    Recorder recorder;
    run(way, *transport, post(stub.url()), recorder);
    CHECK(recorder.succeeded());
    CHECK(recorder.body() == "ok");
  }
  CHECK(stub.requests() == 3);
  CHECK(stub.handshakes() == 1);
}

TEST_CASE("any other certificate is refused before a byte is sent") {
  const Way way = either_way();
  const bool trusted = GENERATE(true, false);
  CAPTURE(trusted);
  TlsStub stub(trusted ? "DNS:elsewhere.example" : "IP:127.0.0.1");
  CurlOptions options;
  if (trusted) options.ca_file = stub.ca_file();
  const auto transport = make_curl_transport(options);
  Recorder recorder;
  run(way, *transport, post(stub.url() + "/?key=sk-canary"), recorder);
  REQUIRE_FALSE(recorder.succeeded());
  const Error error = recorder.error();
  CHECK(error.kind == ErrorKind::upstream_unreachable);
  CHECK(error.message.find(stub.host()) != std::string::npos);
  CHECK(error.message.find("certificate") != std::string::npos);
  CHECK(error.message.find("canary") == std::string::npos);
  CHECK(stub.requests() == 0);
}

/// A proxy of the environment, while it lives.
struct ProxyOfEnvironment {
  explicit ProxyOfEnvironment(const std::string& url) {
    ::setenv("https_proxy", url.c_str(), 1);
  }
  ~ProxyOfEnvironment() { ::unsetenv("https_proxy"); }
};

TEST_CASE("a proxy is asked for a tunnel, and sees no more than the host") {
  const Way way = either_way();
  std::string asked;
  HttpStub proxy([&](StubCall& call) {
    asked = call.head() + call.body();
    call.send("HTTP/1.1 403 Forbidden\r\ncontent-length: 3\r\n\r\nno\n");
    call.close();
  });
  const ProxyOfEnvironment environment(proxy.url());
  const auto transport = make_curl_transport();
  UpstreamRequest request = post("https://up.example:8443/?key=sk-canary");
  request.headers.push_back({"authorization", "Bearer sk-canary"});
  Recorder recorder;
  run(way, *transport, request, recorder);
  CHECK_FALSE(recorder.succeeded());
  CHECK(recorder.status() == 0);
  CHECK(recorder.body().empty());
  CHECK(recorder.error().message.find("up.example:8443") != std::string::npos);
  CHECK(asked.starts_with("CONNECT up.example:8443 HTTP/1.1\r\n"));
  CHECK(asked.find("canary") == std::string::npos);
  // Without TLS the proxy would see all: it is not asked.
  HttpStub plain([](StubCall& call) { call.send(http_answer(200, "{}")); });
  Recorder direct;
  run(way, *transport, post(plain.url()), direct);
  CHECK(direct.succeeded());
  CHECK(proxy.requests() == 1);
}

}  // namespace
}  // namespace llmproxy::testing
