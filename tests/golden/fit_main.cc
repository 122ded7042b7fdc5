// fit_mutants: the unit tests of fit(), then the cases of each folder that is
// named. It ends at the first that fails: tests/tools/mutate_fit.py asks
// whether any does.
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>

#include "golden/runner.h"

int main(int argc, char** argv) {
  Catch::Session session;
  session.configData().abortAfter = 1;
  if (session.run() != 0) return 1;
  for (int i = 1; i < argc; ++i) {
    llmproxy::testing::RunOptions options;
    options.paths = {argv[i]};
    if (llmproxy::testing::run_golden(options) != 0) return 1;
  }
  return 0;
}
