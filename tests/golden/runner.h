// Runs golden cases: compares each `expect` section with what the library
// says, checks the properties of every case, rewrites expectations.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace llmproxy::testing {

struct RunOptions {
  bool update = false;
  bool add_missing = false;
  bool list = false;
  bool pairs = false;  ///< print the table of pairs
  /// Of all cases only each `shards`th, from the `shard`th (of 1) on.
  std::size_t shard = 1;
  std::size_t shards = 1;
  /// Case files, or folders with such files below them.
  std::vector<std::string> paths;
};

/// Prints failures and a summary; 0 when all cases hold.
int run_golden(const RunOptions& options);

}  // namespace llmproxy::testing
