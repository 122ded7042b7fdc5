// What the mutator knows of the wire formats: names of members and values
// that golden cases use (tests/fuzz/words/, made by seeds.py).
#pragma once

#include <string>
#include <vector>

namespace llmproxy::fuzz {

struct Words {
  /// Member names and scalars as JSON spells them.
  std::vector<std::string> names;
  std::vector<std::string> values;
};

/// Read once; empty where the files are not there.
const Words& words();

}  // namespace llmproxy::fuzz
