#include "fuzz/kit/words.h"

#include <fstream>

namespace llmproxy::fuzz {
namespace {

std::vector<std::string> lines_of(const std::string& file) {
  std::ifstream stream(file);
  std::vector<std::string> out;
  for (std::string line; std::getline(stream, line);) out.push_back(line);
  return out;
}

}  // namespace

const Words& words() {
  static const std::string folder = LLMPROXY_FUZZ_FOLDER "/words/";
  static const Words all{lines_of(folder + "names.txt"),
                         lines_of(folder + "values.txt")};
  return all;
}

}  // namespace llmproxy::fuzz
