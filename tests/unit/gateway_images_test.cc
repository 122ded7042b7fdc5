// Gateway: images by URL for backends that take bytes only. A stub on loopback
// plays the internet.
#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <thread>

#include "base/text.h"
#include "client/image_batch.h"
#include "client/image_rules.h"
#include "support/gateway_fixture.h"
#include "support/http_stub.h"

using namespace llmproxy;
using namespace llmproxy::testing;
using namespace std::chrono_literals;

namespace {

const std::string kPng("\x89PNG\r\n\x1a\nrest of the image", 25);
const std::string kConverseAnswer =
    R"({"output":{"message":{"role":"assistant","content":[{"text":"a cat"}]}},)"
    R"("stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":1,)"
    R"("totalTokens":2},"metrics":{"latencyMs":1}})";

Config image_config(const HttpStub& stub) {
  Config config = test_config();
  config.backends.push_back(test_backend(
      "bed", "bedrock", "http://bedrock.test", "canary-bedrock-key"));
  config.routes.push_back({"bed", "bed", "anthropic.claude"});
  config.images.allowed = {stub.host()};
  return config;
}

HttpRequest with_images(const std::vector<std::string>& urls,
                        const std::string& more = "") {
  std::string parts = R"({"type":"text","text":"what is it?"})";
  for (const std::string& url : urls) {
    parts += R"(,{"type":"image_url","image_url":{"url":")" + url + R"("}})";
  }
  return post(kOpenAiPath, R"({"model":"bed")" + more +
                               R"(,"messages":[{"role":"user","content":[)" +
                               parts + "]}]}");
}

std::string message(const GatewayFixture& fixture) {
  return at(fixture.sink->body(), "error", "message");
}

}  // namespace

TEST_CASE("images come as bytes, each fetched once") {
  HttpStub stub(
      [](StubCall& call) { call.send(http_answer(200, kPng, "image/png")); });
  GatewayFixture fixture(image_config(stub));
  fixture.upstream->play(Script().head(200, json_head()).body(kConverseAnswer));
  fixture.handle(with_images({stub.url() + "/a", stub.url() + "/b",
                              stub.url() + "/a", stub.url() + "/a"}));
  CHECK(fixture.sink->status() == 200);
  CHECK(stub.requests() == 2);
  const std::string body = fixture.upstream->requests().at(0).body;
  std::size_t count = 0;
  const std::string image = encode_base64(kPng);
  for (std::size_t at = body.find(image); at != std::string::npos;
       at = body.find(image, at + 1)) {
    ++count;
  }
  CHECK(count == 4);
}

TEST_CASE("the limits are asked before anything is fetched") {
  HttpStub stub(
      [](StubCall& call) { call.send(http_answer(404, "", "image/png")); });
  Config config = image_config(stub);
  config.limits.enabled = true;
  config.limits.limits.requests_per_minute = 2;
  GatewayFixture fixture(config);
  std::vector<int> statuses;
  for (int i = 0; i < 6; ++i) {
    fixture.fresh_sink();
    fixture.handle(with_images({stub.url() + "/" + std::to_string(i)}));
    statuses.push_back(fixture.sink->status());
  }
  // What was fetched for has cost a request, though it was refused.
  const auto refused = std::count(statuses.begin(), statuses.end(), 429);
  CHECK(refused >= 2);  // a new minute may have begun
  CHECK(stub.requests() == 6 - refused);
}

TEST_CASE("a request that is refused for something else fetches nothing") {
  HttpStub stub(
      [](StubCall& call) { call.send(http_answer(200, kPng, "image/png")); });
  GatewayFixture fixture(image_config(stub));
  fixture.handle(with_images({stub.url() + "/a"}, R"(,"temperature":"warm")"));
  CHECK(fixture.sink->status() == 400);
  CHECK(stub.requests() == 0);
}

TEST_CASE("too many images, or too large ones, are refused by their part") {
  HttpStub stub([](StubCall& call) {
    call.send(http_answer(200, kPng + std::string(600, 'x'), "image/png"));
  });
  Config config = image_config(stub);
  config.images.max_count = 3;
  config.images.max_total_bytes = 1500;
  const auto asked = [&](const std::vector<std::string>& paths) {
    std::vector<std::string> urls;
    for (const std::string& path : paths) urls.push_back(stub.url() + path);
    auto fixture = std::make_unique<GatewayFixture>(config);
    fixture->upstream->play(
        Script().head(200, json_head()).body(kConverseAnswer));
    fixture->handle(with_images(urls));
    return fixture;
  };
  SECTION("two are fine") { CHECK(asked({"/a", "/b"})->sink->status() == 200); }
  SECTION("too many") {
    const auto fixture = asked({"/a", "/a", "/a", "/a"});
    CHECK(fixture->sink->status() == 400);
    CHECK(contains(message(*fixture), "more than 3 images"));
    CHECK(contains(fixture->sink->body(), "messages"));
    CHECK(stub.requests() == 0);
  }
  SECTION("too large together") {
    const auto fixture = asked({"/a", "/b", "/c"});
    CHECK(fixture->sink->status() == 400);
    CHECK(contains(message(*fixture), "larger than 1500 bytes"));
  }
  SECTION("too large because one is there three times") {
    const auto fixture = asked({"/a", "/a", "/a"});
    CHECK(fixture->sink->status() == 400);
    CHECK(contains(message(*fixture), "larger than 1500 bytes"));
    CHECK(stub.requests() == 1);
  }
}

TEST_CASE("images take room among the bytes that are held") {
  const std::string image = kPng + std::string(600, 'x');
  HttpStub stub(
      [&](StubCall& call) { call.send(http_answer(200, image, "image/png")); });
  Config config = image_config(stub);
  config.server.max_bytes_in_flight = 10'000;
  GatewayFixture fixture(config);
  const auto answered = [&] {
    fixture.fresh_sink();
    fixture.upstream->play(
        Script().head(200, json_head()).body(kConverseAnswer));
    fixture.handle(with_images({stub.url() + "/a", stub.url() + "/b"}));
    return fixture.sink->status();
  };
  CHECK(answered() == 200);
  CHECK(fixture.gateway.budget().held() == 0);
  {
    ByteLease others(&fixture.gateway.budget());
    REQUIRE(others.grow(9'000));
    CHECK(answered() == 503);
    CHECK(fixture.sink->header("retry-after") == "1");
    CHECK(fixture.gateway.budget().held() == 9'000);
  }
  CHECK(answered() == 200);
}

TEST_CASE("the first image that fails is named, and ends the others") {
  HttpStub stub([](StubCall& call) {
    if (contains(call.head(), "/bad")) {
      call.send(http_answer(404, "", "text/plain"));
    } else {
      call.wait_closed();
    }
  });
  GatewayFixture fixture(image_config(stub));
  fixture.handle(with_images({stub.url() + "/slow", stub.url() + "/bad"}));
  CHECK(fixture.sink->status() == 400);
  CHECK(contains(message(fixture), "status 404"));
}

TEST_CASE("a client that leaves ends the fetching") {
  std::promise<bool> closed;
  HttpStub stub([&](StubCall& call) { closed.set_value(call.wait_closed()); });
  GatewayFixture fixture(image_config(stub));
  fixture.start(with_images({stub.url() + "/slow"}));
  REQUIRE(eventually([&] { return stub.requests() == 1; }));
  fixture.sink->leave();
  fixture.join();
  CHECK(closed.get_future().get());
  CHECK(fixture.record().status == 499);
  CHECK(fixture.upstream->requests().empty());
}

TEST_CASE("no more images are fetched at once than allowed") {
  std::atomic<int> now = 0;
  std::atomic<int> most = 0;
  HttpStub stub([&](StubCall& call) {
    const int count = ++now;
    int known = most;
    while (count > known && !most.compare_exchange_weak(known, count)) {
    }
    std::this_thread::sleep_for(5ms);
    --now;
    call.send(http_answer(200, kPng, "image/png"));
  });
  Config config = image_config(stub);
  config.images.max_concurrent = 2;
  GatewayFixture fixture(config);
  std::vector<std::thread> clients;
  std::atomic<int> good = 0;
  for (int i = 0; i < 6; ++i) {
    fixture.upstream->play(
        Script().head(200, json_head()).body(kConverseAnswer));
    clients.emplace_back([&, i] {
      RecordingSink sink;
      std::vector<std::string> urls;
      for (int k = 0; k < 4; ++k) {
        urls.push_back(stub.url() + "/" + std::to_string(i * 4 + k));
      }
      fixture.gateway.handle(with_images(urls), sink);
      if (sink.status() == 200) ++good;
    });
  }
  for (std::thread& client : clients) client.join();
  CHECK(good == 6);
  CHECK(stub.requests() == 24);
  CHECK(most <= 2);
}

TEST_CASE("all images of a request share one deadline") {
  HttpStub stub([](StubCall& call) { call.wait_closed(); });
  ImageFetchRules rules;
  rules.allowed = {stub.host()};
  rules.timeout = 300ms;
  std::vector<std::string> urls;
  for (int i = 0; i < 40; ++i) {
    urls.push_back(stub.url() + "/" + std::to_string(i));
  }
  const auto begin = std::chrono::steady_clock::now();
  const auto images = fetch_images(urls, rules, 2, {});
  REQUIRE(images);
  CHECK(std::chrono::steady_clock::now() - begin < 5s);
  CHECK(std::any_of(images->begin(), images->end(),
                    [](const auto& row) { return !row.second; }));
}

TEST_CASE("URLs of images are looked at before anything is sent") {
  const ImageFetchRules rules;
  for (const std::string& url :
       {std::string("https://example.com/a.png"), std::string("HTTP://e/x"),
        std::string("http://e/a@b"), std::string("http://e?q=a@b")}) {
    CHECK(check_image_url(url, rules));
  }
  for (const std::string& url :
       {std::string(), std::string("ftp://e/x"), std::string("//e/x"),
        std::string("http:/e"), std::string("http://u@e/x"),
        std::string("https://u:p@e"), std::string("http://e/\0x", 11),
        std::string("data:image/png;base64,aGk=")}) {
    CHECK_FALSE(check_image_url(url, rules));
  }
  ImageFetchRules off;
  off.enabled = false;
  CHECK_FALSE(check_image_url("https://example.com/a.png", off));
}

TEST_CASE("an address is reached when it is public, or listed with its port") {
  ImageFetchRules rules;
  rules.allowed = {"10.0.0.1:8080", "[::1]:80"};
  CHECK(may_reach(rules, "8.8.8.8", 1));
  CHECK(may_reach(rules, "10.0.0.1", 8080));
  CHECK(may_reach(rules, "::1", 80));
  CHECK_FALSE(may_reach(rules, "10.0.0.1", 80));
  CHECK_FALSE(may_reach(rules, "::1", 81));
  CHECK_FALSE(may_reach(rules, "", 80));
  CHECK_FALSE(may_reach(rules, "127.0.0.1", 8080));
}
