// Images fetched for a client: what is let through, and above all what is
// not. A stub on loopback plays the internet; its address is allowed by name,
// everything else of the machine is not.
#include "llmproxy/image_fetcher.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <string>

#include "base/text.h"
#include "support/http_stub.h"

namespace llmproxy {
namespace {

using testing::HttpStub;
using testing::StubCall;

const std::string kPng("\x89PNG\r\n\x1a\nrest of the image", 25);

std::string redirect_to(const std::string& url) {
  return "HTTP/1.1 302 Found\r\nlocation: " + url +
         "\r\ncontent-length: 0\r\n\r\n";
}

ImageFetchRules rules_for(const HttpStub& stub) {
  ImageFetchRules rules;
  rules.allowed = {stub.host()};
  rules.timeout = std::chrono::seconds(10);
  return rules;
}

std::string port_of(const HttpStub& stub) {
  return stub.host().substr(stub.host().find(':') + 1);
}

std::string failure(const std::string& url, const ImageFetchRules& rules = {}) {
  const Result<MediaSource> image = fetch_image(url, rules);
  if (image) return "fetched";
  CHECK(image.error().kind == ErrorKind::invalid_request);
  return image.error().message;
}

constexpr const char* kNotPublic =
    "the image cannot be fetched: its address is not a public one";

TEST_CASE("an image comes as base64 with the type its bytes have") {
  HttpStub stub([](StubCall& call) {
    call.send(testing::http_answer(200, kPng, "image/jpeg"));
  });
  const auto image = fetch_image(stub.url() + "/cat.jpg", rules_for(stub));
  REQUIRE(image);
  CHECK(image->media_type == "image/png");
  CHECK(image->data == encode_base64(kPng));
}

TEST_CASE("no address of the own machine or network is reached") {
  HttpStub stub([](StubCall& call) {
    call.send(testing::http_answer(200, kPng, "image/png"));
  });
  const std::string port = ":" + port_of(stub);
  const std::string hosts[] = {"127.0.0.1",
                               "127.1",
                               "2130706433",
                               "0177.0.0.1",
                               "0x7f.0.0.1",
                               "0x7f000001",
                               "localhost",
                               "127.0.0.1.",
                               "0.0.0.0",
                               "[::1]",
                               "[::ffff:127.0.0.1]",
                               "[::ffff:7f00:1]",
                               "[::]",
                               "[64:ff9b::7f00:1]"};
  for (const std::string& host : hosts) {
    CAPTURE(host);
    const std::string url = fmt::format("http://{}{}/x.png", host, port);
    CHECK(failure(url) != "fetched");
    // Not even a connection: nothing tells an open port from a closed one.
    CHECK(stub.connections() == 0);
  }
  for (const char* host :
       {"10.0.0.1", "192.168.1.1", "172.31.255.1", "169.254.169.254",
        "100.64.0.1", "[fd00::1]", "[fe80::1]"}) {
    CAPTURE(host);
    CHECK(failure("http://" + std::string(host) + "/latest/meta-data") ==
          kNotPublic);
  }
}

TEST_CASE("a redirect leads nowhere else either") {
  HttpStub inside([](StubCall& call) {
    call.send(testing::http_answer(200, kPng, "image/png"));
  });
  const std::string port = ":" + port_of(inside);
  for (const std::string& target :
       {"http://127.0.0.1" + port, "http://localhost" + port,
        "http://2130706433" + port, "http://[::ffff:127.0.0.1]" + port,
        std::string("http://169.254.169.254"), std::string("http://10.0.0.1"),
        std::string("file:///etc/passwd"), std::string("gopher://10.0.0.1"),
        std::string("ftp://10.0.0.1/x.png")}) {
    CAPTURE(target);
    HttpStub outside(
        [&](StubCall& call) { call.send(redirect_to(target + "/x.png")); });
    CHECK(failure(outside.url() + "/x.png", rules_for(outside)) != "fetched");
    CHECK(inside.connections() == 0);
  }
}

TEST_CASE("nothing is fetched where that is switched off") {
  HttpStub stub([](StubCall& call) {
    call.send(testing::http_answer(200, kPng, "image/png"));
  });
  ImageFetchRules rules = rules_for(stub);
  rules.enabled = false;
  CHECK(failure(stub.url() + "/x.png", rules) ==
        "images are not fetched here; send the bytes");
  CHECK(stub.connections() == 0);
}

TEST_CASE("a redirect is followed where it may lead") {
  HttpStub images([](StubCall& call) {
    const bool there = call.head().starts_with("GET /cat.png ");
    call.send(there ? testing::http_answer(200, kPng, "image/png")
                    : redirect_to("cat.png"));
  });
  HttpStub first([&](StubCall& call) {
    const bool moved = call.head().starts_with("GET /moved ");
    call.send(redirect_to(moved ? images.url() + "/old.png" : "/moved"));
  });
  ImageFetchRules rules = rules_for(first);
  rules.allowed.push_back(images.host());
  // A path, another host, a name beside it.
  rules.max_redirects = 3;
  const auto image = fetch_image(first.url() + "/x.png", rules);
  REQUIRE(image);
  CHECK(image->data == encode_base64(kPng));
  CHECK(first.requests() == 2);
  CHECK(images.requests() == 2);
  rules.max_redirects = 2;
  CHECK(failure(first.url() + "/x.png", rules) != "fetched");
  // Allowed is what leads there, and not where it leads.
  rules = rules_for(first);
  CHECK(failure(first.url() + "/x.png", rules) == kNotPublic);
  CHECK(images.requests() == 3);
}

TEST_CASE("redirects come to an end") {
  HttpStub stub([](StubCall& call) { call.send(redirect_to("/again")); });
  CHECK(failure(stub.url() + "/x.png", rules_for(stub)) != "fetched");
  CHECK(stub.requests() <= 1 + ImageFetchRules{}.max_redirects);
}

TEST_CASE("what is no image, too large or not there is refused") {
  struct Row {
    std::string answer;
    std::string why;
  };
  const Row rows[] = {
      {testing::http_answer(200, "<html>hello</html>", "image/png"),
       "it is not a JPEG, PNG, GIF or WebP image"},
      {testing::http_answer(200, "", "image/png"),
       "it is not a JPEG, PNG, GIF or WebP image"},
      {testing::http_answer(404, kPng, "image/png"),
       "its server answered with status 404"},
      {testing::http_answer(200, kPng + std::string(2000, 'x'), "image/png"),
       "it is larger than 1000 bytes"},
      {testing::chunked_head(200, "image/png") +
           testing::chunked(kPng + std::string(2000, 'x')),
       "it is larger than 1000 bytes"},
  };
  for (const Row& row : rows) {
    HttpStub stub([&](StubCall& call) { call.send(row.answer); });
    ImageFetchRules rules = rules_for(stub);
    rules.max_bytes = 1000;
    CHECK(failure(stub.url() + "/x.png", rules) ==
          "the image cannot be fetched: " + row.why);
  }
}

TEST_CASE("odd URLs are refused before anything is sent") {
  for (const char* url :
       {"file:///etc/passwd", "ftp://example.com/x.png", "gopher://h/",
        "http://user:secret@127.0.0.1/x.png", "not a url", ""}) {
    CAPTURE(url);
    const std::string why = failure(url);
    CHECK(why != "fetched");
    CHECK(why.find("secret") == std::string::npos);
  }
}

TEST_CASE("a server that says nothing does not hold the caller") {
  HttpStub stub([](StubCall& call) { call.wait_closed(); });
  ImageFetchRules rules = rules_for(stub);
  rules.timeout = std::chrono::milliseconds(200);
  CHECK(failure(stub.url() + "/x.png", rules) != "fetched");
}

TEST_CASE("public addresses are told from all others") {
  for (const char* address : {"1.1.1.1", "8.8.8.8", "172.15.0.1", "172.32.0.1",
                              "100.128.0.1", "192.0.3.1", "223.255.255.255",
                              "2606:4700::1111", "2a00:1450:4001::1"}) {
    CAPTURE(address);
    CHECK(is_public_address(address));
  }
  for (const char* address : {"0.0.0.0",
                              "10.255.255.255",
                              "127.255.0.1",
                              "169.254.169.254",
                              "172.16.0.1",
                              "172.31.0.1",
                              "192.168.0.1",
                              "100.64.0.1",
                              "198.18.0.1",
                              "224.0.0.1",
                              "255.255.255.255",
                              "::",
                              "::1",
                              "::ffff:8.8.8.8",
                              "::ffff:127.0.0.1",
                              "64:ff9b::8.8.8.8",
                              "fc00::1",
                              "fd12::1",
                              "fe80::1",
                              "fec0::1",
                              "ff02::1",
                              "2001:db8::1",
                              "2001::1",
                              "2002:7f00:1::1",
                              "100::1",
                              "",
                              "localhost",
                              "1.1.1",
                              "1.1.1.1:80"}) {
    CAPTURE(address);
    CHECK_FALSE(is_public_address(address));
  }
}

}  // namespace
}  // namespace llmproxy
