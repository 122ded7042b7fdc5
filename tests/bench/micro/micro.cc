// Times every way from one dialect to another beside its floor, in one run,
// and prints how many times the floor each takes. Flags: those of Google
// Benchmark (--benchmark_filter=request_1MB/claude:openai-chat).
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>

#include "bench/micro/paths.h"

namespace {

using llmproxy::Dialect;
using llmproxy::bench::Path;
namespace bench = llmproxy::bench;

constexpr std::string_view kFloor = "/floor";

/// Prints one line a path once it and its floor are measured. Of repetitions
/// the fastest counts: what others do on the machine only ever adds.
class RatioReporter final : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override {
    std::printf("%-50s %12s %12s %8s\n", "path", "ns", "floor, ns", "ratio");
    return true;
  }
  void ReportRuns(const std::vector<Run>& runs) override {
    double best = 0;
    std::string name;
    for (const Run& run : runs) {
      if (run.run_type != Run::RT_Iteration || run.error_occurred) continue;
      name = run.run_name.function_name;
      const double ns = run.GetAdjustedCPUTime() / run.counters.at("count");
      if (best == 0 || ns < best) best = ns;
    }
    if (name.empty()) return;
    if (!name.ends_with(kFloor)) {
      times_[name] = best;
      return;
    }
    name.resize(name.size() - kFloor.size());
    std::printf("%-50s %12.0f %12.0f %8.2f\n", name.c_str(), times_[name], best,
                times_[name] / best);
    std::fflush(stdout);
  }

 private:
  std::map<std::string, double> times_;
};

/// Bodies are made when the path's turn comes: not at all if filtered out.
void add(const std::string& kind, const Dialect& from, const Dialect& to,
         const std::function<Path()>& make) {
  const std::string name =
      kind + "/" + std::string(from.name) + ":" + std::string(to.name);
  const auto shared = std::make_shared<std::unique_ptr<Path>>();
  const auto measure = [make, shared](benchmark::State& state, bool floor) {
    if (*shared == nullptr) *shared = std::make_unique<Path>(make());
    Path& path = **shared;
    for (auto _ : state) {
      benchmark::DoNotOptimize(floor ? path.floor.run() : path.run());
    }
    state.counters["count"] = static_cast<double>(path.count);
  };
  for (const bool floor : {false, true}) {
    benchmark::RegisterBenchmark(
        (name + std::string(floor ? kFloor : "")).c_str(), measure, floor)
        ->MinTime(0.05)
        ->Repetitions(3);
  }
}

}  // namespace

int main(int argc, char** argv) {
  for (const Dialect* from : llmproxy::dialects()) {
    for (const Dialect* to : llmproxy::dialects()) {
      add("stream_event", *from, *to,
          [from, to] { return bench::stream_path(*from, *to); });
      add("request_1KB", *from, *to, [from, to] {
        return bench::request_path(*from, *to, bench::kSmall);
      });
      add("request_1MB", *from, *to, [from, to] {
        return bench::request_path(*from, *to, bench::kLarge);
      });
      add("response", *from, *to,
          [from, to] { return bench::response_path(*from, *to); });
    }
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  RatioReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  return 0;
}
