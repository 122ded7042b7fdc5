// golden_test: runs golden cases, and rewrites their expectations when asked.
//
//   golden_test [--update] [--add-missing] [--list] [--pairs] [--shard I/N]
//               [FILE|FOLDER ...]
//   golden_test --captures FOLDER
//
// README.md beside this file says how to write a case.
#include <cstdio>
#include <cstdlib>

#include "golden/captures.h"
#include "golden/runner.h"

namespace {

constexpr const char* kUsage =
    "usage: golden_test [--update] [--add-missing] [--list] [--pairs] "
    "FILE|FOLDER ...\n"
    "  --update       rewrite the `expect` bodies that differ, print the diff\n"
    "  --add-missing  add the sections that a case of this kind may have\n"
    "  --pairs        print how many cases cross between which dialects\n"
    "  --captures FOLDER  check recorded requests (see captures.h) instead\n"
    "  --list         print the cases and their first line, run nothing\n"
    "  --shard I/N    every Nth case only, from the Ith on\n";

/// "2/6"; false = it is none.
bool read_shard(const char* text, llmproxy::testing::RunOptions& options) {
  char end = 0;
  const int read =
      std::sscanf(text, "%zu/%zu%c", &options.shard, &options.shards, &end);
  return read == 2 && options.shard >= 1 && options.shard <= options.shards;
}

}  // namespace

int main(int argc, char** argv) {
  llmproxy::testing::RunOptions options;
  std::string captures;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--update") {
      options.update = true;
    } else if (word == "--add-missing") {
      options.add_missing = true;
    } else if (word == "--pairs") {
      options.pairs = true;
    } else if (word == "--captures" && i + 1 < argc) {
      captures = argv[++i];
    } else if (word == "--list") {
      options.list = true;
    } else if (word == "--shard" && i + 1 < argc &&
               read_shard(argv[i + 1], options)) {
      ++i;
    } else if (word.starts_with("-")) {
      std::fputs(kUsage, stderr);
      return 2;
    } else {
      options.paths.push_back(word);
    }
  }
  if (!captures.empty()) return llmproxy::testing::run_captures(captures);
  if (options.paths.empty()) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  if ((options.update || options.add_missing) && std::getenv("CI")) {
    std::fputs("golden_test: expectations are not rewritten under CI\n",
               stderr);
    return 2;
  }
  return llmproxy::testing::run_golden(options);
}
