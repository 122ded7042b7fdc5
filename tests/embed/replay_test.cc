// Recording what goes over the network, and replaying it.
#include "llmproxy/replay.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "host.h"

namespace host {
namespace {

/// A file of its own, removed at the end.
class File {
 public:
  File()
      : path_((std::filesystem::temp_directory_path() /
               ("llmproxy-" + std::to_string(::getpid()) + ".rec"))
                  .string()) {}
  ~File() { std::filesystem::remove(path_); }
  const std::string& path() const { return path_; }
  std::string text() const {
    std::ostringstream out;
    out << std::ifstream(path_, std::ios::binary).rdbuf();
    return out.str();
  }
  void write(const std::string& text) const {
    std::ofstream(path_, std::ios::binary) << text;
  }

 private:
  std::string path_;
};

std::shared_ptr<Transport> recording(const File& file) {
  auto made = make_recording_transport(make_demo_transport(), file.path());
  REQUIRE(made);
  return *made;
}

std::shared_ptr<Transport> replaying(const File& file) {
  auto made = make_replaying_transport(file.path());
  INFO((made ? "" : made.error().message));
  REQUIRE(made);
  return *made;
}

struct Streamed {
  std::vector<std::pair<EventKind, std::string>> events;
  bool operator==(const Streamed&) const = default;
};
Streamed streamed(const Client& client) {
  Streamed out;
  for (const OwnedStreamEvent& event : client.stream(question())) {
    out.events.emplace_back(event.kind, event.text);
  }
  return out;
}

TEST_CASE("what was recorded is answered again, in the same pieces") {
  // Bedrock streams in binary frames.
  const std::string provider = GENERATE("openai", "anthropic", "bedrock");
  CAPTURE(provider);
  const File file;
  Result<ChatResponse> answer = Error();
  Streamed events;
  {
    const Client client(demo_backend(provider), recording(file));
    answer = client.send(question());
    events = streamed(client);
  }
  REQUIRE(answer);
  REQUIRE(events.events.back().first == EventKind::finished);
  // Another key, as tests have it.
  const Client client(demo_backend(provider, "none"), replaying(file));
  for (int i = 0; i < 2; ++i) {
    const auto again = client.send(question());
    REQUIRE(again);
    CHECK(*again == *answer);
    const auto later = client.send_async(question()).get();
    REQUIRE(later);
    CHECK(*later == *answer);
    CHECK(streamed(client) == events);
  }
}

TEST_CASE("what was not recorded is named") {
  const File file;
  REQUIRE(Client(demo_backend("openai"), recording(file)).send(question()));
  const Client client(demo_backend("openai"), replaying(file));
  const auto other = client.send(question("Something else"));
  REQUIRE_FALSE(other);
  const std::string& message = other.error().message;
  CHECK(message.find(file.path()) != std::string::npos);
  CHECK(message.find("POST demo:") != std::string::npos);
  CHECK(message.find("Something else") != std::string::npos);
  CHECK_FALSE(retryable(other.error().kind));
  // Nor does another way to ask for the same do.
  EventStream stream = client.stream(question());
  while (stream.next() != nullptr) {
  }
  CHECK_FALSE(stream.status());
}

TEST_CASE("no key is written, wherever it stands") {
  const File file;
  const std::string key = "canary-key-of-the-host";
  {
    Backend backend = demo_backend("anthropic", key);
    backend.headers = {{"x-host-secret", "canary-second"}};
    backend.query = "key=canary-third&api-version=1";
    // The demo repeats what it is told, across two pieces of a stream.
    const Client client(backend, recording(file));
    REQUIRE(client.send(question("I say " + key)));
    const auto status =
        client.stream(question(key + " " + key), [](const StreamEvent&) {});
    REQUIRE(status);
  }
  const std::string text = file.text();
  CHECK(text.find("canary") == std::string::npos);
  CHECK(text.find("header x-api-key: [redacted]\n") != std::string::npos);
  CHECK(text.find("header x-host-secret: [redacted]\n") != std::string::npos);
  CHECK(text.find("?key=[redacted]&api-version=1") != std::string::npos);
  CHECK(text.find("header anthropic-version: ") != std::string::npos);
}

TEST_CASE("a recording written by hand") {
  const File file;
  file.write(
      "llmproxy recording 1\n\n"
      "request GET http://host/a?key=[redacted]\n"
      "body\n"
      "response 200\n"
      "header content-type: text/plain\n"
      "piece\n|one^5E\n~tw\npiece\n~o^00\n"
      "end\n\n"
      "request GET http://host/a?key=[redacted]\n"
      "body\n"
      "response 0\n"
      "end timeout: too late\n");
  const auto transport = replaying(file);
  struct Keep final : ResponseHandler {
    void on_head(int head, const Headers&) override { status = head; }
    Flow on_body(std::string_view bytes) override {
      pieces.emplace_back(bytes);
      return Flow::go_on;
    }
    void on_done(const Result<void>& done) override { result = done; }
    int status = 0;
    std::vector<std::string> pieces;
    Result<void> result;
  };
  UpstreamRequest request;
  request.method = "GET";
  request.url = "http://host/a?key=mine";
  Keep first;
  transport->perform(request, first);
  CHECK(first.status == 200);
  CHECK(first.result);
  CHECK(first.pieces ==
        std::vector<std::string>{"one^\ntw", std::string("o\0", 2)});
  for (int i = 0; i < 2; ++i) {
    Keep next;
    transport->perform(request, next);
    REQUIRE_FALSE(next.result);
    CHECK(next.result.error().kind == ErrorKind::timeout);
    CHECK(next.result.error().message == "too late");
  }
}

TEST_CASE("a broken recording is refused with its line") {
  struct Row {
    const char* text;
    const char* fault;
  };
  const Row row = GENERATE(
      Row{"", "line 0: this is not a recording"},
      Row{"GET /", "not a recording"},
      Row{"llmproxy recording 1\nend\n", "line 2: this line belongs to no"},
      Row{"llmproxy recording 1\nrequest GET\n", "line 2: expected a method"},
      Row{"llmproxy recording 1\nrequest GET http://h\n",
          "has no \"end\" line"},
      Row{"llmproxy recording 1\nrequest GET http://h\n~x\n",
          "line 3: these bytes belong"},
      Row{"llmproxy recording 1\nrequest GET http://h\nbody\n~^4\n",
          "line 4: each ^ must"},
      Row{"llmproxy recording 1\nrequest GET http://h\npiece\n",
          "line 3: expected \"body\""},
      Row{"llmproxy recording 1\nrequest GET http://h\nresponse x\n",
          "line 3: expected an HTTP"},
      Row{"llmproxy recording 1\nrequest GET http://h\nheader x\n",
          "line 3: expected a header"},
      Row{"llmproxy recording 1\nrequest GET http://h\nend odd: x\n",
          "line 3: unknown kind"},
      Row{"llmproxy recording 1\nrequest GET http://h\nwhat\n",
          "line 3: unknown word 'what'"},
      Row{"llmproxy recording 1\nrequest GET http://h\nrequest GET http://i\n",
          "line 3: the previous transfer"});
  const File file;
  file.write(row.text);
  const auto made = make_replaying_transport(file.path());
  REQUIRE_FALSE(made);
  CHECK(made.error().message.find(row.fault) != std::string::npos);
}

TEST_CASE("files that cannot be opened") {
  const auto read = make_replaying_transport("/nowhere/at/all.rec");
  REQUIRE_FALSE(read);
  CHECK(read.error().kind == ErrorKind::not_found);
  CHECK_FALSE(make_recording_transport(make_demo_transport(), "/nowhere/x"));
}

}  // namespace
}  // namespace host
