// mock_upstream: stands in for the vendors' APIs in measurements. Cheap enough
// that what is measured is the proxy before it.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>

#include "mock_upstream/server.h"

namespace {

volatile std::sig_atomic_t stop = 0;

void on_signal(int /*signal*/) { stop = 1; }

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Answers in all six dialects on 127.0.0.1; see kit/plan.h");
  int port = 0;
  llmproxy::bench::Plan plan;
  app.add_option("--port", port, "0: the system chooses; the port is printed");
  app.add_option("--events", plan.events, "text events of a stream");
  app.add_option("--interval-us", plan.interval_us, "between two of them");
  app.add_option("--think-us", plan.think_us, "before the first byte");
  app.add_option("--text-bytes", plan.text_bytes, "of an event");
  CLI11_PARSE(app, argc, argv);

  struct sigaction action {};
  action.sa_handler = on_signal;
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGINT, &action, nullptr);
  llmproxy::bench::raise_descriptor_limit();
  llmproxy::bench::MockServer server(port, plan);
  fmt::print("{}\n", server.port());
  std::fflush(stdout);
  server.run(stop);
  fmt::print("{}\n", to_json(server.counts()));
  return 0;
}
