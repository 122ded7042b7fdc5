// The curl transport over TLS: whom it trusts, and that a key goes to nobody
// else.
#include <catch2/catch.hpp>

#include "llmproxy/transport.h"
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

}  // namespace
}  // namespace llmproxy::testing
