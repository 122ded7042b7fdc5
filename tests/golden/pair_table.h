// The table of all pairs of dialects: how many cases cross from one to the
// other, and how many losses they declare.
#pragma once

#include <array>
#include <map>
#include <string>
#include <utility>

#include "golden/scenario.h"

namespace llmproxy::testing {

class PairTable {
 public:
  /// Counts a case towards every dialect.
  void add(const Scenario& scenario);
  /// One line a pair: request, response, stream.
  std::string text() const;

 private:
  struct Cell {
    int crossed = 0;
    int refused = 0;  ///< with a reason: the target cannot do it
    std::size_t losses = 0;
  };
  using Row = std::array<Cell, 3>;  // request, response, stream

  std::map<std::pair<std::string, std::string>, Row> rows_;
};

}  // namespace llmproxy::testing
