// Answers that break off, clients that leave, more clients than allowed, and
// how the server stops.
#include <sched.h>

#include <atomic>
#include <future>
#include <memory>

#include "llmproxy/waiting.h"
#include "server_http_client.h"

using namespace llmproxy;
using namespace llmproxy::test;

namespace {

const std::string kGet = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";

/// Answers one piece, then waits to be let go.
struct Stalled {
  std::promise<void> opening;
  std::shared_future<void> open = opening.get_future().share();
  std::atomic<int> begun{0};

  HttpHandler handler() {
    return [this](const HttpRequest&, ResponseSink& sink) {
      sink.start(200, {{"content-type", "text/event-stream"}});
      sink.write("begun\n");
      ++begun;
      while (open.wait_for(0ms) != std::future_status::ready) {
        if (sink.client_gone()) return;
        wait_for({}, std::chrono::steady_clock::now() + 5ms);
      }
      sink.write("done\n");
      sink.finish();
    };
  }
};

/// A server made while it lives has one loop, where things happen in turn.
class OneProcessor {
 public:
  OneProcessor() {
    sched_getaffinity(0, sizeof before_, &before_);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<std::size_t>(sched_getcpu()), &one);
    sched_setaffinity(0, sizeof one, &one);
  }
  ~OneProcessor() { sched_setaffinity(0, sizeof before_, &before_); }
  OneProcessor(const OneProcessor&) = delete;
  OneProcessor& operator=(const OneProcessor&) = delete;

 private:
  cpu_set_t before_{};
};

}  // namespace

TEST_CASE("an answer that breaks off looks broken") {
  Served served([](const HttpRequest&, ResponseSink& sink) {
    sink.start(200, {});
    sink.write("half");
  });
  {
    Client client(served);
    client.send(kGet);
    CHECK(client.rest().ends_with("\r\n4\r\nhalf\r\n"));
  }
  // Without chunks only a reset tells it from the end.
  Client client(served);
  client.send("GET / HTTP/1.0\r\n\r\n");
  client.rest();
  CHECK(client.was_reset());
}

TEST_CASE("a handler that writes nothing is a 500") {
  Served served([](const HttpRequest&, ResponseSink&) {});
  Client client(served);
  client.send(kGet);
  CHECK(client.rest().starts_with("HTTP/1.1 500 "));
  CHECK(served.observer.records().size() == 1);
}

TEST_CASE("a handler owes no answer to a client that left") {
  std::promise<void> asked;
  Served served([&](const HttpRequest&, ResponseSink& sink) {
    asked.set_value();
    eventually([&] { return sink.client_gone(); });
  });
  {
    Client client(served);
    client.send(kGet);
    asked.get_future().wait();
  }
  CHECK(served.stop(20s));
  CHECK(served.observer.records().empty());
}

TEST_CASE("a client that leaves is noticed while nothing is written") {
  Stalled stalled;
  Served served(stalled.handler());
  {
    Client client(served);
    client.send(kGet);
    CHECK(client.until("begun").ends_with("begun"));
  }
  // The handler ends by itself; stop() would wait for it otherwise.
  CHECK(served.stop(20s));
}

TEST_CASE("more clients than allowed get a 503 and may come again") {
  HttpServerOptions options;
  options.max_connections = 2;
  Stalled stalled;
  Served served(stalled.handler(), options);
  Client first(served);
  Client second(served);
  first.send(kGet);
  second.send(kGet);
  REQUIRE(eventually([&] { return stalled.begun == 2; }));
  {
    Client third(served);
    third.send(
        "POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}");
    const std::string answer = third.rest();
    CHECK(answer.starts_with("HTTP/1.1 503 "));
    CHECK(answer.find("retry-after: 1\r\n") != std::string::npos);
    CHECK(answer.find("\"type\":\"error\"") != std::string::npos);
  }
  stalled.opening.set_value();
  CHECK(first.until("0\r\n\r\n").ends_with("done\n\r\n0\r\n\r\n"));
  first.leave();
  CHECK(eventually([&] {
    Client again(served);
    again.send(kGet);
    return again.until("\r\n").starts_with("HTTP/1.1 200 ");
  }));
}

TEST_CASE("even clients without a thread get a 503") {
  HttpServerOptions options;
  options.max_connections = 1;
  Stalled stalled;
  Served served(stalled.handler(), options);
  Client busy(served);
  busy.send(kGet);
  REQUIRE(eventually([&] { return stalled.begun == 1; }));
  // Connections that send nothing hold their threads for a while.
  std::vector<std::unique_ptr<Client>> silent;
  for (int i = 0; i < 70; ++i)
    silent.push_back(std::make_unique<Client>(served));
  Client last(served);
  last.send(kGet);
  const std::string answer = last.rest();
  CHECK(answer.starts_with("HTTP/1.1 503 "));
  CHECK(answer.find("retry-after: 1\r\n") != std::string::npos);
  CHECK(answer.find("overloaded_error") != std::string::npos);
  stalled.opening.set_value();
}

TEST_CASE("the client that has been idle longest gives way") {
  // On two loops the first may say later than the second that it is idle.
  const OneProcessor one;
  HttpServerOptions options;
  options.max_connections = 3;
  Stalled stalled;
  Served served(
      [&, stall = stalled.handler()](const HttpRequest& request,
                                     ResponseSink& sink) {
        request.path == "/" ? stall(request, sink) : echo(request, sink);
      },
      options);
  const std::string quick = "GET /quick HTTP/1.1\r\nhost: x\r\n\r\n";
  Client busy(served);
  busy.send(kGet);
  REQUIRE(eventually([&] { return stalled.begun == 1; }));
  Client first(served);
  first.send(quick);
  CHECK(first.answer().ends_with("GET /quick? []"));
  Client second(served);
  for (int i = 0; i < 3; ++i) {
    second.send(quick);
    CHECK(second.answer().ends_with("GET /quick? []"));
  }
  Client third(served);
  third.send(kGet);
  REQUIRE(eventually([&] { return stalled.begun == 2; }));
  CHECK(first.rest().empty());
  second.send(kGet);
  REQUIRE(eventually([&] { return stalled.begun == 3; }));
  // All are busy now.
  Client fourth(served);
  fourth.send(kGet);
  CHECK(fourth.rest().starts_with("HTTP/1.1 503 "));
  stalled.opening.set_value();
  for (Client* client : {&busy, &third, &second})
    CHECK(client->until("0\r\n\r\n").ends_with("done\n\r\n0\r\n\r\n"));
}

TEST_CASE("one address has no more connections than it may") {
  HttpServerOptions options;
  options.max_connections_per_address = 2;
  Stalled stalled;
  Served served(stalled.handler(), options);
  Client first(served);
  Client second(served);
  first.send(kGet);
  second.send(kGet);
  REQUIRE(eventually([&] { return stalled.begun == 2; }));
  Client third(served);
  third.send(kGet);
  CHECK(third.rest().starts_with("HTTP/1.1 503 "));
  stalled.opening.set_value();
  CHECK(first.until("0\r\n\r\n").ends_with("done\n\r\n0\r\n\r\n"));
  // It waits now, and gives way.
  CHECK(eventually([&] {
    Client again(served);
    again.send(kGet);
    return again.until("\r\n").starts_with("HTTP/1.1 200 ");
  }));
}

TEST_CASE("a client that only ended its side is still there") {
  std::promise<void> asked;
  std::atomic<bool> open{false};
  std::atomic<bool> told{false};
  Served served([&](const HttpRequest&, ResponseSink& sink) {
    sink.on_client_gone([&] { told = true; });
    asked.set_value();
    while (!open && !told) wait_for({}, std::chrono::steady_clock::now() + 5ms);
    sink.on_client_gone(nullptr);
    sink.start(200, {{"content-length", "4"}});
    sink.write("here");
    sink.finish();
  });
  SECTION("it gets its answer") {
    Client client(served);
    client.send(kGet);
    client.end_sending();
    asked.get_future().wait();
    // It is asked by an interim answer.
    CHECK(client.until("\r\n\r\n").starts_with("HTTP/1.1 100 "));
    open = true;
    CHECK(client.rest().ends_with("here"));
    CHECK_FALSE(told);
  }
  SECTION("one that left is told from it") {
    {
      Client client(served);
      client.send(kGet);
      asked.get_future().wait();
    }
    CHECK(served.stop(20s));
    CHECK(told);
  }
}

TEST_CASE("what still runs at the end is told to end") {
  std::atomic<bool> ended{false};
  HttpServerOptions options;
  options.end_requests = [&] { ended = true; };
  Served served(
      [&](const HttpRequest&, ResponseSink& sink) {
        sink.start(200, {});
        sink.write("begun");
        while (!ended) wait_for({}, std::chrono::steady_clock::now() + 5ms);
        sink.write("the end");
        sink.finish();
      },
      options);
  Client client(served);
  client.send(kGet);
  CHECK(client.until("begun").ends_with("begun"));
  CHECK(served.stop(1ms));
  CHECK(client.rest().ends_with("the end\r\n0\r\n\r\n"));
}

TEST_CASE("stopping lets running answers finish and closes idle clients") {
  Stalled stalled;
  Served served(stalled.handler());
  Client idle(served);
  Client running(served);
  running.send(kGet);
  REQUIRE(eventually([&] { return stalled.begun == 1; }));
  auto stopped =
      std::async(std::launch::async, [&] { return served.stop(20s); });
  CHECK(idle.rest().empty());
  CHECK(stopped.wait_for(20ms) == std::future_status::timeout);
  stalled.opening.set_value();
  CHECK(stopped.get());
  CHECK(running.rest().ends_with("done\n\r\n0\r\n\r\n"));
}

TEST_CASE("stopping does not wait for ever") {
  Stalled stalled;
  Served served(stalled.handler());
  Client running(served);
  running.send(kGet);
  REQUIRE(eventually([&] { return stalled.begun == 1; }));
  CHECK(served.stop(20ms));
  CHECK_FALSE(running.rest().ends_with("0\r\n\r\n"));
}

TEST_CASE("a port that is taken cannot be served twice") {
  Served served(echo);
  HttpServer second(HttpServerOptions{}, echo);
  const auto bound = second.bind("127.0.0.1", served.server.port());
  REQUIRE_FALSE(bound);
  CHECK(bound.error().message.find("Address already in use") !=
        std::string::npos);
}

TEST_CASE("a large answer reaches a slow reader whole") {
  const std::string large(5'000'000, 'l');
  Served served([&](const HttpRequest&, ResponseSink& sink) {
    sink.start(200, {{"content-length", std::to_string(large.size())}});
    sink.write(large);
    sink.finish();
  });
  Client client(served);
  client.send(kGet);
  const std::string answer = client.answer();
  CHECK((answer.size() > large.size() && answer.ends_with(large)));
  client.send(kGet);
  CHECK(client.until("\r\n").starts_with("HTTP/1.1 200 "));
}

TEST_CASE("many clients at once are all answered") {
  Served served(echo);
  std::atomic<int> answered = 0;
  std::vector<std::unique_ptr<Client>> clients;
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i)
    clients.push_back(std::make_unique<Client>(served));
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&, i] {
      Client& client = *clients[i];
      for (int n = 0; n < 50; ++n) {
        const std::string path = "/" + std::to_string(i * 100 + n);
        client.send("GET " + path + " HTTP/1.1\r\nhost: x\r\n\r\n");
        if (client.answer().ends_with("GET " + path + "? []")) ++answered;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(answered == 16 * 50);
}
