// bench_load: clients for measurements. Prints one JSON object.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <iterator>
#include <string>

#include "kit/net.h"
#include "kit/plan.h"
#include "load/modes.h"

namespace {

using llmproxy::bench::Target;

std::string contents_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// What all modes have in common.
struct Common {
  int port = 0;
  std::string dialect = "openai-chat";
  std::string prefix;
  llmproxy::bench::Plan plan;
  std::string path;
  std::string body_file;
  std::vector<std::string> headers;

  void add_to(CLI::App& app) {
    app.add_option("--port", port, "of the server, on 127.0.0.1")->required();
    app.add_option("--dialect", dialect, "of the request")
        ->check(CLI::IsMember(
            std::vector<std::string>(llmproxy::bench::kDialectNames.begin(),
                                     llmproxy::bench::kDialectNames.end())));
    app.add_option("--model-prefix", prefix, "before the mock's model name");
    app.add_option("--events", plan.events, "text events of a stream");
    app.add_option("--interval-us", plan.interval_us, "between two of them");
    app.add_option("--think-us", plan.think_us, "before the first byte");
    app.add_option("--text-bytes", plan.text_bytes, "of an event");
    app.add_option("--path", path, "instead of the dialect's");
    app.add_option("--body", body_file, "file, instead of the built-in body")
        ->check(CLI::ExistingFile);
    app.add_option("--header", headers, "name: value, any number of times");
  }

  Target target() const {
    Target out;
    out.port = port;
    out.dialect = *llmproxy::bench::dialect_named(dialect);
    out.model = prefix + llmproxy::bench::model_of(plan);
    out.path = path;
    if (!body_file.empty()) out.body = contents_of(body_file);
    out.headers = headers;
    return out;
  }
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Calls, streams and abuse; one thread; times in us");
  app.require_subcommand(1);
  Common common;
  std::string report;

  llmproxy::bench::CallOptions calls;
  CLI::App* mode = app.add_subcommand("calls", "a closed loop of calls");
  common.add_to(*mode);
  mode->add_option("--connections", calls.connections);
  mode->add_option("--seconds", calls.seconds);
  mode->add_option("--warmup", calls.warmup, "seconds that do not count");
  mode->add_option("--count", calls.count, "calls, instead of seconds");
  mode->callback([&] { report = run_calls(common.target(), calls); });

  llmproxy::bench::StreamOptions streams;
  const auto stream_options = [&](CLI::App& to) {
    common.add_to(to);
    to.add_option("--streams", streams.streams, "open at once");
    to.add_option("--ramp", streams.ramp, "opened a second");
    to.add_option("--limit", streams.limit,
                  "seconds; then the rest is given up");
  };
  const auto play_streams = [&] {
    streams.events = common.plan.events;
    report = run_streams(common.target(), streams);
  };
  mode = app.add_subcommand("streams", "streams, each read to its end");
  stream_options(*mode);
  mode->callback(play_streams);

  mode = app.add_subcommand("leave", "streams left by their client");
  stream_options(*mode);
  mode->add_option("--count", streams.leave, "streams")->required();
  mode->add_option("--seed", streams.seed);
  mode->callback(play_streams);

  llmproxy::bench::IdleOptions idle;
  mode = app.add_subcommand("idle", "connections that send nothing");
  common.add_to(*mode);
  mode->add_option("--connections", idle.connections);
  mode->add_option("--seconds", idle.seconds);
  mode->callback([&] { report = run_idle(common.target(), idle); });

  llmproxy::bench::SlowOptions slow;
  mode = app.add_subcommand("slow", "a body sent, or a stream read, slowly");
  common.add_to(*mode);
  mode->add_option("--connections", slow.connections);
  mode->add_option("--seconds", slow.seconds);
  mode->add_option("--interval", slow.interval, "seconds between two bytes");
  mode->add_flag("--read", slow.read, "read slowly");
  mode->callback([&] { report = run_slow(common.target(), slow); });

  llmproxy::bench::raise_descriptor_limit();
  CLI11_PARSE(app, argc, argv);
  fmt::print("{}\n", report);
  return 0;
}
