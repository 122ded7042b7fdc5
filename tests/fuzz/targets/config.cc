// Configuration files with the environment they are read in. The input's
// first lines are the environment, up to a line "---".
#include <map>

#include "fuzz/kit/properties.h"
#include "llmproxy/gateway.h"

namespace llmproxy::fuzz {
namespace {

constexpr std::string_view kName = "f.yaml";
constexpr std::string_view kSecret = "canary-of-the-environment";

struct OverTransfer final : Transfer {
  void cancel() override {}
  void resume() override {}
};

struct NoUpstream final : Transport {
  void perform(const UpstreamRequest&, ResponseHandler& handler,
               const Cancelled&) override {
    handler.on_done(upstream_malformed("there is none"));
  }
  /// Lists of models are asked for in the background.
  std::shared_ptr<Transfer> start(UpstreamRequest,
                                  ResponseHandler& handler) override {
    handler.on_done(upstream_malformed("there is none"));
    return std::make_shared<OverTransfer>();
  }
};

struct NoClient final : ResponseSink {
  void start(int status, const Headers&) override { seen = status; }
  Written write(std::string_view bytes) override {
    body += bytes;
    return Written::ok;
  }
  Written finish() override { return Written::ok; }
  Written drain(std::chrono::milliseconds) override { return Written::ok; }
  bool client_gone() override { return false; }
  int seen = 0;
  std::string body;
};

struct Parts {
  std::map<std::string, std::string> environment;
  std::string yaml;
};
Parts parts_of(std::string_view text) {
  Parts parts;
  parts.environment["CANARY_KEY"] = kSecret;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line == "---") break;
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    parts.environment[std::string(line.substr(0, equals))] =
        line.substr(equals + 1);
  }
  parts.yaml = text;
  return parts;
}

void expect_message(const Error& error) {
  expect(!error.message.empty(), "a mistake has a message");
  expect(error.message.find(kSecret) == std::string::npos,
         "a mistake tells no key", error.message);
}

/// A file that was taken makes a gateway.
void serve(Config config) {
  Gateway gateway(std::move(config), std::make_shared<NoUpstream>(), nullptr);
  for (const char* path : {"/v1/models", "/health", "/healthz", "/x/y"}) {
    NoClient client;
    gateway.handle({"GET", path, "", {{"host", "localhost"}}, "", "127.0.0.1"},
                   client);
    expect(client.seen != 0, "everybody gets an answer", path);
  }
}

void run(Input& input) {
  const bool defaults = input.below(8) == 0;
  const Parts parts = parts_of(input.rest());
  const Environment environment =
      [&](const std::string& name) -> std::optional<std::string> {
    const auto found = parts.environment.find(name);
    if (found == parts.environment.end()) return std::nullopt;
    return found->second;
  };
  auto config = defaults ? default_config(environment)
                         : parse_config(parts.yaml, kName, environment);
  if (!config) return expect_message(config.error());
  serve(*std::move(config));
}

const Registered kRegistered({"config", Form::lines, 4096, run});

}  // namespace
}  // namespace llmproxy::fuzz
